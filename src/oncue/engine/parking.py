"""
Steps that wait for a vendor to take calls again.

Each has a timer in the journal, so that a restart forgets nobody. While we live
they are let in when there is room, the workflows in turn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from oncue.core.ids import digest
from oncue.core.limits.gate import Caller, Gates
from oncue.engine.alarm import Alarm
from oncue.engine.fair_queue import FairQueue
from oncue.engine.loop import Loop
from oncue.ports import Clock, Timer

PATIENCE_MS: Final = 3_600_000
"""How long a step waits for a vendor that does not answer; then it tries, and may fail."""
_MAX_HELD: Final = 100_000
"""Of more, the timers alone decide."""
_ADMITTED_PER_TURN: Final = 64
_SOONEST_MS: Final = 60_000
_LONGEST_MS: Final = 900_000


@dataclass(frozen=True, slots=True)
class VendorState:
    """
    How a vendor takes the calls by one connection.

    `name` is the integration, then the connection if one is used, then the URL
    where an action calls any. `since_ms` is when it stopped answering.
    """

    name: str
    state: str
    parked: int
    since_ms: int | None


class Parking(Loop):
    """Calls `on_room` with the timer of a step that may call now."""

    def __init__(self, gates: Gates, clock: Clock, on_room: Callable[[Timer], None]) -> None:
        super().__init__("parking", clock)
        self._gates = gates
        self._on_room = on_room
        self._queues: dict[str, FairQueue[Timer]] = {}
        self._count = 0
        self._alarm = Alarm(clock, self.wake, "parking alarm")
        self._next_ms: int | None = None
        gates.on_room = self._tell

    @property
    def count(self) -> int:
        """How many steps are held in memory that wait for a vendor."""
        return self._count

    @property
    def circuits_open(self) -> int:
        """How many vendors did not answer lately, as connections meet them."""
        return sum(gate.circuit.open_until_ms is not None for _, gate in self._gates.items())

    def vendors(self, account: str) -> list[VendorState]:
        """Return the vendors of an account that slow it down or do not answer."""
        now_ms = self._clock.now_ms()
        return [
            VendorState(name.partition("/")[2], state, gate.waiting, gate.circuit.since_ms)
            for name, gate in self._gates.items()
            if name.startswith(f"{account}/") and (state := gate.state(now_ms)) != "ok"
        ]

    def park(self, gate: str, workflow: str, timer: Timer) -> None:
        """Take a step in whose timer was just written."""
        if self._count >= _MAX_HELD:
            return
        queue = self._queues.setdefault(gate, FairQueue())
        queue.put(f"{timer.account}/{workflow}", timer)
        self._count += 1
        self._gates.make(gate, self._clock.now_ms()).waiting = len(queue)
        self.wake()

    def next_at_ms(self) -> int | None:
        """Return when somebody may pass next, as far as that is known."""
        return self._next_ms

    async def stop(self) -> None:
        """End."""
        self._alarm.stop()
        await super().stop()

    def _tell(self, gate: str) -> None:
        if gate in self._queues:
            self.wake()

    async def _turn(self) -> bool:
        instants: list[int] = []
        is_more = False
        for name in [*self._queues]:
            queue = self._queues[name]
            until_ms = self._admit(name, queue)
            if until_ms is not None:
                instants.append(until_ms)
            elif queue:
                is_more = True
            if not queue:
                del self._queues[name]
        self._next_ms = min(instants, default=None)
        self._alarm.set(self._next_ms)
        return is_more

    def _admit(self, name: str, queue: FairQueue[Timer]) -> int | None:
        """Let in whom there is room for; return when there is for the next, None if that is now."""
        now_ms = self._clock.now_ms()
        gate = self._gates.make(name, now_ms)
        for _ in range(_ADMITTED_PER_TURN):
            if parked := gate.refusal(now_ms):
                return parked.until_ms
            timer = queue.take()
            if timer is None:
                break
            self._count -= 1
            gate.waiting = len(queue)
            # One that is due asks for itself.
            if timer.due_ms > now_ms:
                gate.admit(Caller(timer.execution_id, timer.path), now_ms)
                self._on_room(timer)
        return None


def asks_at_ms(until_ms: int, parked_at_ms: int | None, now_ms: int, seed: str) -> int:
    """
    Return when a parked step asks by itself, should nobody let it in.

    The longer it has waited, the later; and not all at once.
    """
    waited_ms = min(now_ms - (parked_at_ms or now_ms), _LONGEST_MS)
    spread = int(digest([seed])[:8], 16) / 2**32
    return max(until_ms, now_ms) + round(max(_SOONEST_MS, waited_ms) * (1 + spread))
