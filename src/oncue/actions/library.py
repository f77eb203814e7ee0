"""One attempt of an action: its input checked, its credentials found, its answer passed on."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NoReturn

from pydantic import ValidationError

from oncue.actions.gating import Gating, place_of
from oncue.actions.masking import show_request
from oncue.core.action import (
    AccountStore,
    AnyAction,
    Call,
    HttpAnswer,
    HttpRequest,
    Origin,
    Ways,
    absent,
)
from oncue.core.errors import (
    ActionError,
    Conflict,
    InvalidInput,
    Overloaded,
    PermanentError,
    RetryableError,
)
from oncue.core.event import IncomingEvent
from oncue.core.json_text import Json
from oncue.core.mail import Mail
from oncue.core.masking import mask
from oncue.core.problems import problems_of
from oncue.core.statements import Rows, Statement
from oncue.ports import Clock, CredentialSource, EventLog, Files, KeyValues, Rehearsal

Credentials = Callable[[str, str], Mapping[str, str]]
"""From account and integration to what the integration needs; empty if there is no connection."""
Stores = Callable[[str], AccountStore]
"""From account to what it keeps with us."""


# A bug is told by its words, in which what it stumbled over may stand.
_BUGS: Final = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)


class _NotSentError(Exception):
    """A dry run ends where something would leave the machine, or be written down."""


def stores_on(keys: KeyValues, log: EventLog, files: Files) -> Stores:
    """Return what leads each account to its own part of `keys`, `log` and `files`."""

    def store(account: str) -> AccountStore:
        async def append(event: IncomingEvent) -> None:
            await log.append(account, [event])

        return AccountStore(
            get=partial(keys.get, account),
            set=partial(keys.set, account),
            increment=partial(keys.increment, account),
            delete=partial(keys.delete, account),
            append=append,
            query=partial(files.query, account),
            put_object=partial(files.put_object, account),
            get_object=partial(files.get_object, account),
        )

    return store


@dataclass(frozen=True, slots=True)
class GivenCredentials:
    """A `CredentialSource` without connections: each integration has one set of credentials."""

    given: Credentials

    async def has(self, _account: str, _integration: str, _name: str | None) -> bool:
        """Return False: no connection is there."""
        return False

    async def credentials(
        self, account: str, integration: str, _name: str | None
    ) -> Mapping[str, str]:
        """Return what was given for the integration."""
        return self.given(account, integration)

    async def budget(self, account: str, integration: str, _name: str | None) -> str:
        """Return what names the account's one set."""
        return f"{account}/{integration}"


class ActionLibrary:
    """The actions by name."""

    def __init__(
        self,
        actions: Iterable[AnyAction],
        source: CredentialSource,
        ways: Ways,
        clock: Clock,
        stores: Stores,
        gating: Gating | None = None,
    ) -> None:
        self.by_name: dict[str, AnyAction] = {action.name: action for action in actions}
        self._source = source
        self._ways = ways
        self._clock = clock
        self._stores = stores
        self._gating = gating

    def over(self, stores: Stores) -> "ActionLibrary":
        """Return the same actions over what accounts keep elsewhere."""
        return ActionLibrary(
            self.by_name.values(),
            self._source,
            self._ways,
            self._clock,
            stores,
            self._gating,
        )

    async def missing(self, account: str, action: str, connection: str | None = None) -> str | None:
        """Return what an action of this account would need and does not have."""
        found = self._find(action)
        if found.obstacle:
            return found.obstacle
        try:
            if await self._source.has(account, found.integration, connection):
                return None
        except PermanentError as exc:
            return str(exc)
        return _lack(found, await self._source.credentials(account, found.integration, connection))

    def _find(self, action: str) -> AnyAction:
        return self.by_name.get(action) or absent(action)

    async def perform(  # noqa: PLR0913 what an attempt is made of
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_repeat: bool,
        origin: Origin | None = None,
        connection: str | None = None,
    ) -> Json:
        """
        Return what the action gave; `origin` is the execution that asks, if one does.

        It goes with the `connection` of that name, else with the usual one.

        Raises:
            ActionError: the outside world said no, or nothing; no secret stands in its words.
        """
        found = self._find(action)
        if found.obstacle:
            raise PermanentError(found.obstacle)
        credentials = await self._source.credentials(account, found.integration, connection)
        if lack := _lack(found, credentials):
            raise PermanentError(lack)
        try:
            typed = found.input.model_validate(rendered)
        except ValidationError as exc:
            problems = problems_of(exc, rendered, prefix="with")
            raise PermanentError("; ".join(f"{p.path}: {p.message}" for p in problems)) from exc
        call = Call(
            account=account,
            input=typed,
            idempotency_key=key,
            credentials=credentials,
            send=self._ways.send,
            query=self._ways.query,
            deliver=self._ways.deliver,
            store=self._stores(account),
            now_ms=self._clock.now_ms(),
            is_repeat=is_repeat,
            origin=origin,
        )
        try:
            if self._gating is None or origin is None:
                return await found.perform(call)
            whose = await self._source.budget(account, found.integration, connection)
            with self._gating.passing(
                f"{whose} {place_of(typed)}".rstrip(), origin, self._ways
            ) as ways:
                listened = replace(call, send=ways.send, query=ways.query, deliver=ways.deliver)
                return await found.perform(listened)
        except (ActionError, *_BUGS) as exc:
            exc.args = (mask(str(exc), credentials),)
            raise
        except Overloaded as exc:
            raise RetryableError(str(exc), retry_after_ms=exc.retry_after_s * 1_000) from exc
        except (Conflict, InvalidInput) as exc:
            raise PermanentError(str(exc)) from exc

    async def rehearse(
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_dry: bool,
        connection: str | None = None,
    ) -> Rehearsal:
        """Return how the action went; where `is_dry`, what it would have sent first."""
        requests: list[Json] = []
        try:
            integration = self._find(action).integration
            credentials = await self._source.credentials(account, integration, connection)
        except ActionError as exc:
            return Rehearsal(None, str(exc), requests)

        async def send(request: HttpRequest) -> HttpAnswer:
            requests.append(show_request(request, credentials))
            if is_dry:
                raise _NotSentError
            return await self._ways.send(request)

        async def query(url: str, statement: Statement) -> Rows:
            requests.append({"sql": mask(statement.sql, credentials), "params": _shown(statement)})
            if is_dry and not statement.is_read_only:
                raise _NotSentError
            return await self._ways.query(url, statement)

        async def deliver(url: str, mail: Mail) -> None:
            requests.append({"from": mail.sender, "to": [*mail.recipients], "mail": _text_of(mail)})
            if is_dry:
                raise _NotSentError
            await self._ways.deliver(url, mail)

        ways = Ways(send, query, deliver)
        stores = _read_only(self._stores) if is_dry else self._stores
        source = GivenCredentials(lambda *_: credentials)
        own = ActionLibrary(self.by_name.values(), source, ways, self._clock, stores)
        output: Json = None
        error = None
        with suppress(_NotSentError):
            try:
                output = await own.perform(account, action, rendered, key, is_repeat=False)
            except ActionError as exc:
                error = mask(str(exc), credentials)
            except _BUGS as exc:
                error = f"a bug in {action}: {exc}"
        return Rehearsal(output, error, requests)


def _lack(action: AnyAction, credentials: Mapping[str, str]) -> str | None:
    if action.is_ready(credentials):
        return None
    remedy = f"set {action.remedy}, or make one" if action.remedy else "make one"
    return f"no connection for {action.integration}: {remedy}"


def _read_only(stores: Stores) -> Stores:
    async def refuse(*_: object) -> NoReturn:
        raise _NotSentError

    def store(account: str) -> AccountStore:
        own = stores(account)

        async def query(statement: Statement) -> Rows:
            return await (own.query if statement.is_read_only else refuse)(statement)

        return replace(
            own,
            set=refuse,
            increment=refuse,
            delete=refuse,
            append=refuse,
            query=query,
            put_object=refuse,
        )

    return store


def _shown(statement: Statement) -> Json:
    params = statement.params
    return {**params} if isinstance(params, Mapping) else [*params]


def _text_of(mail: Mail) -> str:
    return mail.content.decode("utf-8", "replace")
