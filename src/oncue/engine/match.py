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
from oncue.core.pattern.matcher import Match, Matcher, Misses
from oncue.core.pattern.records import Change, LogRecord
from oncue.engine.loop import Loop
from oncue.engine.outcomes import Outcomes, match_row
from oncue.engine.patterns import PatternDefinitions
from oncue.ports import (
    Clock,
    EventLog,
    Journal,
    MatchedRun,
    MatchRow,
    NewExecution,
)

# Bounds what one account keeps the others waiting.
EVENTS_PER_TURN = 128
MATCHES_PER_TURN = 64


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
        patterns: PatternDefinitions,
        outcomes: Outcomes,
        clock: Clock,
        on_started: Callable[[str, NewExecution], None],
    ) -> None:
        super().__init__("matcher", clock)
        self._log = log
        self._journal = journal
        self._patterns = patterns
        self._outcomes = outcomes
        self._on_started = on_started
        self.matches = 0
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

    def misses(self, account: str) -> Misses | None:
        """Return what matched nothing for a reason, counted since the start."""
        reading = self._readings.get(account)
        return reading.matcher.misses if reading else None

    @property
    def unmatched(self) -> int:
        """How many records of the logs were not read yet."""
        return sum(self._log.head(a) - reading.cursor for a, reading in self._readings.items())

    async def _turn(self) -> bool:
        if not self._waiting:
            return False
        account = self._waiting.popleft()
        reading = self._readings.pop(account, None)
        try:
            if reading is None:
                cursor = (await self._journal.cursors()).get(account, 0)
                reading = await self._reading(account, cursor)
            if reading.cursor < self._log.head(account):
                await self._read_on(account, reading)
        except BaseException:
            # What was decided and not written is forgotten, and decided again from the journal.
            # To the end of the queue: a failure holds up nobody else.
            self._waiting.append(account)
            raise
        self._readings[account] = reading
        if reading.cursor < self._log.head(account):
            self._waiting.append(account)
        return bool(self._waiting)

    async def _reading(self, account: str, cursor: int) -> _Reading:
        matcher = Matcher()
        for pattern in await self._patterns.active_at(account, cursor):
            matcher.put(pattern)
        for state in await self._journal.key_states(account):
            matcher.restore(state)
        return _Reading(cursor, matcher)

    async def _read_on(self, account: str, reading: _Reading) -> None:
        globs = reading.matcher.globs
        stretch = await self._log.stretch(account, reading.cursor, EVENTS_PER_TURN, globs)
        cursor = stretch.upto
        rows: list[MatchRow] = []
        started: list[NewExecution] = []
        for record in stretch.records:
            for match in await self._fold(account, reading.matcher, record):
                outcome = await self._outcomes.of(account, match)
                rows.append(match_row(match, outcome))
                if isinstance(outcome, NewExecution):
                    started.append(outcome)
            # After a change other types may be watched: what follows is read anew.
            if isinstance(record, Change) or len(rows) >= MATCHES_PER_TURN:
                cursor = record.offset
                break
        states = reading.matcher.take_changes()
        await self._journal.commit_matches(account, MatchedRun(cursor, rows, started, states))
        reading.cursor = cursor
        self.matches += len(rows)
        for new in started:
            self._on_started(account, new)

    async def _fold(self, account: str, matcher: Matcher, record: LogRecord) -> list[Match]:
        if isinstance(record, Event):
            return list(matcher.match(record))
        if not isinstance(record, Change):
            return []
        pattern = await self._patterns.active(account, record.pattern_id, record.version)
        if pattern:
            matcher.put(pattern)
        else:
            matcher.drop(record.pattern_id)
        return []
