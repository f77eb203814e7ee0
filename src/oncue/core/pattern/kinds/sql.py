"""The kind `sql`: a statement over the stream of events, each row of whose result is a match."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from oncue.core.errors import Problem
from oncue.core.pattern.kinds.shared import Keyed


class SqlPattern(Keyed):
    """Matches each row that a statement gives."""

    type: Literal["sql"]
    query: str = Field(
        min_length=1,
        max_length=20_000,
        description="SELECT over the table events, with windows or MATCH_RECOGNIZE.",
        examples=[
            "SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time"
            " MEASURES LAST(UP.data.price) AS price PATTERN (UP{3,}) WITHIN INTERVAL '1' HOUR"
            " DEFINE UP AS UP.data.price > PREV(UP.data.price))"
        ],
    )


def unfit(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    """Yield which fields do not fit to a statement, which says them itself."""
    if pattern.by:
        yield Problem(f"{path}.by", "expected PARTITION BY in the query in its place")
    if pattern.keys:
        yield Problem(f"{path}.keys", "expected no keys: rows come of events alone")
    if pattern.emit == "early":
        yield Problem(
            f"{path}.emit",
            "expected 'final': an event that comes late could take this match back, got 'early'",
        )
    if pattern.rearm is not None:
        yield Problem(f"{path}.rearm", "expected none: the query says which rows there are")


def unfit_rows(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    """Yield which fields do not fit to rows that are told once."""
    if pattern.late.allowed or pattern.late.action == "amend":
        yield Problem(f"{path}.late", "expected no 'late' beside rows, which are told once")


def unfit_windows(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    """Yield which fields do not fit to rows of windows, which late events may correct."""
    late = pattern.late
    if late.action == "amend" and not late.allowed:
        yield Problem(f"{path}.late.allowed", "expected how long a closed window is kept, got '0s'")
    if late.action == "drop" and late.allowed:
        yield Problem(
            f"{path}.late.action", "expected 'amend', or no window is kept for it, got 'drop'"
        )
