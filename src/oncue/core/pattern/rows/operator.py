"""The operator of row patterns: the rows of each key, and when each search is over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oncue.core.event import Event
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.operator import Arrival, Hit, Note
from oncue.core.pattern.rows.output import Output
from oncue.core.pattern.rows.partition import Partition, dump, load
from oncue.core.pattern.rows.row import Row
from oncue.core.pattern.rows.searcher import Outcome, Search, Searcher
from oncue.core.pattern.sequence.keyed_operator import KeyedOperator


@dataclass(frozen=True, slots=True, eq=False)
class RowPlan:
    """A compiled row pattern, and what it keeps of an event."""

    search: Search
    output: Output
    values: Callable[[Event], tuple[Json, ...]] = field(repr=False)

    def row(self, event: Event) -> Row:
        """Return what is kept of an event."""
        return Row(event.offset, event.time_ms, self.values(event))


class RowOperator(KeyedOperator[Partition]):
    """The state of a row pattern: partitions by key."""

    def __init__(self, plan: RowPlan, limits: Limits) -> None:
        super().__init__(Keyed(limits.max_keys, limits.key_ttl, dump, load))
        self._plan = plan
        self._search = plan.search

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event, and return the rows of the matches that it decides."""
        hits = self._plan.output.hits
        return [hit for outcome in self.take(arrival) for hit in hits(arrival.key, outcome)]

    def take(self, arrival: Arrival) -> Sequence[Outcome]:
        """Take an event, and return the matches that it decides."""
        self.last_note = Note.IGNORED
        row = self._plan.row(arrival.event)
        key = arrival.key
        partition = self._edited(key) or Partition()
        is_open = partition.is_open
        partition.add(row, self._search.rank)
        partition.settle(arrival.watermark_ms)
        outcomes = self._run(partition, None)
        if partition.is_open:
            self.last_note = Note.ADVANCED if is_open else Note.STARTED
        self._keep(key, partition, max(row.time_ms, arrival.watermark_ms))
        return outcomes

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield what is due: all deadlines up to the watermark, in the order of (deadline, key)."""
        for key, outcome in self.pass_time(watermark_ms):
            yield from self._plan.output.hits(key, outcome)

    def pass_time(self, watermark_ms: int) -> Iterator[tuple[str, Outcome]]:
        """Yield the matches that are decided by time alone, each with its key."""
        for at_ms, key in self._due.until(watermark_ms):
            self._forget_expired(at_ms)
            partition = self._edited(key)
            if partition is None:
                continue
            partition.settle(at_ms)
            outcomes = self._run(partition, at_ms)
            self._keep(key, partition, None)
            yield from ((key, outcome) for outcome in outcomes)
        self._forget_expired(watermark_ms)

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin at an instant of event time: nothing is known before the first row."""

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is remembered of a key, in the terms of people."""
        partition = self._keys.get(key)
        if partition is None or partition.open_since_ms is None:
            return {"state": "no row is open: the next one may begin a match"}
        since_ms = partition.open_since_ms
        return {
            "state": "rows are open until one decides them, or their time has passed",
            "rows": partition.end - partition.start,
            "matches": partition.number,
            "since": format_instant(since_ms),
            "until": format_instant(since_ms + self._search.within_ms),
        }

    def restored(self) -> None:
        """Make what is derived from the states, after these were read back."""
        for key, partition in self._keys.items():
            self._due.set(key, self._due_at(partition))

    def _edited(self, key: str) -> Partition | None:
        partition = self._keys.edit(key)
        if partition is not None and not partition.is_resumed:
            Searcher(self._search, partition, self.counts).resume()
        return partition

    def _run(self, partition: Partition, now_ms: int | None) -> list[Outcome]:
        return list(Searcher(self._search, partition, self.counts).run(now_ms))

    def _keep(self, key: str, partition: Partition, used_ms: int | None) -> None:
        self._remember(key, partition, self._due_at(partition), used_ms)

    def _due_at(self, partition: Partition) -> int | None:
        since_ms, unsettled_ms = partition.open_since_ms, partition.unsettled_ms
        over_ms = None if since_ms is None else since_ms + self._search.within_ms
        if unsettled_ms is None:
            return over_ms
        return unsettled_ms + 1 if over_ms is None else min(over_ms, unsettled_ms + 1)
