"""
The matcher: folds the log of an account over its patterns.

The same records in the same order give the same findings, whatever the batches
they come in. For each record, first what its arrival reveals to be due is done,
then the event is shown to the patterns that the index finds. What one record
completes is found in the order of the patterns' ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.event import Event
from oncue.core.pattern.agenda import Agenda
from oncue.core.pattern.event_time import EventTime
from oncue.core.pattern.index import PatternIndex
from oncue.core.pattern.keyed import KeyBudget
from oncue.core.pattern.memory import Memory
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.records import LogRecord, Passed, Redriven
from oncue.core.pattern.selection import EVERYTHING, Seen
from oncue.core.pattern.watch import NO_LIMIT, Finding, Watch

_AT_ONCE_MS: Final = 1_000
"""So much of event time is taken at once, whatever is due in it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A pattern raised an exception on a record; the key it was about is as it was before."""

    pattern: ActivePattern
    offset: int
    at_ms: int
    reason: str
    event: Event | None
    """What it was shown; None where time alone made it fail."""
    in_row: int
    """How many records in a row it has failed on by now."""


class Matcher:
    """The patterns of one account, and what they remember."""

    def __init__(self, time: EventTime | None = None, max_keys: int = NO_LIMIT) -> None:
        self.time = time or EventTime()
        self._budget = KeyBudget(max_keys)
        self.watches: dict[str, Watch] = {}
        self.index = PatternIndex()
        self.is_timed = False
        self.agenda = Agenda(self.time)
        self._failures: list[Failure] = []

    def put(self, pattern: ActivePattern, began_ms: int) -> Watch:
        """Let `pattern` see what follows; what an earlier version of the same state knew, it knows."""
        before = self.watches.get(pattern.id)
        if before and before.pattern.state_version == pattern.state_version:
            memory = before.memory.under(pattern.plan)
            watch = Watch(pattern, before.began_ms, self.time, memory)
        else:
            watch = Watch(pattern, began_ms, self.time, Memory(pattern.plan))
            watch.begin()
        self.take_up(watch)
        return watch

    def take_up(self, watch: Watch) -> None:
        """Let a pattern of this event time go on from what it knows, in place of its earlier version."""
        pattern = watch.pattern
        self._forget(pattern.id)
        self.watches[pattern.id] = watch
        watch.count_in(self._budget)
        shown = (EVERYTHING,) if pattern.plan.looking.sees_all else ()
        self.index.put(pattern.id, (*pattern.plan.looking.selections, *shown))
        self.agenda.set(watch)
        self._update()

    def drop(self, pattern_id: str) -> None:
        """Let the pattern see nothing more."""
        if pattern_id in self.watches:
            self._forget(pattern_id)
            self.index.drop(pattern_id)
            self._update()

    def fold(self, record: LogRecord) -> list[Finding]:
        """Return what a record completes."""
        found: list[Finding] = []
        if self.is_timed:
            _read(self.time, record)
            if self.agenda.has_due:
                for due in self._fire(record):
                    found += due
        if isinstance(record, Event):
            self._show(record, found)
        elif isinstance(record, Redriven):
            self._show_again(record, found)
        return in_order(found)

    def reveal(self, record: LogRecord) -> Iterator[Sequence[Finding]]:
        """
        Yield what the arrival of a record reveals to be due, in parts that do not take long.

        What was yielded here is no more found by `fold`, which is to follow.
        """
        if self.is_timed:
            _read(self.time, record)
            if self.agenda.has_due:
                yield from self._fire(record)

    def take_failures(self) -> Sequence[Failure]:
        """Return what went wrong since this was asked last."""
        failures, self._failures = self._failures, []
        return failures

    def _show(self, event: Event, found: list[Finding]) -> None:
        seen = Seen(event)
        for slot, selectors in self.index.admitted(event, seen):
            watch = self.watches[slot]
            plan = watch.pattern.plan
            if plan.looking.sees_all:
                selectors &= (1 << len(plan.looking.selections)) - 1
            found += self._tell(watch, event, selectors, seen)
            if watch.has_deadlines:
                self.agenda.set(watch)

    def _show_again(self, record: Redriven, found: list[Finding]) -> None:
        watch, seen = self.watches.get(record.pattern_id), Seen(record.event)
        for slot, selectors in self.index.admitted(record.event, seen) if watch else ():
            if watch and slot == record.pattern_id:
                selectors &= (1 << len(watch.pattern.plan.looking.selections)) - 1
                found += self._tell(watch, record, selectors, seen)
                if watch.operator:
                    self.agenda.set(watch)

    def _fire(self, record: LogRecord) -> Iterator[Sequence[Finding]]:
        young: list[Watch] = []
        for due_ms, slot in self.agenda.due():
            watch = self.watches[slot]
            if due_ms > watch.watermark_ms + watch.pattern.plan.delay_ms:
                young.append(watch)
                continue
            failures = len(self._failures)
            for upto_ms in _instants(watch):
                yield self._tell(watch, record, 0, None, upto_ms)
                if len(self._failures) > failures:
                    break
            # What failed is not due again before something else of the pattern is.
            if watch.due_ms() != due_ms:
                self.agenda.set(watch)
        for watch in young:
            self.agenda.set(watch)

    def _tell(
        self, watch: Watch, record: LogRecord, selectors: int, seen: Seen | None, upto_ms: int = 0
    ) -> Sequence[Finding]:
        """Return what follows for a pattern from an event that is shown to it, or from time alone."""
        try:
            if seen is None:
                found = watch.advance(upto_ms)
            else:
                found = watch.take(seen.event, selectors, seen)
        except Exception as exc:  # noqa: BLE001 a bug in one pattern must not stop the others
            watch.failed_in_row += 1
            reason, event = f"{type(exc).__name__}: {exc}", seen.event if seen else None
            self._failures.append(
                Failure(
                    watch.pattern,
                    record.offset,
                    record.received_at_ms,
                    reason,
                    event,
                    watch.failed_in_row,
                )
            )
            return ()
        watch.failed_in_row = 0
        return found

    def _forget(self, pattern_id: str) -> None:
        self.agenda.forget(pattern_id)
        before = self.watches.pop(pattern_id, None)
        if before:
            before.count_in(KeyBudget(NO_LIMIT))

    def _update(self) -> None:
        self.is_timed = any(watch.pattern.plan.is_timed for watch in self.watches.values())


def _read(time: EventTime, record: LogRecord) -> None:
    time.read(record.received_at_ms)
    if isinstance(record, Event | Passed):
        time.saw(record.time_ms, record.received_at_ms)


def _instants(watch: Watch) -> Iterator[int]:
    """Yield up to where to advance: where much time has passed, one deadline after the other."""
    watermark, delay_ms, before = watch.watermark_ms, watch.pattern.plan.delay_ms, None
    while (due_ms := watch.due_ms()) is not None and due_ms != before:
        if due_ms - delay_ms + _AT_ONCE_MS >= watermark:
            break
        yield due_ms - delay_ms
        before = due_ms
    yield watermark


def in_order(found: list[Finding]) -> list[Finding]:
    """Return what one record completes in the order of the patterns."""
    if len(found) > 1:
        # Which pattern was asked first hangs on when it was put here, and on deadlines that
        # were put off since; a checkpoint knows neither.
        found.sort(key=_pattern_id)
    return found


def _pattern_id(finding: Finding) -> str:
    return finding.pattern.id
