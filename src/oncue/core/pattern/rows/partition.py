"""
The rows of one partition, and the search that goes over them, one start after the other.

    first_at ·············· start ································ newest row
    looked back upon    may begin a match, or belong to one

Rows stay while a search may need them: those from `start` on, and as many before it as
expressions look back. A search is decided once nothing more preferred can come: by a row
that breaks it, or when the time of a match has passed.
"""

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Remembered
from oncue.core.pattern.rows.attempt import Attempt, Automaton
from oncue.core.pattern.rows.references import Reach
from oncue.core.pattern.rows.row import Row, Spot, Taken, path_of
from oncue.core.sql.row_pattern.clause import SkipTo

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


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """
    What is searched for; `skip_mask` has the bits of the variable that the search goes on at.

    `rank` orders rows of one instant, where more than time does; `last_at` is the number of
    the last row of a partition that gets no more.
    """

    automaton: Automaton
    reach: Reach
    within_ms: int
    skip: SkipTo
    skip_mask: int
    max_threads: int
    needs_unmatched: bool
    rank: Callable[[Row], Any] | None = None
    last_at: int | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    A match, with the rows it took, or a row that belongs to none.

    `number` counts the matches of the partition, from 1.
    """

    spot: Spot
    path: tuple[Taken, ...]
    is_unmatched: bool = False


class Partition(Remembered):
    """
    The rows of a key from the number `first_at` on.

    `start` is the first that may begin a match, `covered` the first that no match has,
    `number` counts matches, and `steps` is what the search may still cost. Rows before
    `settled` have their place; among the others another may yet come. What was read back
    `is_resumed` when it is needed.
    """

    __slots__ = (
        "attempt",
        "covered",
        "first_at",
        "is_resumed",
        "known",
        "number",
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
        self.attempt: Attempt | None = None
        self.known: dict[tuple[int, int], bool] = {}
        self.is_resumed = True

    @property
    def end(self) -> int:
        """The number of the row that comes next."""
        return self.first_at + len(self.rows)

    @property
    def open_since_ms(self) -> int | None:
        """The time of the row at which a search is open."""
        return self.rows[self.start - self.first_at].time_ms if self.start < self.settled else None

    @property
    def unsettled_ms(self) -> int | None:
        """The time of the earliest row that does not have its place yet."""
        place = self.settled - self.first_at
        return self.rows[place].time_ms if place < len(self.rows) else None

    def add(self, row: Row, rank: Callable[[Row], Any] | None) -> None:
        """Add a row; where rows have a rank, among those that have no place yet."""
        self.steps = min(self.steps + STEPS_PER_ROW, MAX_STEPS)
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


class Searcher:
    """Goes over the rows of a partition; `counts` says what was left out."""

    def __init__(
        self, search: Search, partition: Partition, counts: MutableMapping[str, int]
    ) -> None:
        self._search = search
        self._partition = partition
        self._counts = counts

    def run(self, now_ms: int | None = None) -> Iterator[Outcome]:
        """Yield what is decided by the rows that are there, event time having come to `now_ms`."""
        partition, search = self._partition, self._search
        while (since_ms := partition.open_since_ms) is not None:
            deadline_ms = since_ms + search.within_ms
            is_over = now_ms is not None and now_ms >= deadline_ms
            attempt = partition.attempt or self._begin()
            is_over = self._go_on(attempt, deadline_ms, is_over=is_over) or is_over
            is_dear = min(partition.steps, MAX_STEPS - attempt.steps) <= 0
            if is_dear or partition.end - partition.start > MAX_ROWS:
                self._give_up()
                return
            if attempt.threads or not (is_over or self._is_seen(attempt)):
                return
            yield from self._decided(attempt)

    def resume(self) -> None:
        """Begin the open search anew, if the rows were read back; it cost what it cost before."""
        partition = self._partition
        if partition.is_resumed or partition.open_since_ms is None:
            return
        partition.is_resumed = True
        counts, self._counts = self._counts, {}
        steps, partition.steps = partition.steps, FREE
        deadline_ms = (partition.open_since_ms or 0) + self._search.within_ms
        self._go_on(self._begin(), deadline_ms, is_over=False)
        partition.steps = steps
        self._counts = counts

    def _begin(self) -> Attempt:
        partition = self._partition
        spot = Spot(partition.rows, partition.first_at, partition.start, partition.number + 1)
        attempt = Attempt(self._search.automaton, spot, partition.known, self._search.last_at)
        partition.attempt = attempt
        partition.steps -= 1
        return attempt

    def _go_on(self, attempt: Attempt, deadline_ms: int, *, is_over: bool) -> bool:
        """Show the search the rows that came; return whether one came at or after its deadline."""
        partition, search = self._partition, self._search
        ahead = 0 if is_over or search.last_at is not None else search.reach.after
        while attempt.threads and attempt.next_at < partition.settled - ahead:
            row = partition.rows[attempt.next_at - partition.first_at]
            if row.time_ms >= deadline_ms:
                attempt.close()
                return True
            partition.steps -= len(attempt.threads)
            if partition.steps <= 0 or attempt.steps > MAX_STEPS:
                return False
            attempt.take(row, search.max_threads, search.last_at)
            if attempt.dropped:
                self._count("partials_dropped", attempt.dropped)
                attempt.dropped = 0
        if is_over:
            attempt.close()
        return False

    def _is_seen(self, attempt: Attempt) -> bool:
        """Return whether the rows behind a match are there that its measures look at."""
        after = self._search.reach.after
        if not after or not attempt.has_match or self._search.last_at is not None:
            return True
        last = attempt.best.at if attempt.best else attempt.start
        return last + after < self._partition.settled

    def _decided(self, attempt: Attempt) -> Iterator[Outcome]:
        partition = self._partition
        start = partition.start
        partition.attempt = None
        if not attempt.has_match:
            if self._search.needs_unmatched and start >= partition.covered:
                yield Outcome(self._spot(), (), is_unmatched=True)
            self._move(start + 1)
            return
        path = tuple(path_of(attempt.best))
        partition.number += 1
        spot = self._spot()
        target = self._target(path, start)
        partition.covered = max(partition.covered, path[-1].at + 1 if path else start + 1)
        yield Outcome(spot, path)
        self._move(target)

    def _spot(self) -> Spot:
        partition = self._partition
        # The result is made before the rows are let go of.
        return Spot(partition.rows, partition.first_at, partition.start, partition.number)

    def _target(self, path: tuple[Taken, ...], start: int) -> int:
        search = self._search
        if not path or search.skip is SkipTo.NEXT_ROW:
            return start + 1
        if search.skip is SkipTo.PAST_LAST_ROW:
            return path[-1].at + 1
        rows = [taken.at for taken in path if search.skip_mask >> taken.label & 1]
        at = (rows[0] if search.skip is SkipTo.FIRST else rows[-1]) if rows else start
        if at > start:
            return at
        # A stream cannot stop at it, as a query does.
        self._count("skip_targets_missed", 1)
        return start + 1

    def _give_up(self) -> None:
        partition = self._partition
        self._count("starts_dropped", partition.settled - partition.start)
        self._move(partition.settled)

    def _move(self, start: int) -> None:
        partition = self._partition
        partition.attempt = None
        partition.start = start
        keep = min(start, partition.end) - self._search.reach.before
        # Not at each row: what is let go of together costs but one copy of the rest.
        if 2 * (keep - partition.first_at) > len(partition.rows):
            partition.rows = partition.rows[keep - partition.first_at :]
            partition.first_at = keep
        if len(partition.known) > MAX_ROWS:
            partition.known.clear()

    def _count(self, reason: str, count: int) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + count


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
    partition.is_resumed = False
    return partition
