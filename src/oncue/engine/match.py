"""
The matcher: folds the log over the patterns, a run of records at a time.

Committed together: how far it read, the matches it found, and the executions
they start. After a crash it reads on from there; what it decides again has the
ids that it had before.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from oncue.core.event import Event
from oncue.core.ids import derived_id
from oncue.core.pattern.matcher import Match, Matcher
from oncue.engine.definitions import Definitions
from oncue.engine.loop import Loop
from oncue.engine.starts import Starts
from oncue.ports import Clock, EventLog, Journal, LogRecord, MatchRow, NewExecution, Trigger

# Bounds what one account keeps the others waiting.
RECORDS_PER_TURN = 512


@dataclass(slots=True)
class _Reading:
    """How far the log of an account was matched, and by which patterns."""

    cursor: int
    matcher: Matcher


class MatchLoop(Loop):
    """Matches the logs of all accounts, in turn."""

    def __init__(
        self,
        log: EventLog,
        journal: Journal,
        definitions: Definitions,
        starts: Starts,
        clock: Clock,
        on_started: Callable[[str, NewExecution], None],
    ) -> None:
        super().__init__("matcher", clock)
        self._log = log
        self._journal = journal
        self._definitions = definitions
        self._starts = starts
        self._on_started = on_started
        self._readings: dict[str, _Reading] = {}
        self._waiting: deque[str] = deque()

    async def recover(self, accounts: list[str]) -> None:
        """Take up each account where it was left."""
        cursors = await self._journal.cursors()
        for account in accounts:
            self._readings[account] = await self._reading(account, cursors.get(account, 0))
            self.notify(account)

    def notify(self, account: str) -> None:
        """Say that the log of an account has grown."""
        if account not in self._waiting:
            self._waiting.append(account)
        self.wake()

    async def _turn(self) -> bool:
        if not self._waiting:
            return False
        account = self._waiting.popleft()
        try:
            if account not in self._readings:
                self._readings[account] = await self._reading(account, 0)
            reading = self._readings[account]
            if reading.cursor < self._log.head(account):
                await self._read_on(account, reading)
        finally:
            # To the end of the queue, also after a failure: it holds up nobody else.
            cursor = self._readings[account].cursor if account in self._readings else 0
            if cursor < self._log.head(account):
                self._waiting.append(account)
        return bool(self._waiting)

    async def _reading(self, account: str, cursor: int) -> _Reading:
        matcher = Matcher()
        for pattern in await self._definitions.patterns_at(account, cursor):
            matcher.put(pattern)
        return _Reading(cursor, matcher)

    async def _read_on(self, account: str, reading: _Reading) -> None:
        records = await self._log.read(account, reading.cursor, RECORDS_PER_TURN)
        rows: list[MatchRow] = []
        started: list[NewExecution] = []
        for record in records:
            for match in await self._fold(account, reading.matcher, record):
                new = await self._execution(account, match)
                rows.append(_row(match, new))
                if new:
                    started.append(new)
        cursor = records[-1].offset
        await self._journal.commit_matches(account, cursor, rows, started)
        reading.cursor = cursor
        for new in started:
            self._on_started(account, new)

    async def _fold(self, account: str, matcher: Matcher, record: LogRecord) -> list[Match]:
        if isinstance(record, Event):
            return list(matcher.match(record))
        pattern = await self._definitions.pattern(account, record.pattern_id, record.version)
        if pattern:
            matcher.put(pattern)
        else:
            matcher.drop(record.pattern_id)
        return []

    async def _execution(self, account: str, match: Match) -> NewExecution | None:
        if match.pattern.workflow_id is None:
            return None
        workflow = await self._definitions.current(account, match.pattern.workflow_id)
        if not workflow.is_enabled:
            return None
        event = match.events[-1]
        execution_id = derived_id("exe", match.time_ms, [match.id, workflow.id])
        start = await self._starts.start(
            account,
            execution_id,
            (workflow.id, workflow.version),
            event,
            match.view(),
            event.data,
        )
        return NewExecution(
            workflow_id=workflow.id,
            workflow=workflow.name,
            version=workflow.version,
            trigger=Trigger("match", event.id, event.offset, match.id, match.pattern.id),
            start=start,
        )


def _row(match: Match, new: NewExecution | None) -> MatchRow:
    return MatchRow(
        id=match.id,
        pattern_id=match.pattern.id,
        pattern_version=match.pattern.version,
        time_ms=match.time_ms,
        detected_at_ms=match.detected_at_ms,
        body=match.view(),
        execution_id=new.start.execution_id if new else None,
    )
