"""The calls of actions, each through the gate of the connection that it goes with."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from oncue.core.action import HttpAnswer, HttpRequest, Origin, Ways
from oncue.core.errors import ActionError, NotNow, OutcomeUnknown, RetryableError
from oncue.core.json_text import Json
from oncue.core.limits.gate import Caller, Gate, Gates
from oncue.core.mail import Mail
from oncue.core.statements import Rows, Statement
from oncue.ports import Clock

Found = TypeVar("Found")

_TOO_MANY: Final = 429
_FIRST_BROKEN: Final = 500
# They pass by themselves, and say nothing of how many calls there were.
_OF_THE_MOMENT: Final = frozenset((408, 409, 425))


class Gating:
    """Lets calls pass, or raises `NotNow`; learns from what comes back."""

    def __init__(self, gates: Gates, clock: Clock) -> None:
        self._gates = gates
        self._clock = clock

    @contextmanager
    def passing(self, name: str, origin: Origin, ways: Ways) -> Iterator[Ways]:
        """
        Yield the ways by which one call may go out.

        Raises:
            NotNow: it may not; nothing was counted.
        """
        caller = Caller(origin.execution_id, origin.path)
        gate = self._gates.get(name)
        if gate:
            now_ms = self._clock.now_ms()
            if parked := gate.enter(caller, now_ms, is_patient=origin.is_patient):
                raise NotNow(f"{name}: {parked.reason.value}", gate=name, until_ms=parked.until_ms)
        listener = _Listener(self._gates, name, self._clock)
        # If a time limit breaks it off after something was sent, no answer came.
        error: ActionError | None = OutcomeUnknown("broken off")
        try:
            yield listener.around(ways)
            error = None
        except ActionError as exc:
            error = exc
            raise
        finally:
            listener.learn(error, origin)
            if gate:
                gate.leave()
                if gate.waiting:
                    self._gates.on_room(name)


class _Listener:
    """Hears what one call meets."""

    def __init__(self, gates: Gates, name: str, clock: Clock) -> None:
        self._gates = gates
        self._name = name
        self._clock = clock
        self._was_used = False
        self._status: int | None = None

    def around(self, ways: Ways) -> Ways:
        """Return the same ways, listened to."""

        async def send(request: HttpRequest) -> HttpAnswer:
            self._was_used, self._status = True, None
            answer = await ways.send(request)
            self._status = answer.status
            if any("ratelimit" in header for header in answer.headers):
                self._gate().hear(answer.headers, self._clock.now_ms())
            return answer

        async def query(url: str, statement: Statement) -> Rows:
            return await self._used(ways.query, url, statement)

        async def deliver(url: str, mail: Mail) -> None:
            await self._used(ways.deliver, url, mail)

        return Ways(send, query, deliver)

    def learn(self, error: ActionError | None, origin: Origin) -> None:
        """Take in how the call ended."""
        if not self._was_used:
            return
        now_ms = self._clock.now_ms()
        if self._is_outage(error):
            gate = self._gate()
            gate.circuit.fail(origin.execution_id, now_ms, origin.waits_since_ms)
            if (asked_ms := _asked(error)) is not None:
                gate.budget.close(asked_ms, now_ms)
            return
        if self._is_limit(error):
            gate = self._gate()
            gate.answer()
            gate.budget.refuse(_asked(error), now_ms)
        elif gate_there := self._gates.get(self._name):
            gate_there.answer()
            gate_there.budget.pass_()

    async def _used(self, way: Callable[..., Awaitable[Found]], *given: object) -> Found:
        self._was_used = True
        return await way(*given)

    def _is_outage(self, error: ActionError | None) -> bool:
        if self._status is not None:
            return self._status >= _FIRST_BROKEN
        return isinstance(error, RetryableError | OutcomeUnknown)

    def _is_limit(self, error: ActionError | None) -> bool:
        if self._status == _TOO_MANY:
            return True
        # Some vendors say it in the body of a 200, 400 or 403.
        is_said = isinstance(error, RetryableError) and self._status is not None
        return is_said and self._status not in _OF_THE_MOMENT

    def _gate(self) -> Gate:
        return self._gates.make(self._name, self._clock.now_ms())


def place_of(rendered: Json) -> str:
    """Return the part of a gate's name that tells where a call to any URL goes; without secrets."""
    url = rendered.get("url") if isinstance(rendered, Mapping) else None
    return str(url).partition("?")[0] if url else ""


def _asked(error: ActionError | None) -> int | None:
    """Return how long the vendor wants to be left alone, if it said so."""
    return error.retry_after_ms if isinstance(error, RetryableError) else None
