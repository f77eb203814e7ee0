"""What was decided, to look at: reads of the journal's file that decide nothing."""

from collections.abc import Sequence
from typing import Final

import msgspec

from oncue.core.json_text import Json
from oncue.core.workflow.state import Status
from oncue.ports import (
    ExecutionFilter,
    ExecutionReport,
    ExecutionSummary,
    MatchRow,
    NewExecution,
    Span,
)
from oncue.store.sqlite.file import SqliteFile
from oncue.store.sqlite.report import report_of

_MATCH = """
SELECT id, pattern_id, time, detected_at, body, outcome FROM pattern_match
WHERE account = ? AND id = ?
"""
_MATCHES = """
SELECT id, pattern_id, time, detected_at, body, outcome FROM pattern_match
WHERE account = ? AND pattern_id = ? AND (detected_at, id) < (?, ?)
ORDER BY detected_at DESC, id DESC LIMIT ?
"""
_MATCH_COUNTS = "SELECT count(*) FROM pattern_match WHERE account = ? AND pattern_id = ?"
_COUNTS = """
SELECT status, count(*) FROM execution WHERE account = ? AND created_at >= ? GROUP BY status
"""
_OPEN_OF_WORKFLOW = """
SELECT id FROM execution WHERE account = ? AND workflow_id = ? AND finished_at IS NULL
"""

# Above every (instant, id): the first page begins below it.
_END: Final = (2**62, "")

_decode_start = msgspec.json.Decoder(NewExecution).decode


class SqliteHistory:
    """A journal's file, read."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def executions(
        self,
        account: str,
        wanted: ExecutionFilter,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[ExecutionSummary]:
        """Return executions, newest first, from below (created_at_ms, id) `before`."""
        select, values = _listing(account, wanted, before or _END, limit)
        rows = await self._file.read(lambda c: c.execute(select, values).fetchall())
        return [
            ExecutionSummary(
                id=id_,
                workflow=workflow,
                version=version,
                status=Status(status),
                trigger=_decode_start(start).trigger,
                created_at_ms=created_at,
                started_at_ms=started_at,
                finished_at_ms=finished_at,
                error=error,
            )
            for id_, version, workflow, status, created_at, started_at, finished_at, error, start
            in rows
        ]  # fmt: skip

    async def open_executions(self, account: str, workflow_id: str) -> list[str]:
        """Return the ids of the executions of a workflow that have not ended."""
        rows = await self._file.read(
            lambda c: c.execute(_OPEN_OF_WORKFLOW, (account, workflow_id)).fetchall()
        )
        return [row[0] for row in rows]

    async def counts(self, account: str, since_ms: int) -> dict[str, int]:
        """Return how many executions that began since an instant have which status."""
        bounds = (account, since_ms)
        return await self._file.read(lambda c: dict(c.execute(_COUNTS, bounds).fetchall()))

    async def report(self, account: str, span: Span) -> ExecutionReport:
        """Return what happened in a span of time, in numbers."""
        return await self._file.read(lambda c: report_of(c, account, span))

    async def match(self, account: str, match_id: str) -> MatchRow | None:
        """Return a match; nothing if this account has none of that id."""
        row = await self._file.read(lambda c: c.execute(_MATCH, (account, match_id)).fetchone())
        return _match_of(row) if row else None

    async def matches(
        self, account: str, pattern_id: str, limit: int, before: tuple[int, str] | None = None
    ) -> list[MatchRow]:
        """Return matches, newest first, from below (detected_at_ms, id) `before`."""
        bounds = (account, pattern_id, *(before or _END), limit)
        rows = await self._file.read(lambda c: c.execute(_MATCHES, bounds).fetchall())
        return [_match_of(row) for row in rows]

    async def match_counts(self, account: str, pattern_id: str) -> tuple[int, int | None]:
        """Return how many matches a pattern has, and the time of the last detected."""
        place = (account, pattern_id)
        count = await self._file.read(lambda c: c.execute(_MATCH_COUNTS, place).fetchone()[0])
        last = await self.matches(account, pattern_id, 1)
        return count, last[0].time_ms if last else None


def _listing(
    account: str, wanted: ExecutionFilter, before: tuple[int, str], limit: int
) -> tuple[str, Sequence[int | str]]:
    clauses: list[str] = []
    values: list[int | str] = [account, *before]
    for clause, value in (
        ("workflow = ?", wanted.workflow),
        ("status = ?", wanted.status),
        ("created_at >= ?", wanted.from_ms),
        ("created_at < ?", wanted.to_ms),
    ):
        if value is not None:
            clauses.append(f" AND {clause}")
            values.append(value)
    select = (
        "SELECT id, version, workflow, status, created_at, started_at, finished_at, error, start"  # noqa: S608 constants
        f" FROM execution WHERE account = ? AND (created_at, id) < (?, ?){''.join(clauses)}"
        " ORDER BY created_at DESC, id DESC LIMIT ?"
    )
    return select, (*values, limit)


def _match_of(row: tuple[str, str, int, int, bytes, bytes]) -> MatchRow:
    id_, pattern_id, time, detected_at, body, outcome = row
    shown: dict[str, Json] = msgspec.json.decode(body)
    return MatchRow(id_, pattern_id, time, detected_at, shown, msgspec.json.decode(outcome))
