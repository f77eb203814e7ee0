"""One attempt of an action: its input checked, its credentials found, its answer passed on."""

from collections.abc import Callable, Iterable, Mapping

from pydantic import ValidationError

from oncue.actions.masking import mask, show_request
from oncue.core.action import AnyAction, Call, HttpAnswer, HttpRequest, Send
from oncue.core.errors import ActionError, PermanentError
from oncue.core.json_text import Json
from oncue.core.problems import problems_of
from oncue.ports import Clock, Rehearsal

Credentials = Callable[[str, str], Mapping[str, str]]
"""From account and integration to what the integration needs; empty if there is no connection."""


class _NotSentError(Exception):
    """A dry run ends where something would leave the machine."""


class ActionLibrary:
    """The actions by name."""

    def __init__(
        self, actions: Iterable[AnyAction], credentials: Credentials, send: Send, clock: Clock
    ) -> None:
        self.by_name: dict[str, AnyAction] = {action.name: action for action in actions}
        self._credentials = credentials
        self._send = send
        self._clock = clock

    async def perform(
        self, account: str, action: str, rendered: Json, key: str, *, is_repeat: bool
    ) -> Json:
        """
        Return what the action gave.

        Raises:
            ActionError: the outside world said no, or nothing.
        """
        found = self.by_name[action]
        credentials = self._credentials(account, found.integration)
        try:
            typed = found.input.model_validate(rendered)
        except ValidationError as exc:
            problems = problems_of(exc, rendered, prefix="with")
            raise PermanentError("; ".join(f"{p.path}: {p.message}" for p in problems)) from exc
        return await found.perform(
            Call(account, typed, key, credentials, self._send, self._clock.now_ms(), is_repeat)
        )

    async def rehearse(
        self, account: str, action: str, rendered: Json, key: str, *, is_dry: bool
    ) -> Rehearsal:
        """Return how the action went; where `is_dry`, what it would have sent first."""
        credentials = self._credentials(account, self.by_name[action].integration)
        requests: list[Json] = []

        async def send(request: HttpRequest) -> HttpAnswer:
            requests.append(show_request(request, credentials))
            if is_dry:
                raise _NotSentError
            return await self._send(request)

        own = ActionLibrary(self.by_name.values(), self._credentials, send, self._clock)
        output: Json = None
        error = None
        try:
            output = await own.perform(account, action, rendered, key, is_repeat=False)
        except ActionError as exc:
            error = mask(str(exc), credentials)
        except _NotSentError:
            error = None
        return Rehearsal(output, error, requests)
