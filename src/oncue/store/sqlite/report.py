"""What happened in a span of time, in numbers."""

import sqlite3
from typing import Final

from oncue.ports import ExecutionReport, Span

_BY_STATUS = """
SELECT status, count(*) FROM execution
WHERE account = ? AND created_at >= ? AND created_at < ? GROUP BY status
"""
_SERIES = """
SELECT (created_at - ?) / ?, count(*) FROM execution
WHERE account = ? AND created_at >= ? AND created_at < ? GROUP BY 1
"""
_DURATIONS = """
SELECT finished_at - created_at FROM execution
WHERE account = ? AND created_at >= ? AND created_at < ? AND finished_at IS NOT NULL ORDER BY 1
"""
_ERRORS = """
SELECT error, count(*) FROM execution
WHERE account = ? AND created_at >= ? AND created_at < ? AND error IS NOT NULL
GROUP BY error ORDER BY count(*) DESC, error LIMIT ?
"""
_MATCHES = """
SELECT count(*) FROM pattern_match WHERE account = ? AND detected_at >= ? AND detected_at < ?
"""
_UNFINISHED = """
SELECT count(*), min(created_at) FROM execution
WHERE account = ? AND finished_at IS NULL AND status IN ('pending', 'running')
"""
_MOST_ERRORS: Final = 10
_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def report_of(connection: sqlite3.Connection, account: str, span: Span) -> ExecutionReport:
    """Return the numbers of an account."""
    place = (account, span.from_ms, span.to_ms)
    steps = range(span.from_ms, span.to_ms, span.step_ms)
    counted = dict(connection.execute(_SERIES, (span.from_ms, span.step_ms, *place)).fetchall())
    durations = [row[0] for row in connection.execute(_DURATIONS, place)]
    unfinished, oldest = connection.execute(_UNFINISHED, (account,)).fetchone()
    return ExecutionReport(
        by_status=dict(connection.execute(_BY_STATUS, place).fetchall()),
        series=[counted.get(index, 0) for index in range(len(steps))],
        duration_ms={
            name: durations[min(int(len(durations) * share), len(durations) - 1)]
            for name, share in _QUANTILES.items()
            if durations
        },
        top_errors=connection.execute(_ERRORS, (*place, _MOST_ERRORS)).fetchall(),
        matches=connection.execute(_MATCHES, place).fetchone()[0],
        unfinished=unfinished,
        oldest_unfinished_ms=oldest,
    )
