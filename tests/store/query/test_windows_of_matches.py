"""Windows over the matches of a row pattern are the same over the stored events as on the stream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.json_text import Json
from tests.core.pattern.chained.test_oracle import EVENTS, PATTERNS, SHAPES, source, streamed
from tests.make import make_event
from tests.querying import Asked

TABLES = {
    shape: f"TABLE({shape.replace('(t,', '(TABLE (SELECT * FROM {read}), DESCRIPTOR(t),')})"
    for shape in SHAPES
    if not shape.startswith("SESSION")
}


def in_order(given_: list[tuple[int, int, str, int]]) -> list[Event]:
    """Return events that come in the order of their time, from the first window on."""
    now, events = 12_000_000, []
    for offset, (later_ms, _, key, value) in enumerate(given_, 1):
        now += later_ms
        events.append(
            make_event(
                offset=offset,
                id=f"e{offset}",
                type="row",
                time_ms=now,
                received_at_ms=now,
                data={"k": key, "v": value},
            )
        )
    return events


@pytest.mark.parametrize("shape", sorted(SHAPES))
@settings(max_examples=6, deadline=None)
@given(
    pattern=st.sampled_from(PATTERNS),
    skip=st.sampled_from(["", "AFTER MATCH SKIP TO NEXT ROW"]),
    within_s=st.sampled_from([1, 3, 8, 60]),
    rows=st.sampled_from(["", "ALL ROWS PER MATCH"]),
    as_table=st.booleans(),
    given_=EVENTS,
)
def test_windows_of_matches_are_those_of_the_stream(
    *,
    shape: str,
    pattern: str,
    skip: str,
    within_s: int,
    rows: str,
    as_table: bool,
    given_: list[tuple[int, int, str, int]],
) -> None:
    read = source(pattern, skip, within_s, rows)
    aggregates = "k, COUNT(*) AS n, SUM(w) AS s, MAX(w) AS high, COUNT(DISTINCT w) AS d"
    query = (
        f"SELECT {aggregates} FROM (SELECT * FROM {read}) AS m WHERE t IS NOT NULL"
        f" GROUP BY k, {shape} HAVING COUNT(*) < 4"
    )
    if as_table and shape in TABLES:
        table = TABLES[shape].format(read=read)
        query = (
            f"SELECT {aggregates}, window_start, window_end FROM {table} WHERE t IS NOT NULL"
            " GROUP BY window_start, window_end, k"
        )
    events = in_order(given_)

    hits, _ = streamed(query, events, 0)
    asked = Asked(events).ask(query)

    assert _plain([list(hit.values.values()) for hit in hits]) == _plain(asked.rows)


def _plain(rows: list[list[Json]]) -> list[str]:
    return sorted(
        repr([int(v) if isinstance(v, float) and v.is_integer() else v for v in row])
        for row in rows
    )
