"""
How far the log of an account was matched, and by which patterns.

State is a fold of the log, so it is rebuilt from the last checkpoint and what
the log holds since then. What was decided before, up to the committed cursor,
is found again on the way and left alone.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from oncue.core.event import Event
from oncue.core.pattern.event_time import EventTime
from oncue.core.pattern.matcher import Failure, Matcher, in_order
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.records import Change, LogRecord, Redriven
from oncue.core.pattern.saving import UNFIT, Part, Save, restore
from oncue.core.pattern.watch import Finding, Watch
from oncue.engine.active_patterns import ActivePatterns
from oncue.ports import Checkpoints, EventLog, Journal, Mark

_log = logging.getLogger(__name__)

# What is committed together; within it, whoever else has something to do comes in between.
RECORDS_PER_TURN = 1_024
FINDINGS_PER_TURN = 256
_RECORDS_IN_A_ROW = 32
_KEYS_PER_PART = 1_000
_AT_A_STRETCH_S = 0.005


@dataclass(slots=True)
class Decided:
    """What a stretch of the log came to: findings with the record that revealed each."""

    findings: list[tuple[LogRecord, Finding]] = field(default_factory=list)
    events: dict[int, Event] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """
    One account: `cursor` is how far it was folded, `committed` how far it was decided.

    `unsaved` counts the records since the last checkpoint.
    """

    cursor: int
    committed: int
    matcher: Matcher
    unsaved: int = 0
    has_save: bool = False

    @property
    def is_stateful(self) -> bool:
        """Whether there is anything to remember."""
        return any(watch.pattern.plan.is_stateful for watch in self.matcher.watches.values())


class Readings:
    """Takes up accounts where they were left, and reads on in their logs."""

    def __init__(
        self,
        log: EventLog,
        journal: Journal,
        checkpoints: Checkpoints,
        patterns: ActivePatterns,
        max_keys: int,
    ) -> None:
        self._max_keys = max_keys
        self._log = log
        self._journal = journal
        self._checkpoints = checkpoints
        self._patterns = patterns

    async def take_up(self, account: str) -> Reading:
        """Return the account as it was at its last checkpoint, or as it was when its state began."""
        committed = (await self._journal.cursors()).get(account, 0)
        reading = await self._saved(account, committed)
        if reading is not None:
            return reading
        begins = await self._patterns.state_begins(account, committed)
        # The record with which the first of them began is read again, too.
        cursor = min(begins, default=committed + 1) - 1
        mark = await self._log.past.mark(account, cursor)
        matcher = Matcher(event_time(mark), self._max_keys)
        for pattern in await self._patterns.at(account, cursor):
            matcher.put(pattern, matcher.time.last_received_ms)
        return Reading(cursor, committed, matcher)

    async def _saved(self, account: str, committed: int) -> Reading | None:
        """Return the account as it was at its newest checkpoint that can be taken up."""
        upto = committed
        while found := await self._checkpoints.load(account, upto):
            head, parts = found
            active = await self._patterns.at(account, head.offset)
            try:
                matcher = restore(head, parts, active, self._max_keys)
            except UNFIT:
                # What it holds, an earlier one and the log know, too.
                _log.exception("checkpoint %d of %s is passed over", head.offset, account)
                upto = head.offset - 1
            else:
                return Reading(head.offset, committed, matcher, has_save=True)
        return None

    async def read_on(self, account: str, reading: Reading) -> Decided:
        """Fold what follows, up to a change or what fits into a turn, and return what it came to."""
        matcher = reading.matcher
        stretch = await self._log.stretch(
            account,
            reading.cursor,
            RECORDS_PER_TURN,
            matcher.index.globs,
            in_passing=matcher.is_timed,
        )
        decided, cursor = Decided(), stretch.upto
        for place, record in enumerate(stretch.records, 1):
            if place % _RECORDS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            found = await _fold(matcher, record)
            if isinstance(record, Event):
                decided.events[record.offset] = record
            elif isinstance(record, Redriven):
                decided.events[record.event.offset] = record.event
            if record.offset > reading.committed:
                decided.findings += ((record, finding) for finding in found)
            if isinstance(record, Change):
                await self._change(account, reading, record)
            # After a change other types may be watched: what follows is read anew.
            if isinstance(record, Change) or len(decided.findings) >= FINDINGS_PER_TURN:
                cursor = record.offset
                break
        decided.failures += (
            one for one in matcher.take_failures() if one.offset > reading.committed
        )
        reading.unsaved += cursor - reading.cursor
        reading.cursor = cursor
        return decided

    async def save(self, account: str, reading: Reading) -> None:
        """Return when all that is remembered now is written down; matching goes on meanwhile."""
        save = Save(reading.matcher, reading.cursor)
        reading.unsaved = 0
        try:
            await self._checkpoints.write(account, save.head, _parts(save))
            reading.has_save = True
        finally:
            save.stop()

    async def _change(self, account: str, reading: Reading, change: Change) -> None:
        pattern = await self._patterns.version(account, change.pattern_id, change.version)
        matcher = reading.matcher
        if pattern is None:
            matcher.drop(change.pattern_id)
            return
        if pattern.plan.is_timed and not matcher.is_timed:
            # As long as nobody cared, nobody looked.
            mark = await self._log.past.mark(account, change.offset)
            if mark:
                matcher.time.saw(mark.newest_ms, mark.last_received_ms)
        known = matcher.watches.get(pattern.id)
        is_fresh = known is None or known.pattern.state_version != pattern.state_version
        if is_fresh and pattern.plan.backfill_ms and pattern.plan.is_stateful:
            matcher.take_up(await self._backfilled(account, matcher, pattern, change))
        else:
            matcher.put(pattern, change.received_at_ms)

    async def _backfilled(
        self, account: str, matcher: Matcher, pattern: ActivePattern, change: Change
    ) -> Watch:
        """Return a pattern that remembers what it would if it had begun earlier."""
        since_ms = change.received_at_ms - pattern.plan.backfill_ms
        cursor = await self._log.past.offset_before(account, since_ms)
        past = Matcher(event_time(await self._log.past.mark(account, cursor)))
        past.put(pattern, since_ms)
        while cursor < change.offset:
            stretch = await self._log.stretch(
                account, cursor, RECORDS_PER_TURN, past.index.globs, in_passing=True
            )
            for record in stretch.records:
                if record.offset < change.offset:
                    past.fold(record)
            cursor = stretch.upto
        memory = past.watches[pattern.id].memory
        return Watch(pattern, since_ms, matcher.time, memory)


def event_time(mark: Mark | None) -> EventTime:
    """Return the event time of an account that was read so far."""
    time = EventTime()
    if mark:
        time.saw(mark.newest_ms, mark.last_received_ms)
    return time


async def _fold(matcher: Matcher, record: LogRecord) -> list[Finding]:
    """Return what a record completes; others come in between where it reveals much."""
    loop = asyncio.get_running_loop()
    revealed: list[Finding] = []
    since = loop.time()
    for due in matcher.reveal(record):
        revealed += due
        if loop.time() - since > _AT_A_STRETCH_S:
            await asyncio.sleep(0)
            since = loop.time()
    found = matcher.fold(record)
    return in_order([*revealed, *found]) if revealed else found


async def _parts(save: Save) -> AsyncIterator[Part]:
    while part := save.next_part(_KEYS_PER_PART):
        yield part
