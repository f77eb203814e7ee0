"""
The search that goes over the rows of a partition, one start after the other.

A search is decided once nothing more preferred can come: by a row that breaks it, or when
the time of a match has passed.
"""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncue.core.pattern.rows.attempt import Attempt, Automaton
from oncue.core.pattern.rows.partition import FREE, MAX_ROWS, MAX_STEPS, AnyAttempt, Partition
from oncue.core.pattern.rows.plain import PlainAttempt
from oncue.core.pattern.rows.references import Reach
from oncue.core.pattern.rows.row import Row, Spot, Taken, path_of
from oncue.core.sql.row_pattern.clause import SkipTo


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """
    What is searched for; `skip_mask` has the bits of the variable that the search goes on at.

    `rank` orders rows of one instant, where more than time does; `last_at` is the number of
    the last row of a partition that gets no more; a match that has rows has `least` of them.
    """

    automaton: Automaton
    reach: Reach
    within_ms: int
    skip: SkipTo
    skip_mask: int
    max_threads: int
    needs_unmatched: bool
    rank: Callable[[Row], Any] | None = None
    last_at: int | None = None
    least: int = 1

    def target(self, path: Sequence[Taken], start: int) -> int | None:
        """Return where a match after one may begin; None, if that is nowhere behind its first row."""
        if not path or self.skip is SkipTo.NEXT_ROW:
            return start + 1
        if self.skip is SkipTo.PAST_LAST_ROW:
            return path[-1].at + 1
        rows = [taken.at for taken in path if self.skip_mask >> taken.label & 1]
        at = (rows[0] if self.skip is SkipTo.FIRST else rows[-1]) if rows else start
        return at if at > start else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    A match, with the rows it took, or a row that belongs to none.

    `number` counts the matches of the partition, from 1.
    """

    spot: Spot
    path: tuple[Taken, ...]
    is_unmatched: bool = False


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
            if attempt is None:
                yield from self._passed_over()
                continue
            is_over = self._go_on(attempt, deadline_ms, is_over=is_over) or is_over
            if search.last_at is None and _is_dear(attempt, partition):
                self._give_up()
                return
            if attempt.threads or not (is_over or self._is_seen(attempt)):
                return
            yield from self._decided(attempt)

    def resume(self) -> None:
        """Begin the open search anew, if the rows were read back; it cost what it cost before."""
        partition = self._partition
        partition.is_resumed = True
        if not partition.is_open:
            return
        counts, self._counts = self._counts, {}
        steps, partition.steps = partition.steps, FREE
        deadline_ms = (partition.open_since_ms or 0) + self._search.within_ms
        if attempt := self._begin():
            self._go_on(attempt, deadline_ms, is_over=False)
        partition.steps = steps
        self._counts = counts

    def _begin(self) -> "AnyAttempt | None":
        """Begin a search at the first row that is open; None, if no match begins with it."""
        partition = self._partition
        spot = partition.spot(partition.number + 1)
        automaton = self._search.automaton
        partition.steps -= 1
        if not automaton.may_begin(spot, partition.known):
            return None
        attempt: AnyAttempt = (
            PlainAttempt(automaton, spot, partition.known)
            if automaton.onward is not None
            else Attempt(automaton, spot, partition.known, self._search.last_at)
        )
        partition.attempt = attempt
        return attempt

    def _go_on(self, attempt: AnyAttempt, deadline_ms: int, *, is_over: bool) -> bool:
        """Show the search the rows that came; return whether one came at or after its deadline."""
        partition, search = self._partition, self._search
        is_stream = search.last_at is None
        ahead = search.reach.after if is_stream and not is_over else 0
        while attempt.threads and attempt.next_at < partition.settled - ahead:
            row = partition.rows[attempt.next_at - partition.first_at]
            if row.time_ms >= deadline_ms:
                attempt.close()
                return True
            partition.steps -= len(attempt.threads)
            if is_stream and (partition.steps <= 0 or attempt.steps > MAX_STEPS):
                return False
            attempt.take(row, search.max_threads, search.last_at)
            self._count_dropped(attempt)
        if is_over:
            attempt.close()
        return False

    def _is_seen(self, attempt: AnyAttempt) -> bool:
        """Return whether the rows behind a match are there that its measures look at."""
        after = self._search.reach.after
        if not after or not attempt.has_match or self._search.last_at is not None:
            return True
        last = attempt.best.at if attempt.best else attempt.start
        return last + after < self._partition.settled

    def _decided(self, attempt: AnyAttempt) -> Iterator[Outcome]:
        partition, search = self._partition, self._search
        start = partition.start
        partition.attempt = None
        if not attempt.has_match:
            yield from self._unmatched()
            self._fail(attempt, start)
            return
        path = tuple(path_of(attempt.best))
        partition.number += 1
        spot = partition.spot(partition.number)
        target = search.target(path, start)
        if target is None:
            # A stream cannot stop at it, as a query does.
            self._count("skip_targets_missed", 1)
            target = start + 1
        partition.covered = max(partition.covered, path[-1].at + 1 if path else start + 1)
        yield Outcome(spot, path)
        partition.move(target, search.reach.before)

    def _passed_over(self) -> Iterator[Outcome]:
        yield from self._unmatched()
        self._partition.move(self._partition.start + 1, self._search.reach.before)

    def _unmatched(self) -> Iterator[Outcome]:
        partition = self._partition
        if self._search.needs_unmatched and partition.start >= partition.covered:
            yield Outcome(partition.spot(partition.number), (), is_unmatched=True)

    def _fail(self, attempt: AnyAttempt, start: int) -> None:
        """Go on with the next row; what the search that failed knows of those behind it, it keeps."""
        partition, search = self._partition, self._search
        first, second = partition.row(start), partition.row(start + 1)
        partition.move(start + 1, search.reach.before)
        if not isinstance(attempt, PlainAttempt) or second is None or attempt.next_at <= start + 1:
            return
        # Else the time of the later search is over sooner, and it may not have all those rows.
        if first is not None and second.time_ms >= first.time_ms:
            spot = partition.spot(partition.number + 1)
            partition.attempt, cost = attempt.from_next_row(
                spot, search.max_threads, partition.rows
            )
            partition.steps -= cost
            self._count_dropped(partition.attempt)

    def _give_up(self) -> None:
        partition = self._partition
        self._count("starts_dropped", partition.settled - partition.start)
        partition.move(partition.settled, self._search.reach.before)

    def _count_dropped(self, attempt: AnyAttempt) -> None:
        if attempt.dropped:
            self._count("partials_dropped", attempt.dropped)
            attempt.dropped = 0

    def _count(self, reason: str, count: int) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + count


def _is_dear(attempt: AnyAttempt, partition: Partition) -> bool:
    """Return whether a search costs more than a stream may spend on it."""
    is_spent = partition.steps <= 0 or attempt.steps >= MAX_STEPS
    return is_spent or partition.end - partition.start > MAX_ROWS
