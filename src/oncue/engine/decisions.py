"""What the matcher decided becomes durable: matches with their evidence, and what they start."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from oncue.core.event import Event
from oncue.core.pattern.match import Match, match_of, offsets_needed
from oncue.core.pattern.matcher import Failure
from oncue.core.pattern.records import LogRecord
from oncue.core.pattern.watch import Finding
from oncue.engine.outbox import Outbox
from oncue.engine.outcomes import Outcomes, match_row, shown_outcome
from oncue.engine.pauses import pauses_after
from oncue.engine.reading import Decided, Reading
from oncue.ports import EventLog, FailureRow, Journal, MatchedRun, MatchRow, NewExecution

MATCHES_PER_COMMIT: Final = 256
# Whoever else has something to do comes in between.
_MATCHES_IN_A_ROW: Final = 8


class Decisions:
    """Writes down what a stretch of a log came to."""

    def __init__(
        self,
        log: EventLog,
        journal: Journal,
        outcomes: Outcomes,
        outbox: Outbox,
        on_started: Callable[[str, NewExecution], None],
    ) -> None:
        self._log = log
        self._journal = journal
        self._outcomes = outcomes
        self._outbox = outbox
        self._on_started = on_started

    async def commit(self, account: str, reading: Reading, decided: Decided) -> int:
        """
        Return when all is durable that was found between the committed cursor and the cursor.

        Returns how many matches that are.
        """
        findings = decided.findings
        # One record can reveal as many matches as there are keys: they are made and written in
        # parts, and the cursor goes on with the last.
        last = max(len(findings) - 1, 0) // MATCHES_PER_COMMIT * MATCHES_PER_COMMIT
        for start in range(0, last, MATCHES_PER_COMMIT):
            part = findings[start : start + MATCHES_PER_COMMIT]
            matches = await self._matches(account, part, decided.events)
            await self._write(account, reading.committed, matches)
        matches = await self._matches(account, findings[last:], decided.events)
        await self._write(account, reading.cursor, matches, decided.failures)
        return len(findings)

    async def _matches(
        self,
        account: str,
        findings: Sequence[tuple[LogRecord, Finding]],
        known: Mapping[int, Event],
    ) -> list[Match]:
        offsets = offsets_needed(finding for _, finding in findings)
        events = {offset: known[offset] for offset in offsets if offset in known}
        missing = [offset for offset in offsets if offset not in events]
        if missing:
            fetched = await self._log.past.at(account, missing)
            events.update((event.offset, event) for event in fetched)
        return [match_of(finding, record.received_at_ms, events) for record, finding in findings]

    async def _write(
        self,
        account: str,
        cursor: int,
        matches: Sequence[Match],
        failures: Sequence[Failure] = (),
    ) -> None:
        rows: list[MatchRow] = []
        started: list[NewExecution] = []
        for place, match in enumerate(matches, 1):
            if place % _MATCHES_IN_A_ROW == 0:
                await asyncio.sleep(0)
            outcome = await self._outcomes.of(account, match)
            shown = shown_outcome(outcome)
            told = await self._outbox.of_match(account, match, shown)
            rows.append(match_row(match, shown, told))
            if isinstance(outcome, NewExecution):
                started.append(outcome)
        run = MatchedRun(
            cursor, rows, started, [*map(_failure_row, failures)], pauses_after(failures)
        )
        followed = await self._journal.commit_matches(account, run)
        # At once: should the next part fail, nobody would hear of this one before a restart.
        for begun in followed.started:
            self._on_started(account, begun)
        self._outbox.send(account, followed.told)


def _failure_row(failure: Failure) -> FailureRow:
    pattern = failure.pattern
    return FailureRow(
        pattern.id,
        pattern.name,
        pattern.version,
        failure.offset,
        failure.reason,
        failure.at_ms,
        failure.event,
    )
