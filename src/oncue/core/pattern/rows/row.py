"""Rows as they are remembered, and the place from which an expression looks at them."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from oncue.core.json_text import Json

NEVER_MS: Final = 2**60
"""The time of a row that has none: behind all others, however long a match may take."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an event: the columns that the statement reads."""

    offset: int
    time_ms: int
    values: tuple[Json, ...]


class Taken(msgspec.Struct, frozen=True):
    """A row that a thread gave to a variable, behind the one before; `at` numbers it in the partition."""

    before: "Taken | None"
    at: int
    label: int
    is_excluded: bool


Registers: TypeAlias = tuple[object, ...]
"""What is kept of the rows of a thread for navigation and aggregates, one after the other."""


def path_of(last: Taken | None) -> list[Taken]:
    """Return the rows of a thread, first one first."""
    path: list[Taken] = []
    while last is not None:
        path.append(last)
        last = last.before
    path.reverse()
    return path


class Here(msgspec.Struct, gc=False):
    """One row as an expression inside of a navigation or an aggregate sees it."""

    row: Row
    at: int
    label: int | None
    number: int


class Spot:
    """
    From where a condition or a measure looks: rows of one partition, some of them a match.

    `rows[0]` has the number `first_at`; the match began at `start`, and `at` is the current row,
    `end` the last one that is known to belong to it. `registers` are those up to the current
    row, `final` those of the whole match. `shown` is the row that the result is about.
    """

    __slots__ = (
        "at",
        "end",
        "final",
        "first_at",
        "is_unmatched",
        "labels",
        "last",
        "number",
        "registers",
        "rows",
        "shown",
        "start",
    )

    def __init__(self, rows: Sequence[Row], first_at: int, start: int, number: int) -> None:
        self.rows = rows
        self.first_at = first_at
        self.start = self.shown = start
        self.number = number
        self.at = self.end = start - 1
        self.registers: Registers = ()
        self.final: Registers = ()
        self.last: Taken | None = None
        self.labels: dict[int, int] | None = None
        self.is_unmatched = False

    def row(self, at: int) -> Row | None:
        """Return a row by its number; None, if it is not there."""
        place = at - self.first_at
        return self.rows[place] if 0 <= place < len(self.rows) else None

    def label(self, at: int) -> int | None:
        """Return the variable that a row of the match went to."""
        if self.labels is not None:
            return self.labels.get(at)
        taken = self.last
        while taken is not None and taken.at > at:
            taken = taken.before
        return taken.label if taken is not None and taken.at == at else None
