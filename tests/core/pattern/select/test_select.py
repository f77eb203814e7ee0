"""What a streamed SELECT gives, row by row, and what is refused with a way out."""

from collections.abc import Sequence

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.operator import Hit

NOON = parse_instant("2026-11-23T12:00:00Z")
TUMBLE = "TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '10' SECOND))"
PER_WINDOW = "GROUP BY window_start, window_end"


def sale(seconds: float, shop: str = "a", amount: Json = 1, type_: str = "sale") -> Event:
    at = NOON + int(seconds * 1_000)
    data: Json = {"shop": shop, "amount": amount}
    return Event(0, at, f"e{at}", "/shop", type_, None, at, data, {})


def hits(
    query: str, events: Sequence[Event], began_ms: int = NOON, **options: Json
) -> tuple[list[Hit], Backtest]:
    document: Json = {"type": "sql", "query": query, **options}
    parsed = parse_pattern({"name": "case", "pattern": document})
    backtest = Backtest([parsed.named("pat_case", 1, 1, None)], began_ms)
    now, found = NOON, []
    for offset, event in enumerate(events, 1):
        now = max(now, event.time_ms)
        arrived = Event(
            *(offset, now, event.id, event.source, event.type, None),
            *(event.time_ms, event.data, {}),
        )
        found += backtest.fold(arrived)
    for more in backtest.run_on(None):
        found += more
    assert backtest.failures == 0
    return [one.hit for one in found], backtest


def rows(
    query: str, events: Sequence[Event], began_ms: int = NOON, **options: Json
) -> list[dict[str, Json]]:
    return [dict(hit.values) for hit in hits(query, events, began_ms, **options)[0]]


def problems(query: str, **options: Json) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse_pattern({"name": "case", "pattern": {"type": "sql", "query": query, **options}})
    return [(problem.path, problem.message) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("positional", "named"),
    [
        (
            "TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '10' SECOND)",
            "TUMBLE(DATA => TABLE events, TIMECOL => DESCRIPTOR(time), SIZE => INTERVAL '10' SECOND)",
        ),
        (
            "HOP(TABLE events, DESCRIPTOR(time), INTERVAL '5' SECOND, INTERVAL '10' SECOND)",
            "HOP(data => TABLE events, timecol => DESCRIPTOR(time), size => INTERVAL '10' SECOND,"
            " slide => INTERVAL '5' SECOND)",
        ),
        (
            "SESSION(TABLE events PARTITION BY data.shop, DESCRIPTOR(time), INTERVAL '5' SECOND)",
            "SESSION(DATA => TABLE events PARTITION BY data.shop, TIMECOL => DESCRIPTOR(time),"
            " GAP => INTERVAL '5' SECOND)",
        ),
    ],
)
def test_arguments_of_windows_may_have_names(positional: str, named: str) -> None:
    query = (
        f"SELECT window_start, data.shop, COUNT(*) AS n FROM TABLE({{}}) {PER_WINDOW}, data.shop"
    )
    events = [sale(seconds, "ab"[seconds % 2]) for seconds in (0, 1, 2, 7, 12, 13, 30)]

    found = rows(query.format(named), events)

    assert found == rows(query.format(positional), events)
    assert len(found) > 3


def test_each_wanted_event_is_a_row() -> None:
    query = (
        "SELECT data.shop, data.amount * 2 AS twice, time AS at FROM events AS e"
        " WHERE e.type = 'sale' AND e.data.amount > 2;"
    )
    sales = [sale(0, amount=3), sale(1, amount="5"), sale(2, amount=9, type_="other")]

    [hit], _ = hits(query, sales)

    assert hit.values == {"shop": "a", "twice": 6, "at": "2026-11-23T12:00:00.000Z"}
    assert (hit.kind, hit.time_ms, hit.bindings) == ("matched", NOON, (("", (1,)),))


def test_a_window_is_a_row_when_it_is_over() -> None:
    query = (
        f"SELECT window_start, window_time, data.shop AS shop, SUM(data.amount) AS total FROM {TUMBLE}"
        f" {PER_WINDOW}, data.shop HAVING COUNT(*) > 1"
    )
    sales = [sale(0), sale(1, "b"), sale(4, amount=2.5), sale(10), sale(11, amount=4)]

    found, _ = hits(query, sales, max_events=1)

    assert [dict(hit.values) for hit in found] == [
        {
            "window_start": "2026-11-23T12:00:00.000Z",
            "window_time": "2026-11-23T12:00:09.999Z",
            "shop": "a",
            "total": 3.5,
        },
        {
            "window_start": "2026-11-23T12:00:10.000Z",
            "window_time": "2026-11-23T12:00:19.999Z",
            "shop": "a",
            "total": 5,
        },
    ]
    assert [(hit.kind, hit.key, hit.time_ms, hit.window) for hit in found] == [
        ("window", '["a"]', NOON + 10_000, (NOON, NOON + 10_000)),
        ("window", '["a"]', NOON + 20_000, (NOON + 10_000, NOON + 20_000)),
    ]
    assert [(hit.bindings, hit.event_count) for hit in found] == [
        ((("", (1,)),), 2),
        ((("", (4,)),), 2),
    ]


def test_a_window_that_began_before_the_pattern_is_no_row() -> None:
    query = f"SELECT COUNT(*) AS n FROM {TUMBLE} {PER_WINDOW}"

    found, _ = hits(query, [sale(4), sale(12)], began_ms=NOON + 3_000)

    assert [hit.window for hit in found] == [(NOON + 10_000, NOON + 20_000)]


def test_a_late_event_amends_the_row_of_its_window() -> None:
    query = f"SELECT COUNT(*) AS n FROM {TUMBLE} {PER_WINDOW}"
    late: Json = {"allowed": "30s", "action": "amend"}

    found, _ = hits(query, [sale(1), sale(12), sale(2)], late=late)

    assert [(hit.window, hit.revision, hit.values["n"]) for hit in found] == [
        ((NOON, NOON + 10_000), 0, 1),
        ((NOON, NOON + 10_000), 1, 2),
        ((NOON + 10_000, NOON + 20_000), 0, 1),
    ]


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT SUM(data.amount) AS total FROM {TUMBLE} {PER_WINDOW} HAVING SUM(data.amount) > 5",
        f"SELECT * FROM (SELECT SUM(data.amount) AS total FROM {TUMBLE} {PER_WINDOW})"
        " WHERE total > 5",
    ],
)
def test_a_row_that_a_late_event_takes_back_is_told(query: str) -> None:
    late: Json = {"allowed": "30s", "action": "amend"}
    amounts = [(1, 3), (12, 9), (2, 1), (3, 4), (4, -5), (5, -1), (6, 9)]
    sales = [sale(second, "a", amount) for second, amount in amounts]

    found, _ = hits(query, sales, late=late)

    first = [hit for hit in found if hit.window == (NOON, NOON + 10_000)]
    assert [(hit.revision, hit.values) for hit in first] == [
        (1, {"total": 8, "holds": True}),
        (2, {"total": 3, "holds": False}),
        (3, {"total": 11, "holds": True}),
    ]


def test_the_first_of_each_window_are_told_in_their_order() -> None:
    query = (
        "SELECT place, shop, total FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start,"
        " window_end ORDER BY total DESC, shop) AS place FROM (SELECT window_start, window_end,"
        f" data.shop AS shop, SUM(data.amount) AS total FROM {TUMBLE} {PER_WINDOW}, data.shop))"
        " WHERE place <= 2"
    )
    sales = [sale(0, "c", 5), sale(1, "b", 5), sale(2, "a", 1), sale(3, "d", None), sale(12, "a")]

    assert rows(query, sales) == [
        {"place": 1, "shop": "b", "total": 5},
        {"place": 2, "shop": "c", "total": 5},
        {"place": 1, "shop": "a", "total": 1},
    ]


def test_what_has_no_total_is_placed_as_order_by_says() -> None:
    ranked = (
        "SELECT shop FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end"
        " ORDER BY total {order}) AS place FROM (SELECT window_start, window_end,"
        f" data.shop AS shop, SUM(data.amount) AS total FROM {TUMBLE} {PER_WINDOW}, data.shop))"
    )
    sales = [sale(0, "none", None), sale(1, "two", 2), sale(2, "one", 1)]
    orders = {
        order: [row["shop"] for row in rows(ranked.format(order=order), sales)]
        for order in ("ASC", "DESC", "ASC NULLS FIRST", "DESC NULLS FIRST")
    }

    assert orders == {
        "ASC": ["one", "two", "none"],
        "DESC": ["two", "one", "none"],
        "ASC NULLS FIRST": ["none", "one", "two"],
        "DESC NULLS FIRST": ["none", "two", "one"],
    }


def test_rows_look_back_and_may_be_chosen_by_what_they_saw() -> None:
    query = (
        "SELECT amount, mean FROM (SELECT data.amount AS amount, AVG(data.amount) OVER (PARTITION BY"
        " data.shop ORDER BY time ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS mean FROM events)"
        " WHERE amount > 1.5 * mean"
    )
    sales = [sale(0, amount=4), sale(1, amount=4), sale(2, "b", 50), sale(3, amount=40)]

    [hit], _ = hits(query, sales)

    assert (hit.values, hit.key) == ({"amount": 40, "mean": 16.0}, '["a"]')
    assert (hit.bindings, hit.event_count) == ((("", (1, 2, 4)),), 3)


@pytest.mark.parametrize(
    ("frame", "told"),
    [("RANGE INTERVAL '10' SECOND", [(0, 1), (9, 2), (16, 2), (5, 1)]), ("ROWS 9", [(0, 1), (9, 2), (14, 3), (16, 4)])],
    ids=["range", "rows"],
)  # fmt: skip
def test_rows_behind_the_watermark_are_in_time_up_to_the_last_sweep(
    frame: str, told: list[tuple[int, int]]
) -> None:
    query = (
        "SELECT data.shop AS shop, data.amount AS at, COUNT(*) OVER (PARTITION BY data.shop"
        f" ORDER BY time {frame} PRECEDING) AS n FROM events"
    )
    moments = [(0, "a"), (13, "b"), (9, "a"), (20, "b"), (14, "a"), (16, "a"), (60, "b"), (5, "a")]
    sales = [sale(at, shop, at) for at, shop in moments]

    found = rows(query, sales)

    assert [(row["at"], row["n"]) for row in found if row["shop"] == "a"] == told


def test_days_begin_where_the_pattern_says() -> None:
    query = "SELECT window_start, COUNT(*) AS n FROM events GROUP BY TUMBLE(time, INTERVAL '1' DAY)"
    query = query.replace("window_start", "TUMBLE_START(time, INTERVAL '1' DAY) AS day")

    [row] = rows(query, [sale(0)], began_ms=0, time={"zone": "Europe/Berlin"})

    assert row == {"day": "2026-11-22T23:00:00.000Z", "n": 1}


OVER = "OVER (PARTITION BY data.shop ORDER BY time"


@pytest.mark.parametrize(
    ("query", "at", "expected"),
    [
        ("SELECT data.a\nFROM orders", "line 2, column 6", "expected the table events, got 'orders'"),
        ("SELECT typ FROM events", "line 1, column 8", "did you mean 'type'"),
        ("SELECT DISTINCT type FROM events", "line 1, column 8", "got DISTINCT"),
        ("SELECT type FROM events LIMIT 3", "line 1, column 25", "got LIMIT"),
        ("SELECT type FROM events ORDER BY time", "line 1, column 25", "got ORDER BY"),
        ("SELECT type FROM events UNION SELECT id FROM events", "line 1, column 25", "got UNION"),
        ("SELECT * FROM events JOIN other USING (id)", "line 1, column 22", "got JOIN"),
        ("SELECT * FROM events, other", "line 1, column 1", "got JOIN"),
        ("WITH e AS (SELECT 1) SELECT * FROM e", "line 1, column 1", "got WITH"),
        (
            "SELECT * FROM events WHERE id IN (SELECT id FROM events)",
            "line 1, column 1",
            "got a query inside of an expression",
        ),
        ("SELECT type, COUNT(*) FROM events GROUP BY type", "line 1, column 35", "one window in GROUP BY"),
        ("SELECT COUNT(*) FROM events", "line 1, column 8", "expected windows beside COUNT"),
        ("SELECT type FROM events WHERE COUNT(*) > 1", "line 1, column 1", "COUNT(*)"),
        ("SELECT lower(type FROM events", "line 1, column 19", "expected SQL"),
        ("DELETE FROM events", "line 1, column 1", "expected one SELECT, got DELETE"),
        (f"SELECT COUNT(*) FROM {TUMBLE}", "line 1, column 22", "GROUP BY window_start, window_end"),
        (
            f"SELECT data.shop, COUNT(*) FROM {TUMBLE} {PER_WINDOW}",
            "line 1, column 8",
            "expected data.shop in GROUP BY or inside of an aggregate",
        ),
        (
            f"SELECT MEDIAN(data.amount) FROM {TUMBLE} {PER_WINDOW}",
            "line 1, column 15",
            "expected COUNT, SUM, AVG, MIN or MAX, got MEDIAN",
        ),
        (f"SELECT SUM(type) FROM {TUMBLE} {PER_WINDOW}", "line 1, column 12", "expected a number, got a text"),
        (
            f"SELECT * FROM {TUMBLE.replace('DESCRIPTOR(time)', 'DESCRIPTOR(at)')}",
            "line 1, column 53",
            "expected the column time",
        ),
        (
            f"SELECT COUNT(*) FROM {TUMBLE.replace('SECOND', 'MONTH')} {PER_WINDOW}",
            "line 1, column 67",
            "expected an interval such as INTERVAL '5' MINUTE",
        ),
        (
            "SELECT COUNT(*) FROM events GROUP BY HOP(time, INTERVAL '1' HOUR, INTERVAL '1' MINUTE)",
            "line 1, column 42",
            "expected a first interval that is at most the second one, of HOP",
        ),
        (
            "SELECT COUNT(*) FROM events GROUP BY HOP(time, INTERVAL '1' SECOND, INTERVAL '1' DAY)",
            "line 1, column 42",
            "expected at most 1000 windows around an event",
        ),
        (
            "SELECT COUNT(*) FROM TABLE(SESSION(TABLE events PARTITION BY data.a, DESCRIPTOR(time),"
            " INTERVAL '6' SECOND)) GROUP BY window_start, window_end, data.b",
            "line 1, column 22",
            "expected the same columns in PARTITION BY of SESSION",
        ),
        (f"SELECT COUNT() FROM {TUMBLE} {PER_WINDOW}", "line 1, column 1", "expected one value in an aggregate"),
        (f"SELECT MAX(data.a, 2) FROM {TUMBLE} {PER_WINDOW}", "line 1, column 12", "one value in an aggregate"),
        (
            "SELECT COUNT(*) FROM TABLE(SESSION(TABLE events PARTITION BY data.a, , DESCRIPTOR(time),"
            " INTERVAL '6' SECOND)) GROUP BY window_start, window_end, data.a",
            "line 1, column 70",
            "expected a column after PARTITION BY",
        ),
        (f"SELECT SUM(data.a) {OVER}) FROM events", "line 1, column 12", "expected a frame that goes back"),
        (f"SELECT SUM(data.a) {OVER} DESC ROWS 2 PRECEDING) FROM events", "line 1, column 12", "ORDER BY time in OVER"),
        (f"SELECT ROW_NUMBER() {OVER}) FROM events", "line 1, column 40", "rows of windows"),
        (
            "SELECT ROW_NUMBER() OVER (PARTITION BY id ORDER BY n) FROM (SELECT data.id AS id,"
            f" COUNT(*) AS n FROM {TUMBLE} {PER_WINDOW}, data.id)",
            "line 1, column 40",
            "expected PARTITION BY window_start, window_end",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_streamed_is_refused_at_its_place(
    query: str, at: str, expected: str
) -> None:
    [(path, message)] = problems(query)

    assert path == "pattern.query"
    assert message.startswith(f"{at}: expected")
    assert expected in message


def test_fields_that_do_not_fit_are_refused() -> None:
    late: Json = {"allowed": "1m", "action": "amend"}
    kept: Json = {"action": "amend"}
    grouped = f"SELECT COUNT(*) FROM {TUMBLE} {PER_WINDOW}"

    assert [path for path, _ in problems("SELECT type FROM events", late=late)] == ["pattern.late"]
    holds = f"SELECT COUNT(*) AS holds FROM {TUMBLE} {PER_WINDOW}"
    assert [path for path, _ in problems(holds, late=late)] == ["pattern.query"]
    assert [path for path, _ in problems(grouped, late=kept)] == ["pattern.late.allowed"]
    assert [path for path, _ in problems(grouped, by=["event.subject"])] == ["pattern.by"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"every": "1s"}, "pattern.every"),
        ({"every": "1m", "backfill": "1h"}, "pattern.backfill"),
        ({"every": "1m", "late": {"allowed": "1h", "action": "amend"}}, "pattern.late"),
        ({"identity": ["type"]}, "pattern.identity"),
        ({"forget": "never"}, "pattern.forget"),
        ({"every": "1m", "query": "DROP TABLE events"}, "pattern.query"),
    ],
)
def test_what_is_asked_every_so_often_has_fields_of_its_own(
    fields: dict[str, Json], path: str
) -> None:
    given: dict[str, Json] = {"query": "SELECT type FROM events", **fields}

    assert [each for each, _ in problems(str(given.pop("query")), **given)] == [path]


def test_no_key_is_known_before_the_first_event() -> None:
    query = f"SELECT COUNT(*) AS n FROM {TUMBLE} {PER_WINDOW}"
    parsed = parse_pattern({"name": "case", "pattern": {"type": "sql", "query": query}})
    watch = Matcher().put(parsed.named("pat_case", 1, 1, None), NOON)

    assert watch.stats()["keys"] == 0
