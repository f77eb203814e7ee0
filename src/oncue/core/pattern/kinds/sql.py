"""The kind `sql`: a statement over the stream of events, each row of whose result is a match."""

from collections.abc import Iterator
from typing import Final, Literal

from pydantic import Field

from oncue.core.errors import Problem
from oncue.core.pattern.kinds.shared import Keyed, SpanMs

SHORTEST_MS: Final = 10_000


class SqlPattern(Keyed):
    """Matches each row that a statement gives."""

    type: Literal["sql"]
    every: SpanMs | None = Field(
        default=None,
        description="How often the query is asked over stored events; without it it is streamed.",
        examples=["15m"],
    )
    identity: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="With `every`: the columns that tell rows apart; else all do.",
        examples=[["user_id"]],
    )
    forget: Literal["on_absence", "never"] | None = Field(
        default=None,
        description="With `every`: `on_absence` (default), a row that went and came back is new.",
    )
    misfire: Literal["fire_once", "skip"] | None = Field(
        default=None,
        description="With `every`: whether it is asked late (`fire_once`, default) when it could not be in time.",
    )
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


def unfit_polls(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    """Yield which fields do not fit to a query that is asked every so often, or are of one alone."""
    if pattern.every is None:
        for name in ("identity", "forget", "misfire"):
            if getattr(pattern, name) is not None:
                yield Problem(f"{path}.{name}", "expected it with 'every' alone")
        return
    if pattern.every < SHORTEST_MS:
        yield Problem(f"{path}.every", "expected at least '10s', since each time costs a query")
    if pattern.on_missing_key != "skip":
        yield Problem(f"{path}.on_missing_key", "expected none: a row with NULLs is a row")
    if pattern.backfill is not None:
        yield Problem(f"{path}.backfill", "expected none: each query sees all stored events")
    yield from unfit_rows(pattern, path)


def unfit_rows(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    """Yield which fields do not fit to rows that are told once."""
    if pattern.late.allowed or pattern.late.action == "amend":
        yield Problem(f"{path}.late", "expected no 'late' beside rows, which are told once")


def unfit_windows(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    """Yield which fields do not fit to rows of windows, which late events may correct."""
    late = pattern.late
    if late.action == "amend" and not late.allowed:
        yield Problem(f"{path}.late.allowed", "expected how long a closed window is kept, got '0s'")
