"""
The rows of one partition, as they are remembered.

    first_at ·········· start ········ settled ·········· newest row
    looked back upon    may begin a    may yet get others
                        match          before them

Rows stay while a search may need them: those from `start` on, and as many before it as
expressions look back.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Remembered
from oncue.core.pattern.rows.attempt import Attempt, Known
from oncue.core.pattern.rows.plain import PlainAttempt
from oncue.core.pattern.rows.row import Row, Spot

AnyAttempt: TypeAlias = Attempt | PlainAttempt

STEPS_PER_ROW: Final = 200
MAX_STEPS: Final = 200_000
MAX_ROWS: Final = 10_000
FREE: Final = 2**62
"""
What a key may cost: each row brings so many steps of threads, which add up to a bound.
One search costs no more than that bound either, so that it can be begun anew after a restart.

Decided by counts in the order of the log alone. Where they are used up, the rows that
might have begun a match are passed over, and counted.
"""


class Partition(Remembered):
    """
    The rows of a key from the number `first_at` on.

    `start` is the first that may begin a match, `covered` the first that no match has,
    `number` counts matches, and `steps` is what the search may still cost. Rows before
    `settled` have their place; among the others another may yet come. Rows come in the order of
    time but for those of fast clocks; the last one before which such a row is has the number
    `ordered_from`. What was read back `is_resumed` when it is needed.
    """

    __slots__ = (
        "attempt",
        "covered",
        "first_at",
        "is_resumed",
        "known",
        "number",
        "ordered_from",
        "rows",
        "settled",
        "start",
        "steps",
    )

    def __init__(self) -> None:
        self.first_at = 0
        self.start = 0
        self.settled = 0
        self.covered = 0
        self.number = 0
        self.steps = 0
        self.rows: list[Row] = []
        self.ordered_from = 0
        self.attempt: AnyAttempt | None = None
        self.known: Known = {}
        self.is_resumed = True

    @property
    def end(self) -> int:
        """The number of the row that comes next."""
        return self.first_at + len(self.rows)

    @property
    def is_open(self) -> bool:
        """Whether a search is open."""
        return self.start < self.settled

    @property
    def open_since_ms(self) -> int | None:
        """The time of the row at which a search is open."""
        return self.rows[self.start - self.first_at].time_ms if self.start < self.settled else None

    @property
    def unsettled_ms(self) -> int | None:
        """The time of the earliest row that does not have its place yet."""
        place = self.settled - self.first_at
        return self.rows[place].time_ms if place < len(self.rows) else None

    def row(self, at: int) -> Row | None:
        """Return a row by its number; None, if it is not there."""
        place = at - self.first_at
        return self.rows[place] if 0 <= place < len(self.rows) else None

    def earliest_from(self, at: int) -> int | None:
        """Return the earliest time of the rows from a number on; None, if there are none."""
        rows, first_at = self.rows, self.first_at
        end = max(at, self.ordered_from) + 1
        return min((row.time_ms for row in rows[at - first_at : end - first_at]), default=None)

    def add(self, row: Row, rank: Callable[[Row], Any] | None) -> None:
        """Add a row; where rows have a rank, among those that have no place yet."""
        self.steps = min(self.steps + STEPS_PER_ROW, MAX_STEPS)
        if self.rows and self.rows[-1].time_ms > row.time_ms:
            self.ordered_from = self.end
        self.rows.append(row)
        if rank is None:
            self.settled = self.end
            return
        place = self.settled - self.first_at
        self.rows[place:] = sorted(
            self.rows[place:], key=lambda each: (each.time_ms, rank(each), each.offset)
        )

    def settle(self, now_ms: int) -> None:
        """Give rows from before an instant their place."""
        while (time_ms := self.unsettled_ms) is not None and time_ms < now_ms:
            self.settled += 1

    def spot(self, number: int) -> Spot:
        """Return from where a match that begins at `start` looks."""
        return Spot(self.rows, self.first_at, self.start, number)

    def move(self, start: int, before: int) -> None:
        """Let matches begin from a row on; `before` is how many rows before it are looked back upon."""
        self.attempt = None
        for at in range(self.start, start):
            self.known.pop(at, None)
        self.start = start
        keep = min(start, self.end) - before
        # Not at each row: what is let go of together costs but one copy of the rest.
        if 2 * (keep - self.first_at) > len(self.rows):
            self.rows = self.rows[keep - self.first_at :]
            self.first_at = keep


def dump(partition: Partition) -> Json:
    """Return a partition as plain data; its search is begun anew when it is read back."""
    rows: list[Json] = [[row.offset, row.time_ms, list(row.values)] for row in partition.rows]
    numbers = [partition.first_at, partition.start, partition.settled, partition.covered]
    return [*numbers, partition.number, partition.steps, rows]


def load(saved: Json) -> Partition:
    """Return the partition that `dump` wrote."""
    *numbers, rows = msgspec.convert(saved, tuple[int, int, int, int, int, int, list[Row]])
    partition = Partition()
    partition.first_at, partition.start, partition.settled, partition.covered = numbers[:4]
    partition.number, partition.steps = numbers[4:]
    partition.rows = rows
    falls = (n for n in range(len(rows) - 1, 0, -1) if rows[n - 1].time_ms > rows[n].time_ms)
    partition.ordered_from = partition.first_at + next(falls, 0)
    partition.is_resumed = False
    return partition
