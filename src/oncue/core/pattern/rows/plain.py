"""
The search where definitions look at a row and its neighbours alone: threads are but places.

Where a thread goes on does not depend on how it came there, so the places where it needs a
row are known beforehand. What is kept is, for each row, the places and from which thread
before each came:

    row     start   +1    +2
    places  A       A B   A B
    from    -       0 0   0 0

When a search has failed, that from the next row on soon stands at the same places after the
same row. From there on it is what the failed one was, and need not be gone through again.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from oncue.core.pattern.rows.attempt import Automaton, Known
from oncue.core.pattern.rows.program import Take
from oncue.core.pattern.rows.row import Row, Spot, Taken

_Place: TypeAlias = tuple[int, int]
"""A place of the program, and which thread before came there."""

_NONE: Final[Sequence[_Place]] = ()


class PlainAttempt:
    """A search that began at the row `start`; `next_at` is the row that it needs next."""

    __slots__ = (
        "_accepted",
        "_automaton",
        "_is_closed",
        "_known",
        "_onward",
        "_spot",
        "_tables",
        "dropped",
        "next_at",
        "start",
        "steps",
    )

    def __init__(self, automaton: Automaton, spot: Spot, known: Known) -> None:
        self._automaton = automaton
        self._spot = spot
        self._known = known
        self._is_closed = False
        self.start = self.next_at = spot.start
        self.dropped = 0
        assert automaton.onward is not None
        self._onward = automaton.onward
        places, accepts = self._onward[automaton.program.start]
        self._tables: list[list[_Place]] = [[(place, -1) for place in places]]
        self._accepted: tuple[int, int] | None = (0, -1) if accepts else None
        self.steps = 1

    @property
    def threads(self) -> Sequence[_Place]:
        """Those that may still come to a match."""
        return _NONE if self._is_closed else self._tables[-1]

    @property
    def has_match(self) -> bool:
        """Whether some thread came to a match."""
        return self._accepted is not None

    @property
    def best_at(self) -> int | None:
        """The last row of the best match; None, if there is none or it has no rows."""
        count = self._accepted[0] if self._accepted else 0
        return self.start + count - 1 if count else None

    @property
    def best(self) -> Taken | None:
        """The rows of the best match; None, if it has none."""
        assert self._accepted
        count, thread = self._accepted
        labels: list[Take] = []
        while count:
            count -= 1
            place, before = self._tables[count][thread]
            instruction = self._automaton.program.code[place]
            assert isinstance(instruction, Take)
            labels.append(instruction)
            thread = before
        taken: Taken | None = None
        for at, each in enumerate(reversed(labels), self.start):
            taken = Taken(taken, at, each.label, each.is_excluded)
        return taken

    def take(self, row: Row, max_threads: int, last_at: int | None) -> None:
        """Go on with the next row, whatever comes behind it."""
        del row, last_at
        code, fits, at = self._automaton.program.code, self._automaton.fits, self.next_at
        threads = self._tables[-1]
        self.next_at += 1
        self.steps += len(threads)
        following: list[_Place] = []
        seen: set[int] = set()
        for number, (place, _) in enumerate(threads):
            instruction = code[place]
            assert isinstance(instruction, Take)
            if not fits(self._spot, at, instruction.label, self._known):
                continue
            onward, accepts = self._onward[instruction.next_]
            for next_ in onward:
                if next_ not in seen:
                    seen.add(next_)
                    following.append((next_, number))
            if accepts:
                self._accepted = (len(self._tables), number)
                break
        if len(following) > max_threads:
            self.dropped += len(following) - max_threads
            del following[max_threads:]
        self._tables.append(following)

    def close(self) -> None:
        """Let no further row belong to the match."""
        self._is_closed = True

    def from_next_row(
        self, spot: Spot, max_threads: int, rows: Sequence[Row]
    ) -> "tuple[PlainAttempt, int]":
        """
        Return the search from the next row on, as far as this one came without a match.

        The number is how many steps that was.
        """
        later = PlainAttempt(self._automaton, spot, self._known)
        steps = 1
        for count, table in enumerate(self._tables[1:]):
            if later.has_match or not later.threads:
                break
            if _places(table) == _places(later._tables[-1]):
                later._go_on_as(self, count + 1)
                break
            if count + 2 < len(self._tables):
                steps += len(later.threads)
                later.take(rows[later.next_at - spot.first_at], max_threads, None)
        return later, steps

    def _go_on_as(self, other: "PlainAttempt", count: int) -> None:
        """Take over what another search did after so many rows of its own."""
        gone = other._tables[count:-1]
        self.steps += sum(map(len, gone))
        self._tables += other._tables[count + 1 :]
        self.next_at = other.next_at


def _places(table: Sequence[_Place]) -> list[int]:
    return [place for place, _ in table]
