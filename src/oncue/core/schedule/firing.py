"""
What a schedule does now: which of its ticks fire, and which were missed.

A tick that could not fire within a minute of its instant is missed: OnCue did not
run, or its clock was set forward. Then the policy of the schedule says what
follows. Ticks are decided in their order, and each once: `next_ms` is the first
one that is undecided.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, takewhile
from typing import Final

from oncue.core.schedule.cron import Ticks

GRACE_MS: Final = 60_000
"""How late a tick may fire and be in time."""
MAX_CATCH_UP: Final = 1_000
"""Ticks of one schedule that are made up for; of more, the newest."""
MAX_MISSED: Final = 1_000
"""As far as missed ticks are counted."""
MAX_AT_ONCE: Final = 200
"""Ticks of one schedule that fire in one turn; the rest follows in the next."""


class Misfire(StrEnum):
    """What follows when ticks were missed."""

    SKIP = "skip"
    FIRE_ONCE = "fire_once"
    FIRE_ALL = "fire_all"


_MOST_THAT_FIRE: Final = {
    Misfire.SKIP: GRACE_MS // 1_000 + 1,
    Misfire.FIRE_ONCE: 1,
    Misfire.FIRE_ALL: MAX_CATCH_UP,
}


@dataclass(frozen=True, slots=True)
class Firing:
    """What is decided: `ticks` fire, `missed` before them never do, `next_ms` is undecided."""

    ticks: tuple[int, ...]
    missed: int
    next_ms: int | None


def plan_firing(ticks: Ticks, next_ms: int, now_ms: int, misfire: Misfire) -> Firing:
    """Return what follows of the ticks from `next_ms` up to now."""
    newest = takewhile(lambda tick: tick >= next_ms, ticks.upto(now_ms))
    due = (*islice(newest, MAX_MISSED + _MOST_THAT_FIRE[misfire]),)[::-1]
    firing = _of_due(due, now_ms, misfire)
    missed = min(len(due) - len(firing), MAX_MISSED)
    if len(firing) > MAX_AT_ONCE:
        return Firing(firing[:MAX_AT_ONCE], missed, firing[MAX_AT_ONCE])
    return Firing(firing, missed, next(ticks.after(now_ms), None))


def upcoming(ticks: Ticks, next_ms: int | None, count: int) -> list[int]:
    """Return the next ticks from `next_ms` on."""
    if next_ms is None:
        return []
    later: Iterator[int] = ticks.after(next_ms)
    return [next_ms, *islice(later, count - 1)]


def _of_due(due: tuple[int, ...], now_ms: int, misfire: Misfire) -> tuple[int, ...]:
    in_time = tuple(tick for tick in due if now_ms - tick <= GRACE_MS)
    if len(in_time) == len(due) or misfire is Misfire.SKIP:
        return in_time
    return due[-1:] if misfire is Misfire.FIRE_ONCE else due[-MAX_CATCH_UP:]
