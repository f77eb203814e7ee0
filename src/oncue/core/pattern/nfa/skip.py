"""
Where the next match may begin after a match: what is open and began before is dropped.

    no_skip            nothing is dropped
    skip_to_next       what began with the first event of the match, or before
    skip_past_last     what began with any event of the match, or before its last
    skip_to_first: b   what began before the first event of `b`
    skip_to_last: b    what began before the last event of `b`
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncue.core.pattern.nfa.partial import Taken, backwards

NOWHERE: Final = -1
"""The turn before which nothing is dropped."""


class Skip(StrEnum):
    """Where the next match may begin."""

    NO_SKIP = "no_skip"
    TO_NEXT = "skip_to_next"
    PAST_LAST = "skip_past_last"
    TO_FIRST = "skip_to_first"
    TO_LAST = "skip_to_last"


# Looked up as attributes of the enumeration they would cost 70 ns each.
_NO_SKIP: Final = Skip.NO_SKIP
_PAST_LAST: Final = Skip.PAST_LAST
_TO_NEXT: Final = Skip.TO_NEXT


class MissedTarget(Exception):
    """The step to skip to took no event, or the first one of the match."""


@dataclass(frozen=True, slots=True)
class AfterMatch:
    """What follows a match; with `is_strict` a target that is missed is an error, as in Flink."""

    skip: Skip
    step: int = -1
    is_strict: bool = False

    def floor(self, taken: Taken | None, start: int) -> int | None:
        """
        Return the turn before which what began is dropped; None if the step took no event.

        Raises:
            MissedTarget: the match has no such place, or skipping there changes nothing.
        """
        skip = self.skip
        if skip is _NO_SKIP or taken is None:
            return NOWHERE
        if skip is _PAST_LAST:
            return taken.turn + 1
        if skip is _TO_NEXT:
            return start + 1
        turns = [each.turn for each in backwards(taken) if each.step == self.step]
        if not turns:
            if self.is_strict:
                raise MissedTarget("expected the step to skip to in the match, got none of it")
            return None
        turn = turns[-1] if self.skip is Skip.TO_FIRST else turns[0]
        if self.is_strict and turn == start:
            raise MissedTarget("expected a place after the start to skip to, got the start")
        return turn
