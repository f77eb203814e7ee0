"""The functions of streamed SQL give what those of queries give."""

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest

TEXTS = ("lower", "upper", "trim", "ltrim", "rtrim", "length")
TEXTS_BY_TEXTS = ("trim", "ltrim", "rtrim", "starts_with", "ends_with", "contains")
BY_COUNTS = ("left", "right", "substring")
NUMBERS = ("abs", "sign", "floor", "ceil", "round")
CALLS = (
    *(f"{name}(a.t)" for name in TEXTS),
    *(f"{name}(a.t, a.u)" for name in TEXTS_BY_TEXTS),
    *(f"{name}(a.t, a.n)" for name in BY_COUNTS),
    "substring(a.t, a.n, a.m)",
    "replace(a.t, a.u, 'x')",
    "concat(a.t, a.u)",
    "concat_ws(a.t, a.u, nullif(a.t, a.t), 'x')",
    "a.t || a.u",
    "a.v ** 2 + a.v ^ 3",
    "pow(abs(a.v), 0.5)",
    *(f"{name}(a.v)" for name in NUMBERS),
    "round(a.v, a.n)",
    "greatest(a.n, a.m)",
    "least(a.t, a.u)",
    "nullif(a.n, a.m)",
    "coalesce(nullif(a.t, a.u), 'same')",
)
QUERY = ", ".join(f"{call} AS c{number}" for number, call in enumerate(CALLS))
STREAMED = parse_pattern(
    {
        "name": "functions",
        "pattern": {"type": "sql", "query": f"SELECT {QUERY.replace('a.', 'data.')} FROM events"},
    }
)
DATABASE = duckdb.connect(":memory:")
SPELLED = st.text(st.sampled_from("ab xÄ\t\u00a0"), max_size=6)
COUNTS = st.integers(-8, 8)


def streamed(data: dict[str, Json]) -> list[Json]:
    backtest = Backtest([STREAMED.named("pat_f", 1, 1, None)], 0)
    [found] = backtest.fold(Event(1, 1, "e", "case", "row", None, 1, data, {}))
    return [*found.hit.values.values()]


@settings(max_examples=300, deadline=None)
@given(t=SPELLED, u=SPELLED, n=COUNTS, m=COUNTS, v=st.integers(-400, 400).map(lambda n: n / 16))
def test_functions_are_those_of_queries(t: str, u: str, n: int, m: int, v: float) -> None:
    DATABASE.execute("CREATE OR REPLACE TABLE a (t VARCHAR, u VARCHAR, n INT, m INT, v DOUBLE)")
    DATABASE.execute("INSERT INTO a VALUES (?, ?, ?, ?, ?)", [t, u, n, m, v])
    expected = DATABASE.execute(f"SELECT {QUERY} FROM a").fetchone()
    assert expected

    found = streamed({"t": t, "u": u, "n": n, "m": m, "v": v})

    assert dict(zip(CALLS, found, strict=True)) == dict(zip(CALLS, expected, strict=True))


def test_lists_are_counted_from_their_end_too() -> None:
    query = "SELECT data.l[-1] AS a, data.l[-3] AS b, data['l'][0] AS c, data.l[9] AS d FROM events"
    pattern = parse_pattern({"name": "ends", "pattern": {"type": "sql", "query": query}})
    backtest = Backtest([pattern.named("pat_l", 1, 1, None)], 0)

    [found] = backtest.fold(Event(1, 1, "e", "case", "row", None, 1, {"l": [1, 2]}, {}))

    assert found.hit.values == {"a": 2, "b": None, "c": 1, "d": None}


def test_keywords_are_names_behind_a_dot() -> None:
    query = "SELECT data.select, data.from.order AS by FROM events WHERE data.where = 1"
    pattern = parse_pattern({"name": "words", "pattern": {"type": "sql", "query": query}})
    data: Json = {"select": 2, "from": {"order": 3}, "where": 1}

    [found] = Backtest([pattern.named("pat_w", 1, 1, None)], 0).fold(
        Event(1, 1, "e", "case", "row", None, 1, data, {})
    )

    assert found.hit.values == {"select": 2, "by": 3}
