"""
The gate before a vendor, which all calls by one connection go through.

Who may not pass is *parked*: its attempt is not made and does not count. Whoever
parks is told when to ask again, and may be let in earlier, in turn.

    enter ──▶ passes ──▶ the call ──▶ leave, with what came of it
      └─────▶ parked ──▶ admit (somebody left, or the time has come) ──▶ enter
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncue.core.limits.allowance import allowances
from oncue.core.limits.budget import Budget
from oncue.core.limits.circuit import Circuit

# Whoever was admitted and has not come by then was cancelled meanwhile.
ADMITTED_FOR_MS: Final = 10_000
# After a time without answers a vendor gets few calls at first, and one more for each answer.
_FIRST_ROOM: Final = 4
_ENOUGH_ROOM: Final = 256
_ASK_AGAIN_MS: Final = 1_000
MAX_GATES: Final = 10_000


class Reason(StrEnum):
    """Why a call may not pass."""

    LIMIT = "the vendor takes no more calls now"
    """Its rate limit is used up."""
    OUTAGE = "the vendor does not answer"
    """The calls before met no answer, so one at a time tries."""
    TURN = "others were first"
    """They wait for the same vendor."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A call may not pass; it asks again at an instant, unless it is let in before."""

    reason: Reason
    until_ms: int


@dataclass(frozen=True, slots=True)
class Caller:
    """The step that calls."""

    execution_id: str
    path: str


class Gate:
    """One vendor, as one connection meets it."""

    def __init__(self) -> None:
        self.budget = Budget()
        self.circuit = Circuit()
        self.waiting = 0
        """How many are parked here."""
        self._in_flight = 0
        self._room: int | None = None
        self._admitted: dict[Caller, int] = {}

    def enter(self, caller: Caller, now_ms: int, *, is_patient: bool) -> Parked | None:
        """Let a call pass and count it, or say why not; one that is not patient meets no circuit."""
        if self._admitted.pop(caller, None) is not None:
            return None
        refusal = self.refusal(now_ms, is_patient=is_patient)
        if refusal is None and self.waiting and is_patient:
            refusal = Parked(Reason.TURN, now_ms + _ASK_AGAIN_MS)
        if refusal is None:
            self._begin(now_ms)
        return refusal

    def refusal(self, now_ms: int, *, is_patient: bool = True) -> Parked | None:
        """Return why nobody may pass now, if nobody may."""
        self._forget_lost(now_ms)
        if is_patient:
            answers_at_ms = self.circuit.next_at_ms(now_ms)
            if answers_at_ms > now_ms:
                return Parked(Reason.OUTAGE, answers_at_ms)
            if self._room is not None and self._in_flight >= self._room:
                return Parked(Reason.OUTAGE, now_ms + _ASK_AGAIN_MS)
        free_at_ms = self.budget.next_at_ms(now_ms)
        return Parked(Reason.LIMIT, free_at_ms) if free_at_ms > now_ms else None

    def admit(self, caller: Caller, now_ms: int) -> None:
        """Count one that is parked, and let it pass when it comes."""
        self._begin(now_ms)
        self._admitted[caller] = now_ms + ADMITTED_FOR_MS

    def state(self, now_ms: int) -> str:
        """Return `open` where the vendor does not answer, `limited` where it slows us down, or `ok`."""
        if self.circuit.open_until_ms is not None:
            return "open"
        return "limited" if self.waiting or self.budget.is_slow(now_ms) else "ok"

    def hear(self, headers: Mapping[str, str], now_ms: int) -> None:
        """Take in what an answer tells of the budget."""
        self.budget.hear(allowances(headers, now_ms), max(0, self._in_flight - 1), now_ms)

    def leave(self) -> None:
        """Count a call that has ended."""
        self._in_flight -= 1

    def answer(self) -> None:
        """Take in that the vendor answered a call."""
        if self.circuit.answer():
            self._room = _FIRST_ROOM
        elif self._room is not None:
            self._room = self._room + 1 if self._room < _ENOUGH_ROOM else None

    def is_free(self, now_ms: int) -> bool:
        """Return whether it holds nothing that anybody would miss."""
        return (
            self.budget.is_free(now_ms)
            and self.circuit.is_free
            and not (self.waiting or self._in_flight or self._admitted)
        )

    def _begin(self, now_ms: int) -> None:
        self.budget.take(now_ms)
        self.circuit.take(now_ms)
        self._in_flight += 1

    def _forget_lost(self, now_ms: int) -> None:
        lost = [caller for caller, until_ms in self._admitted.items() if until_ms <= now_ms]
        for caller in lost:
            del self._admitted[caller]
            self._in_flight -= 1


def _nobody(_: str) -> None:
    pass


class Gates:
    """The gates of all accounts; one that knows nothing is not there."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}
        self.on_room: Callable[[str], None] = _nobody
        """Told the name of a gate when somebody who is parked there might pass."""

    def get(self, name: str) -> Gate | None:
        """Return a gate, if one is there."""
        return self._gates.get(name)

    def make(self, name: str, now_ms: int) -> Gate:
        """Return a gate, now there."""
        gate = self._gates.get(name)
        if gate is None:
            if len(self._gates) >= MAX_GATES:
                self._sweep(now_ms)
            gate = self._gates[name] = Gate()
        return gate

    def items(self) -> list[tuple[str, Gate]]:
        """Return all that are there, by name."""
        return [*self._gates.items()]

    def _sweep(self, now_ms: int) -> None:
        kept = {name: gate for name, gate in self._gates.items() if not gate.is_free(now_ms)}
        # What the vendors told lately is learned again; those who wait are not forgotten.
        for name in [name for name, gate in kept.items() if not gate.waiting][: -MAX_GATES // 2]:
            del kept[name]
        self._gates = kept
