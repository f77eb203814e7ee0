"""One attempt of an action: its input checked, its credentials found, its answer passed on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from oncue.actions.gating import Gating, place_of
from oncue.actions.masking import keeping_no, show_mail, show_request
from oncue.core.action import (
    AccountStore,
    AnyAction,
    Call,
    HttpAnswer,
    HttpRequest,
    Origin,
    Send,
    Ways,
    absent,
)
from oncue.core.errors import (
    ActionError,
    Conflict,
    EvaluationError,
    InvalidInput,
    Overloaded,
    PermanentError,
    RetryableError,
)
from oncue.core.event import IncomingEvent
from oncue.core.expression import Spot, names_at, put_in
from oncue.core.json_text import Json, parse_json
from oncue.core.mail import Mail
from oncue.core.masking import mask, mask_json
from oncue.core.problems import problems_of
from oncue.core.statements import Rows, Statement
from oncue.ports import (
    Clock,
    CredentialSource,
    EventLog,
    EventQuestion,
    EventQuestions,
    Files,
    KeyValues,
    Rehearsal,
    SecretSource,
)

Credentials = Callable[[str, str], Mapping[str, str]]
"""From account and integration to what the integration needs; empty if there is no connection."""
Stores = Callable[[str], AccountStore]
"""From account to what it keeps with us."""


_UNAUTHORIZED: Final = 401
# A bug is told by its words, in which what it stumbled over may stand.
_BUGS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class _NotSentError(Exception):
    """A dry run ends where something would leave the machine, or be written down."""


def stores_on(keys: KeyValues, log: EventLog, files: Files, questions: EventQuestions) -> Stores:
    """Return what leads each account to its own part of what is kept."""

    def store(account: str) -> AccountStore:
        async def append(event: IncomingEvent) -> None:
            await log.append(account, [event])

        async def events(statement: Statement) -> Rows:
            question = EventQuestion(statement.sql, statement.params, statement.limit)
            found = await questions.ask(account, question)
            rows = parse_json(found.body)
            assert isinstance(rows, list)
            names = [name for name, _ in found.columns]
            return Rows(names, rows, found.count, found.is_truncated)

        return AccountStore(
            get=partial(keys.get, account),
            set=partial(keys.set, account),
            increment=partial(keys.increment, account),
            delete=partial(keys.delete, account),
            append=append,
            query=partial(files.query, account),
            events=events,
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

    async def names(self, account: str, integration: str) -> frozenset[str]:
        """Return the names of what was given for the integration."""
        return frozenset(self.given(account, integration))

    async def credentials(
        self, account: str, integration: str, _name: str | None
    ) -> Mapping[str, str]:
        """Return what was given for the integration."""
        return self.given(account, integration)

    async def budget(self, account: str, integration: str, _name: str | None) -> str:
        """Return what names the account's one set."""
        return f"{account}/{integration}"

    async def renew(self, _account: str, _integration: str, _name: str | None) -> bool:
        """Return False: what was given stays."""
        return False


class _Watched:
    """A way out that knows whether the last answer refused who we are."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_refused = False

    async def send(self, request: HttpRequest) -> HttpAnswer:
        answer = await self._send(request)
        self.is_refused = answer.status == _UNAUTHORIZED
        return answer


class ActionLibrary:
    """The actions by name."""

    def __init__(  # noqa: PLR0913 all that a call may need
        self,
        actions: Iterable[AnyAction],
        source: CredentialSource,
        ways: Ways,
        clock: Clock,
        stores: Stores,
        gating: Gating | None = None,
        secrets: SecretSource | None = None,
    ) -> None:
        self.by_name: dict[str, AnyAction] = {action.name: action for action in actions}
        self._source = source
        self._ways = ways
        self._clock = clock
        self._stores = stores
        self._gating = gating
        self._secrets = secrets

    def over(self, stores: Stores) -> "ActionLibrary":
        """Return the same actions over what accounts keep elsewhere."""
        return ActionLibrary(
            self.by_name.values(),
            self._source,
            self._ways,
            self._clock,
            stores,
            self._gating,
            self._secrets,
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

    async def goes_with(self, account: str, action: str) -> list[str] | None:
        """Return the credentials, of those that one of would do, that it has; None if it cannot go."""
        if await self.missing(account, action) is not None:
            return None
        found = self._find(action)
        names = await self._source.names(account, found.integration)
        return [need.credential for need in found.needs if need.credential in names]

    def _find(self, action: str) -> AnyAction:
        return self.by_name.get(action) or absent(action)

    async def _filled(
        self, account: str, rendered: Json, spots: Sequence[Spot]
    ) -> tuple[Json, dict[str, str]]:
        """Return an input with its secrets, and what of it nobody may see."""
        if not spots:
            return rendered, {}
        names = names_at(rendered, spots)
        if self._secrets is None:
            raise PermanentError(f"no secret {min(names)!r}")
        secrets = await self._secrets.values(account, names)
        hidden = {f"secrets.{name}": secret for name, secret in secrets.items()}
        try:
            filled, given = put_in(rendered, spots, secrets)
        except EvaluationError as exc:
            # Without its cause, whose words may tell the secret.
            raise PermanentError(mask(str(exc), hidden)) from None
        # What was made of a secret tells it as well.
        return filled, {**hidden, **{f"given.{n}": text for n, text in enumerate(given)}}

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
        spots: Sequence[Spot] = (),
    ) -> Json:
        """
        Return what the action gave; `origin` is the execution that asks, if one does.

        It goes with the `connection` of that name, else with the usual one. At `spots`
        secrets are put into the input; where the answer repeats them, they are masked.

        Raises:
            ActionError: the outside world said no, or nothing; no secret stands in its words.
        """
        found = self._find(action)
        if found.obstacle:
            raise PermanentError(found.obstacle)
        credentials = await self._source.credentials(account, found.integration, connection)
        if lack := _lack(found, credentials):
            raise PermanentError(lack)
        filled, secrets = await self._filled(account, rendered, spots)
        hidden = {**credentials, **secrets}
        try:
            typed = found.input.model_validate(filled)
        except ValidationError as exc:
            problems = problems_of(exc, filled, prefix="with")
            told = "; ".join(f"{p.path}: {p.message}" for p in problems)
            raise PermanentError(mask(told, secrets)) from None
        store = self._stores(account)
        call = Call(
            account=account,
            input=typed,
            idempotency_key=key,
            credentials=credentials,
            ways=self._ways,
            store=keeping_no(secrets, store) if secrets else store,
            now_ms=self._clock.now_ms(),
            is_repeat=is_repeat,
            origin=origin,
        )
        try:
            output = await self._pass(found, call, place_of(rendered), connection)
        except ActionError as exc:
            exc.args = (mask(str(exc), hidden),)
            raise
        except Overloaded as exc:
            raise RetryableError(str(exc), retry_after_ms=exc.retry_after_s * 1_000) from exc
        except (Conflict, InvalidInput) as exc:
            raise PermanentError(mask(str(exc), hidden)) from None
        except _BUGS as exc:
            raise _discreet(exc, hidden) from None
        return mask_json(output, secrets)

    async def _pass(
        self, action: AnyAction, call: Call[Any], place: str, connection: str | None
    ) -> Json:
        """Return what an action gives; where its access token was refused, the next one has another."""
        watched = _Watched(call.send)
        call = replace(call, ways=replace(call.ways, send=watched.send))
        try:
            return await self._gated(action, call, place, connection)
        except PermanentError as exc:
            source, integration = self._source, action.integration
            if watched.is_refused and await source.renew(call.account, integration, connection):
                raise RetryableError(f"{exc}; the next attempt has another access token") from exc
            raise

    async def _gated(
        self, action: AnyAction, call: Call[Any], place: str, connection: str | None
    ) -> Json:
        """Return what an action gives; where an execution asks, through the gate of its connection."""
        if self._gating is None or call.origin is None:
            return await action.perform(call)
        whose = await self._source.budget(call.account, action.integration, connection)
        with self._gating.passing(f"{whose} {place}".rstrip(), call.origin, call.ways) as ways:
            return await action.perform(replace(call, ways=ways))

    async def rehearse(  # noqa: PLR0913 what an attempt is made of
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_dry: bool,
        connection: str | None = None,
        spots: Sequence[Spot] = (),
    ) -> Rehearsal:
        """Return how the action went; where `is_dry`, what it would have sent first."""
        requests: list[Json] = []
        try:
            integration = self._find(action).integration
            credentials = await self._source.credentials(account, integration, connection)
            _, secrets = await self._filled(account, rendered, spots)
        except ActionError as exc:
            return Rehearsal(None, str(exc), requests)
        hidden = {**credentials, **secrets}

        async def send(request: HttpRequest) -> HttpAnswer:
            requests.append(show_request(request, hidden))
            if is_dry:
                raise _NotSentError
            return await self._ways.send(request)

        async def query(url: str, statement: Statement) -> Rows:
            sql = mask(statement.sql, hidden)
            requests.append({"sql": sql, "params": mask_json(_shown(statement), hidden)})
            if is_dry and not statement.is_read_only:
                raise _NotSentError
            return await self._ways.query(url, statement)

        async def deliver(url: str, mail: Mail) -> None:
            requests.append(show_mail(mail, secrets))
            if is_dry:
                raise _NotSentError
            await self._ways.deliver(url, mail)

        ways = Ways(send, query, deliver)
        stores = _read_only(self._stores) if is_dry else self._stores
        own = ActionLibrary(
            self.by_name.values(),
            GivenCredentials(lambda *_: credentials),
            ways,
            self._clock,
            stores,
            secrets=self._secrets,
        )
        output: Json = None
        error = None
        with suppress(_NotSentError):
            try:
                output = await own.perform(
                    account, action, rendered, key, is_repeat=False, spots=spots
                )
            except ActionError as exc:
                error = str(exc)
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


def _discreet(bug: Exception, hidden: Mapping[str, str]) -> Exception:
    """Return a bug whose words tell no secret; those of its causes are left out."""
    told = str(bug)
    if mask(told, hidden) == told:
        return bug
    bug.args = (mask(told, hidden),)
    if str(bug) == told:
        # Some errors are not told by their arguments.
        return RuntimeError(f"{type(bug).__name__}: {mask(told, hidden)}")
    return bug
