"""One attempt of an action: its input checked, its credentials found, its answer passed on."""

from collections.abc import Callable, Iterable, Mapping

from pydantic import ValidationError

from oncue.core.action import AnyAction, Call, Send
from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.core.problems import problems_of
from oncue.ports import Clock

Credentials = Callable[[str, str], Mapping[str, str]]
"""From account and integration to what the integration needs; empty if there is no connection."""


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
        try:
            typed = found.input.model_validate(rendered)
        except ValidationError as exc:
            problems = problems_of(exc, rendered, prefix="with")
            raise PermanentError("; ".join(f"{p.path}: {p.message}" for p in problems)) from exc
        return await found.perform(
            Call(
                account=account,
                input=typed,
                idempotency_key=key,
                credentials=self._credentials(account, found.integration),
                send=self._send,
                now_ms=self._clock.now_ms(),
                is_repeat=is_repeat,
            )
        )
