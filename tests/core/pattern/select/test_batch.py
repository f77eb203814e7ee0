"""Over streams without late rows, windows of SQL are what DuckDB answers when all rows are there."""

import random
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from oncue.core.pattern.operator import Hit

BEGIN_MS = 1_000_000
DELAY_MS = 3_000
DATABASE = duckdb.connect(":memory:")
AGGREGATES = (
    "COUNT(*) AS n, COUNT({v}) AS c, SUM({v}) AS s, AVG({v}) AS m, MIN({v}) AS low,"
    " MAX({v}) AS high, COUNT(DISTINCT {v}) AS d, COUNT(*) FILTER (WHERE {v} > 2) AS f,"
    " SUM({v}) FILTER (WHERE {v} < 3) * 2 - COUNT(*) AS e,"
    " CASE WHEN MAX({v}) - MIN({v}) > 4 THEN 'wide' WHEN MIN({v}) IS NULL THEN NULL ELSE 'narrow' END AS w"
)
HAVING = "HAVING SUM({v}) > 2 OR COUNT(*) = 1"
WHERE = "WHERE {v} IS NULL OR {v} <> 1"
SPANS = {
    "tumble": (
        "TUMBLE(time, INTERVAL '4' SECOND)",
        "SELECT *, t // 4000 * 4000 AS ws, t // 4000 * 4000 + 4000 AS we FROM e",
    ),
    "hop": (
        "HOP(time, INTERVAL '2' SECOND, INTERVAL '5' SECOND)",
        "SELECT e.*, u.ws, u.ws + 5000 AS we FROM e, LATERAL (SELECT unnest(generate_series("
        " (t - 5000) // 2000 * 2000 + 2000, t // 2000 * 2000, 2000)) AS ws) u",
    ),
    "cumulate": (
        "CUMULATE(time, INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
        "SELECT e.*, t // 6000 * 6000 AS ws, u.we FROM e, LATERAL (SELECT unnest(generate_series("
        " t // 2000 * 2000 + 2000, t // 6000 * 6000 + 6000, 2000)) AS we) u",
    ),
    "session": (
        "SESSION(time, INTERVAL '3' SECOND)",
        "SELECT *, min(t) OVER g AS ws, max(t) OVER g + 3000 AS we FROM ("
        " SELECT *, sum(b) OVER (PARTITION BY k ORDER BY t, o) AS nth FROM (SELECT *, CASE WHEN"
        " t - lag(t) OVER (PARTITION BY k ORDER BY t, o) < 3000 THEN 0 ELSE 1 END AS b FROM e"
        " {where})) WINDOW g AS (PARTITION BY k, nth)",
    ),
}
FRAMES = (
    "OVER (PARTITION BY {k} ORDER BY {t} RANGE BETWEEN {reach} PRECEDING AND CURRENT ROW)",
    "OVER (PARTITION BY {k} ORDER BY {t}{tie} ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
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


def answered(query: str, events: Sequence[Event]) -> list[tuple[Json, ...]]:
    """Return what DuckDB gives of the same rows."""
    DATABASE.execute("CREATE OR REPLACE TABLE e (o BIGINT, t BIGINT, k VARCHAR, v DOUBLE)")
    if events:
        rows = ", ".join(map(spelled, events))
        DATABASE.execute(f"INSERT INTO e VALUES {rows}")
    return DATABASE.execute(query).fetchall()


def spelled(event: Event) -> str:
    assert isinstance(event.data, dict)
    value = event.data["v"]
    shown = "NULL" if value is None else value
    return f"({event.offset}, {event.time_ms}, '{event.data['k']}', {shown})"


def plain(rows: Sequence[Sequence[Json]]) -> list[str]:
    """Return rows to be compared as a set: whole floats are whole numbers."""
    return sorted(
        repr([int(v) if isinstance(v, float) and v.is_integer() else v for v in row])
        for row in rows
    )


@pytest.mark.parametrize("shape", sorted(SPANS))
@settings(max_examples=40, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_windows_are_those_of_all_rows(shape: str, rows: Given, seed: int) -> None:
    events = events_of(rows, seed)
    function, spans = SPANS[shape]
    ours, theirs = {"v": "data.v"}, {"v": "v"}
    hits = streamed(
        f"SELECT data.k AS k, {AGGREGATES.format(**ours)} FROM events {WHERE.format(**ours)}"
        f" GROUP BY data.k, {function} {HAVING.format(**ours)}",
        events,
    )
    where = WHERE.format(**theirs)
    expected = answered(
        f"WITH w AS ({spans.format(where=where)}) SELECT ws, we, k, {AGGREGATES.format(**theirs)}"
        f" FROM w {where} GROUP BY ws, we, k {HAVING.format(**theirs)}",
        events,
    )

    assert plain([[*(hit.window or ()), *hit.values.values()] for hit in hits]) == plain(expected)
    assert [hit.time_ms for hit in hits] == sorted(hit.time_ms for hit in hits)


@pytest.mark.parametrize("frame", FRAMES, ids=["range", "rows"])
@settings(max_examples=40, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_frames_are_those_of_all_rows(frame: str, rows: Given, seed: int) -> None:
    events = events_of(rows, seed)
    aggregates = ("COUNT(*)", "SUM({v})", "MIN({v})", "MAX({v})", "COUNT(DISTINCT {v})", "AVG({v})")
    over = frame.format(k="data.k", t="time", reach="INTERVAL '2' SECOND", tie="")
    items = ", ".join(f"{a.format(v='data.v')} {over} AS a{n}" for n, a in enumerate(aggregates))
    hits = streamed(f'SELECT "offset" AS o, {items} FROM events {WHERE.format(v="data.v")}', events)
    over = frame.format(k="k", t="t", reach="2000", tie=", o")
    items = ", ".join(f"{a.format(v='v')} {over} AS a{n}" for n, a in enumerate(aggregates))
    expected = answered(f"SELECT o, {items} FROM e {WHERE.format(v='v')}", events)

    assert plain([[*hit.values.values()] for hit in hits]) == plain(expected)
    assert [hit.time_ms for hit in hits] == sorted(hit.time_ms for hit in hits)
