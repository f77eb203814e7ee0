"""Over streams without late rows, SQL gives what DuckDB answers to the same text when all rows are there."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.json_text import Json, encode_json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from oncue.core.pattern.operator import Hit
from oncue.core.sql.paths.kinds import MACROS
from oncue.core.sql.paths.typed import with_typed_paths
from oncue.core.sql.windows.rewriting import with_windows
from oncue.store.query.encoding import shown

BEGIN_MS = 1_000_000
DELAY_MS = 3_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATABASE = duckdb.connect(":memory:")
DATABASE.execute("SET threads = 1")
DATABASE.execute("SET TimeZone = 'UTC'")
DATABASE.execute(
    "CREATE TABLE events (id TEXT, source TEXT, type TEXT, subject TEXT, time TIMESTAMPTZ,"
    ' received_at TIMESTAMPTZ, "offset" BIGINT, data JSON, extensions JSON)'
)
for kind, forms in MACROS.items():
    DATABASE.execute(f"CREATE MACRO {kind.value}{', '.join(forms)}")
AGGREGATES = (
    "COUNT(*) AS n, COUNT(data.v) AS c, SUM(data.v) AS s, AVG(data.v) AS m, MIN(data.v) AS low,"
    " MAX(data.v) AS high, COUNT(DISTINCT data.v) AS d, COUNT(*) FILTER (WHERE data.v > 2) AS f,"
    " SUM(data.v) FILTER (WHERE data.v < 3) * 2 - COUNT(*) AS e,"
    " CASE WHEN MAX(data.v) - MIN(data.v) > 4 THEN 'wide' WHEN MIN(data.v) IS NULL THEN NULL ELSE 'narrow' END AS w"
)
HAVING = "HAVING SUM(data.v) > 2 OR COUNT(*) = 1"
WHERE = "WHERE data.v IS NULL OR data.v <> 1"
WINDOWS = {
    "tumble": ("TUMBLE", "INTERVAL '4' SECOND"),
    "tumble, shifted": ("TUMBLE", "INTERVAL '4' SECOND, INTERVAL '1.5' SECOND"),
    "hop": ("HOP", "INTERVAL '2' SECOND, INTERVAL '5' SECOND"),
    "hop, shifted": ("HOP", "INTERVAL '2' SECOND, INTERVAL '4' SECOND, INTERVAL '1' SECOND"),
    "cumulate": ("CUMULATE", "INTERVAL '2' SECOND, INTERVAL '6' SECOND"),
    "cumulate, shifted": ("CUMULATE", "INTERVAL '2' SECOND, INTERVAL '6' SECOND, INTERVAL '3' SECOND"),
    "session": ("SESSION", "INTERVAL '3' SECOND"),
}  # fmt: skip
FUNCTION = (
    "SELECT {shape}_START(time, {spans}) AS ws, {shape}_END(time, {spans}) AS we,"
    " {shape}_ROWTIME(time, {spans}) AS wt, data.k AS k, {aggregates} FROM events {where}"
    " GROUP BY data.k, {shape}(time, {spans}) {having}"
)
TABLE = (
    "SELECT window_start AS ws, window_end AS we, window_time AS wt, w.data.k AS k, {aggregates}"
    " FROM TABLE({shape}(TABLE events{by}, DESCRIPTOR(time), {spans})) AS w {where}"
    " GROUP BY window_start, window_end, w.data.k {having}"
)
FORMS = {"in GROUP BY": FUNCTION, "in FROM": TABLE}
FRAMES = (
    "OVER (PARTITION BY data.k ORDER BY time RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW)",
    "OVER (PARTITION BY data.k ORDER BY time ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
    "OVER (PARTITION BY data.k ORDER BY time ROWS 1 PRECEDING)",
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 400, 999, 1_000, 2_500, 7_000]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([None, 0, 1, 2, 3, 7, -2, 0.5, 2.25]),
    ),
    max_size=30,
)
Given = Sequence[tuple[int, str, float | None]]


def events_of(rows: Given, seed: int) -> list[Event]:
    """Return rows as events that come out of order, and none of them late."""
    chance = random.Random(seed)
    now, arrivals = BEGIN_MS, []
    for later_ms, key, value in rows:
        now += later_ms
        arrivals.append((now + chance.randrange(DELAY_MS), now, key, value))
    arrivals.sort(key=lambda arrival: arrival[0])
    return [
        Event(o, received, f"e{o}", "case", "row", None, time, {"k": k, "v": v}, {})
        for o, (received, time, k, v) in enumerate(arrivals, 1)
    ]


def streamed(query: str, events: Sequence[Event]) -> list[Hit]:
    document: Json = {"type": "sql", "query": query, "watermark": {"delay": f"{DELAY_MS}ms"}}
    parsed = parse_pattern({"name": "case", "pattern": document})
    backtest = Backtest([parsed.named("pat_case", 1, 1, None)], 0)
    found = [one for event in events for one in backtest.fold(event)]
    for more in backtest.run_on(None):
        found += more
    assert backtest.failures == 0
    return [one.hit for one in found]


def answered(query: str, events: Sequence[Event]) -> list[list[Json]]:
    """Return what DuckDB gives of the same text over the same rows."""
    DATABASE.execute("DELETE FROM events")
    if events:
        marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(events))
        values = [value for event in events for value in columns_of(event)]
        DATABASE.execute(f"INSERT INTO events VALUES {marks}", values)
    found = DATABASE.execute(with_typed_paths(with_windows(query))).fetchall()
    return [[shown(value) for value in row] for row in found]


def columns_of(event: Event) -> list[object]:
    at = [EPOCH + timedelta(milliseconds=ms) for ms in (event.time_ms, event.received_at_ms)]
    documents = [encode_json(each).decode() for each in (event.data, {})]
    return [event.id, event.source, event.type, event.subject, *at, event.offset, *documents]


def plain(rows: Sequence[Sequence[Json]]) -> list[str]:
    """Return rows to be compared as a set: whole floats are whole numbers."""
    return sorted(
        repr([int(v) if isinstance(v, float) and v.is_integer() else v for v in row])
        for row in rows
    )


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("windows", sorted(WINDOWS))
@settings(max_examples=10, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_windows_are_those_of_all_rows(windows: str, form: str, rows: Given, seed: int) -> None:
    events = events_of(rows, seed)
    shape, spans = WINDOWS[windows]
    by = " PARTITION BY data.k" if shape == "SESSION" else ""
    query = FORMS[form].format(
        shape=shape, spans=spans, by=by, aggregates=AGGREGATES, where=WHERE, having=HAVING
    )
    hits = streamed(query, events)

    assert plain([[*hit.values.values()] for hit in hits]) == plain(answered(query, events))
    assert [hit.time_ms for hit in hits] == sorted(hit.time_ms for hit in hits)


@pytest.mark.parametrize("frame", FRAMES, ids=["range", "rows", "rows, short"])
@settings(max_examples=20, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_frames_are_those_of_all_rows(frame: str, rows: Given, seed: int) -> None:
    events = events_of(rows, seed)
    aggregates = (
        "COUNT(*)",
        "SUM(data.v)",
        "MIN(data.v)",
        "MAX(data.v)",
        "COUNT(DISTINCT data.v)",
        "AVG(data.v)",
    )
    items = ", ".join(f"{aggregate} {frame} AS a{n}" for n, aggregate in enumerate(aggregates))
    query = f'SELECT "offset" AS o, {items} FROM events {WHERE}'
    hits = streamed(query, events)

    assert plain([[*hit.values.values()] for hit in hits]) == plain(answered(query, events))
    assert [hit.time_ms for hit in hits] == sorted(hit.time_ms for hit in hits)


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_the_first_of_each_window_are_those_of_all_rows(rows: Given, seed: int) -> None:
    events = events_of(rows, seed)
    query = """
    SELECT k, total, place, ws FROM (
      SELECT *, window_start AS ws, ROW_NUMBER() OVER (
        PARTITION BY window_start, window_end ORDER BY total DESC, k) AS place FROM (
        SELECT window_start, window_end, data.k AS k, SUM(data.v) AS total
        FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '4' SECOND))
        GROUP BY window_start, window_end, data.k))
    WHERE place <= 2 AND total > 0"""
    hits = streamed(query, events)

    assert plain([[*hit.values.values()] for hit in hits]) == plain(answered(query, events))
