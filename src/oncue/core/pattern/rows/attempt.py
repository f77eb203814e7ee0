"""
The search for a match that begins at one row: threads in the order of preference.

    threads ── next row ──▶ those that it fits, each at all places where it may go on
                             accept: this is the best so far; what is less preferred goes

It is decided when no thread is left: then the best so far, if there is one, is what a
search with backtracking would have found first (Thompson's construction, Pike's order).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.json_text import Json
from oncue.core.pattern.rows.program import Accept, Border, Onward, Program, Take, onward_from
from oncue.core.pattern.rows.registers import Memory
from oncue.core.pattern.rows.row import Registers, Row, Spot, Taken

Thread: TypeAlias = tuple[int, Registers, Taken | None]
"""A place of the program, what is kept of the rows taken, and these."""


Known: TypeAlias = dict[int, dict[int, bool]]
"""Whether a row meets the definitions that look at it and its neighbours alone, by variable."""

_NONE: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """The definition of a variable; `is_local`, if it depends on the row and its neighbours alone."""

    of: Callable[[Spot], Json]
    is_local: bool


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """
    A program with its conditions by variable; a variable without one takes any row.

    Where `merges`, threads of equal registers have the same future. `onward` is known where
    nothing but the row decides which threads go on. The first row of a match goes to one of the
    variables `first`, whose conditions are local; there are none where that is not known.
    """

    program: Program
    conditions: tuple[Condition | None, ...]
    memory: Memory
    merges: bool
    onward: Onward | None
    first: tuple[int, ...]

    def may_begin(self, spot: Spot, known: Known) -> bool:
        """Return whether the row at which a search begins may be the first of a match."""
        return not self.first or any(
            self.fits(spot, spot.start, each, known) for each in self.first
        )

    def fits(self, spot: Spot, at: int, label: int, known: Known) -> bool:
        """Return whether a row meets the condition of a variable, which is local."""
        condition = self.conditions[label]
        if condition is None:
            return True
        met = known.get(at)
        if met is None:
            met = known[at] = {}
        fits = met.get(label)
        if fits is None:
            spot.at = spot.end = at
            fits = met[label] = condition.of(spot) is True
        return fits


class Attempt:
    """A search that began at the row `start`; `next_at` is the row that it needs next."""

    __slots__ = (
        "_automaton",
        "_known",
        "_spot",
        "best",
        "dropped",
        "has_match",
        "next_at",
        "start",
        "steps",
        "threads",
    )

    def __init__(
        self,
        automaton: Automaton,
        spot: Spot,
        known: Known,
        last_at: int | None,
    ) -> None:
        self._automaton = automaton
        self._spot = spot
        self._known = known
        self.start = self.next_at = spot.start
        self.best: Taken | None = None
        self.has_match = False
        self.dropped = 0
        self.steps = 1
        self.threads: list[Thread] = []
        self._follow(
            (automaton.program.start, automaton.memory.begin(), None), self.threads, set(), last_at
        )

    @property
    def best_at(self) -> int | None:
        """The last row of the best match; None, if there is none or it has no rows."""
        return None if self.best is None else self.best.at

    def take(self, row: Row, max_threads: int, last_at: int | None) -> None:
        """Go on with the next row; `last_at` is the number of the partition's last one, if known."""
        automaton, spot = self._automaton, self._spot
        at = spot.at = spot.end = self.next_at
        self.next_at += 1
        self.steps += len(self.threads)
        following: list[Thread] = []
        seen: set[object] = set()
        for place, kept, taken in self.threads:
            instruction = automaton.program.code[place]
            assert isinstance(instruction, Take)
            label = instruction.label
            here = Taken(taken, at, label, instruction.is_excluded)
            after = automaton.memory.after(kept, spot, row, label)
            if self._fits(label, here, after) and self._follow(
                (instruction.next_, after, here), following, seen, last_at
            ):
                break
        if len(following) > max_threads:
            self.dropped += len(following) - max_threads
            del following[max_threads:]
        self.threads = following

    def close(self) -> None:
        """Let no further row belong to the match."""
        self.threads = []

    def _fits(self, label: int, here: Taken, after: Registers) -> bool:
        condition = self._automaton.conditions[label]
        if condition is None:
            return True
        spot = self._spot
        if condition.is_local:
            return self._automaton.fits(spot, here.at, label, self._known)
        spot.last, spot.registers, spot.final = here, after, after
        return condition.of(spot) is True

    def _follow(
        self, thread: Thread, following: list[Thread], seen: set[object], last_at: int | None
    ) -> bool:
        """Add a thread at all places where it needs a row; return whether it came to a match."""
        begin, kept, taken = thread
        code = self._automaton.program.code
        if not self._automaton.merges:
            seen = set()
        pending: list[tuple[int, frozenset[int]]] = [(begin, _NONE)]
        while pending:
            place, empty = pending.pop()
            # Without registers all threads are alike but for their place, and for the
            # repetitions around it that have taken no row.
            mark = (place, empty, kept) if kept or empty else place
            if mark in seen:
                continue
            seen.add(mark)
            match code[place]:
                case Take():
                    following.append((place, kept, taken))
                case Accept():
                    self.best, self.has_match = taken, True
                    return True
                case passed:
                    is_at_border = isinstance(passed, Border) and self._is_at(passed, last_at)
                    pending += onward_from(passed, empty, is_at_border=is_at_border)
        return False

    def _is_at(self, border: Border, last_at: int | None) -> bool:
        at = self.next_at
        return at == 0 if border.is_start else at - 1 == last_at
