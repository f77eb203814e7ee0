"""What windows over the matches of a row pattern give, and what is refused with a way out."""

import re
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.match import match_of
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.records import Tick
from oncue.core.pattern.watch import NO_LIMIT, Finding, Watch

NOON: Final = parse_instant("2026-11-23T12:00:00Z")
ROWS: Final = "events MATCH_RECOGNIZE (PARTITION BY data.user ORDER BY time MEASURES"
FAILURES: Final = (
    f"{ROWS} COUNT(*) AS tries, LAST(data.ip) AS ip, MATCH_ROWTIME() AS t"
    " PATTERN (FAILED{2,} OK?) WITHIN INTERVAL '1' HOUR"
    " DEFINE FAILED AS data.n > 0, OK AS data.n = 0)"
)
TUMBLE: Final = "TUMBLE(t, INTERVAL '10' SECOND)"


def login(seconds: float, user: str | None, n: int, ip: str = "a") -> Event:
    at = NOON + int(seconds * 1_000)
    return Event(
        0, at, f"e{at}{user}", "/login", "login", None, at, {"user": user, "n": n, "ip": ip}, {}
    )


def watched(
    query: str,
    events: Sequence[Event],
    *,
    runs_on: bool = True,
    max_keys: int = NO_LIMIT,
    **fields: Json,
) -> tuple[list[Finding], Watch]:
    document: Json = {"type": "sql", "query": query, **fields}
    parsed = parse_pattern({"name": "case", "pattern": document})
    matcher = Matcher(max_keys=max_keys)
    watch = matcher.put(parsed.named("pat_case", 1, 1, None), NOON)
    now, found = NOON, []
    for offset, event in enumerate(events, 1):
        now = max(now, event.time_ms)
        found += matcher.fold(
            Event(
                offset, now, event.id, event.source, event.type, None, event.time_ms, event.data, {}
            )
        )
    while runs_on and (tick_ms := matcher.agenda.next_tick_ms()) is not None:
        found += matcher.fold(Tick(len(events), tick_ms))
    assert matcher.take_failures() == []
    return found, watch


def rows(query: str, events: Sequence[Event]) -> list[dict[str, Json]]:
    return [dict(one.hit.values) for one in watched(query, events)[0]]


def refused(query: str, **fields: Json) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse_pattern({"name": "case", "pattern": {"type": "sql", "query": query, **fields}})
    return caught.value.problems[0].path, caught.value.problems[0].message


STREAM: Final = [
    *(login(0, "x", 1), login(1, "y", 1), login(2, "x", 2, "b"), login(3, "x", 0, "b")),
    *(login(4, "y", 3, "c"), login(9, "x", 1), login(12, "x", 4), login(13, "y", 0)),
    *(login(14, "x", 0, "a"), login(40, "y", 0)),
]


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT user, SUM(tries) AS n FROM {FAILURES} AS m GROUP BY user, {TUMBLE}",
        f"SELECT m.user, SUM(m.tries) AS n FROM {FAILURES} AS m GROUP BY m.user,"
        " TUMBLE(m.t, INTERVAL '10' SECOND)",
        f"SELECT user, SUM(tries) AS n FROM (SELECT * FROM {FAILURES}) GROUP BY user, {TUMBLE}",
        "SELECT who AS user, SUM(n) AS n FROM (SELECT m.user AS who, tries AS n, t AS at"
        f" FROM {FAILURES} AS m) AS w GROUP BY w.who, TUMBLE(w.at, INTERVAL '10' SECOND);",
        "SELECT user, SUM(tries) AS n FROM TABLE(TUMBLE(TABLE (SELECT user, tries, t FROM"
        f" {FAILURES}), DESCRIPTOR(t), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, user",
        "SELECT user, SUM(tries) AS n FROM TABLE(TUMBLE((SELECT * FROM"
        f" {FAILURES}), DESCRIPTOR(T), INTERVAL '10' SECOND)) AS w GROUP BY window_start, window_end, user",
    ],
)
def test_it_may_be_written_in_several_ways(query: str) -> None:
    assert rows(query, STREAM) == [
        {"user": "x", "n": 3},
        {"user": "x", "n": 3},
        {"user": "y", "n": 3},
    ]


def test_a_window_is_told_with_its_key_its_span_and_the_events_of_its_matches() -> None:
    query = (
        f"SELECT user AS who, TUMBLE_START(t, INTERVAL '10' SECOND) AS s FROM {FAILURES} AS m"
        f" GROUP BY user, {TUMBLE}"
    )
    found, _ = watched(query, STREAM, max_events=2)

    view = match_of(found[0], NOON, {}).view()

    assert {name: view[name] for name in ("kind", "key", "time", "window", "event_count")} == {
        "kind": "window",
        "key": {"who": "x"},
        "time": "2026-11-23T12:00:10.000Z",
        "window": {"start": "2026-11-23T12:00:00.000Z", "end": "2026-11-23T12:00:10.000Z"},
        "event_count": 3,
    }
    assert [one.hit.bindings for one in found] == [
        (("", (1, 3)),),
        (("", (6, 7)),),
        (("", (2, 5)),),
    ]


def test_an_event_of_several_matches_is_told_once() -> None:
    pairs = f"{ROWS} MATCH_ROWTIME() AS t AFTER MATCH SKIP TO NEXT ROW PATTERN (A B))"
    query = f"SELECT COUNT(*) AS n FROM {pairs} GROUP BY {TUMBLE}"

    (one,), _ = watched(query, [login(n, "x", n) for n in range(4)])

    assert (one.hit.values, one.hit.event_count) == ({"n": 3}, 4)
    assert one.hit.bindings == (("", (1, 2, 3, 4)),)


def test_windows_wait_for_matches_that_are_not_decided_and_for_no_others() -> None:
    query = f"SELECT COUNT(*) AS n FROM {FAILURES} GROUP BY {TUMBLE}"
    events = [login(0, "x", 1), login(1, "x", 1), login(20, "y", 1)]
    waiting, watch = watched(query, events, runs_on=False)
    told, _ = watched(query, [*events, login(21, "x", -1), login(22, "y", 1)], runs_on=False)

    assert waiting == []
    assert watch.operator is not None
    assert watch.operator.describe('["x"]')["windows_told_until"] == "2026-11-23T12:00:01.000Z"
    # That of y is open as well, but may only have its last row after them.
    assert [one.hit.values for one in told] == [{"n": 1}]


def test_windows_that_are_amended_do_not_wait() -> None:
    query = f"SELECT SUM(tries) AS n FROM {FAILURES} GROUP BY {TUMBLE}"
    late: Json = {"allowed": "30s", "action": "amend"}
    events = [login(0, "x", 1), login(1, "x", 1), login(2, "y", 1), login(3, "y", 1)]
    decided = [login(4, "y", 0), login(15, "z", 1), login(16, "x", -1)]

    found, _ = watched(query, [*events, *decided], runs_on=False, late=late)
    too_late, watch = watched(
        query, [*events, *decided[:2], login(41, "x", -1)], runs_on=False, late=late
    )

    assert [(one.hit.values["n"], one.hit.revision) for one in found] == [(3, 0), (5, 1)]
    assert [(one.hit.values["n"], one.hit.revision) for one in too_late] == [(3, 0)]
    assert watch.stats()["late"] == 1


def test_what_windows_of_events_can_windows_of_matches_can() -> None:
    query = (
        "SELECT user, n, place FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start,"
        " window_end ORDER BY n DESC, user) AS place FROM (SELECT window_start, window_end, user,"
        " SUM(tries) FILTER (WHERE ip <> 'c') AS n, COUNT(DISTINCT ip) AS ips"
        f" FROM TABLE(HOP(TABLE (SELECT * FROM {FAILURES}), DESCRIPTOR(t), INTERVAL '10' SECOND,"
        " INTERVAL '20' SECOND)) WHERE tries > 1 GROUP BY window_start, window_end, user"
        " HAVING COUNT(*) >= 1)) WHERE place = 1"
    )

    assert rows(query, STREAM) == [
        {"user": "x", "n": 6, "place": 1},
        {"user": "x", "n": 3, "place": 1},
    ]


def test_all_rows_of_a_match_are_at_its_time() -> None:
    query = (
        f"SELECT COUNT(*) AS n, MIN(data.n) AS low FROM {ROWS} MATCH_ROWTIME() AS t"
        f" ALL ROWS PER MATCH PATTERN (A{{3}})) AS m GROUP BY {TUMBLE}"
    )

    (one,), _ = watched(query, [login(n, "x", n) for n in (8, 9, 11)], cooldown="1m")

    assert (one.hit.values, one.hit.window) == (
        {"n": 3, "low": 8},
        (NOON + 10_000, NOON + 20_000),
    )
    assert one.hit.bindings == (("", (1, 2, 3)),)


def test_a_match_without_rows_and_one_without_a_key_are_counted() -> None:
    source = (
        f"{ROWS} LAST(data.ip) AS ip, MATCH_ROWTIME() AS t PATTERN (A?) DEFINE A AS data.n > 0)"
    )
    query = f"SELECT ip, COUNT(*) AS n FROM {source} GROUP BY ip, {TUMBLE}"
    events = [login(0, "x", 1), login(1, "x", 0), login(2, None, 1), login(3, "x", 1)]
    nameless = Event(0, NOON + 4_000, "n", "", "", None, NOON + 4_000, {"user": "x", "n": 1}, {})

    found, watch = watched(query, [*events, nameless])

    assert [one.hit.values for one in found] == [{"ip": "a", "n": 2}]
    assert (watch.stats()["without_value"], watch.stats()["missing_keys"]) == (1, 2)


def test_keys_of_windows_are_bounded_too() -> None:
    query = f"SELECT ip, COUNT(*) AS n FROM {FAILURES} GROUP BY ip, {TUMBLE}"
    events = [login(n / 10, "x", 1 - n % 3 // 2, f"ip{n // 3}") for n in range(12)]

    found, watch = watched(query, events, limits={"max_keys": 2})

    assert [one.hit.values["ip"] for one in found] == ["ip2", "ip3"]
    assert watch.stats()["keys_forgotten"] == 2


def test_keys_of_windows_are_refused_where_the_account_has_no_room() -> None:
    pattern = f"{ROWS} LAST(data.ip) AS ip, MATCH_ROWTIME() AS t PATTERN (A))"
    query = f"SELECT ip, COUNT(*) AS n FROM {pattern} GROUP BY ip, {TUMBLE}"
    events = [login(n, "x", 1, ip) for n, ip in enumerate("abca")]

    # One of the instant at which it began, one of the user, one of an address.
    found, watch = watched(query, events, max_keys=3)

    assert [one.hit.values for one in found] == [{"ip": "a", "n": 2}]
    assert watch.stats()["keys_refused"] == 2


GROUPED: Final = f"SELECT COUNT(*) AS n FROM {FAILURES} GROUP BY {TUMBLE}"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (GROUPED.replace("TUMBLE(t", "TUMBLE(time"), "expected TUMBLE(t, INTERVAL …)"),
        (
            GROUPED.replace("MATCH_ROWTIME()", "LAST(time)"),
            "windows are of event time, as MEASURES … MATCH_ROWTIME() AS t gives it",
        ),
        (GROUPED.replace("COUNT(*) AS n", "COUNT(trys) AS n"), "did you mean 'tries'?"),
        (
            GROUPED.replace("COUNT(*) AS n", "tries"),
            "expected tries in GROUP BY or inside of an aggr",
        ),
        (GROUPED.replace("COUNT(*)", "MEDIAN(tries)"), "expected COUNT, SUM, AVG, MIN or MAX"),
        (
            GROUPED.partition(" GROUP")[0],
            "expected windows beside COUNT, such as GROUP BY TUMBLE(t",
        ),
        (f"{GROUPED}, {TUMBLE}", "expected one window in GROUP BY"),
        (f"{GROUPED} ORDER BY n", "got ORDER BY: a stream has no end"),
        (f"SELECT n FROM ({GROUPED}) GROUP BY n", "its rows are not grouped again"),
        (
            f"SELECT tries FROM (SELECT tries FROM {FAILURES} WHERE tries > 2)",
            "expected columns and WHERE in the SELECT of MATCH_RECOGNIZE itself",
        ),
        (
            "SELECT SUM(tries) OVER (ORDER BY t RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND"
            f" CURRENT ROW) AS s FROM {FAILURES}",
            "expected windows of matches, such as GROUP BY TUMBLE(t, INTERVAL '10' MINUTE), got OVER",
        ),
        (
            f"SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE (SELECT * FROM {FAILURES}),"
            " DESCRIPTOR(tries), INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
            "expected the column t of event time, as MEASURES … MATCH_ROWTIME() AS t gives it",
        ),
        (
            f"SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE ({GROUPED}),"
            " DESCRIPTOR(t), INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
            "expected one SELECT with MATCH_RECOGNIZE inside of the windows",
        ),
        (
            "SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE (SELECT * FROM TABLE(TUMBLE(TABLE"
            f" (SELECT * FROM {FAILURES}), DESCRIPTOR(t), INTERVAL '1' HOUR))), DESCRIPTOR(t),"
            " INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
            "expected no windows inside of others",
        ),
        (
            "SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE (SELECT * FROM events),"
            " DESCRIPTOR(time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
            "expected the table events, got a query",
        ),
    ],
)
def test_a_statement_is_refused(query: str, told: str) -> None:
    path, message = refused(query)

    assert path == "pattern.query"
    assert told in message


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"cooldown": {"samples": 3}}, "pattern.cooldown"),
        ({"late": {"action": "amend"}}, "pattern.late.allowed"),
        ({"by": ["event.subject"]}, "pattern.by"),
    ],
)
def test_fields_are_refused_beside_it(fields: dict[str, Json], path: str) -> None:
    assert refused(GROUPED, **fields)[0] == path


def test_how_long_windows_may_wait_is_said_when_it_is_saved() -> None:
    query = GROUPED.replace("WITHIN INTERVAL '1' HOUR", "")
    plan = parse_pattern({"name": "c", "pattern": {"type": "sql", "query": query}}).plan

    assert [each.message.partition(": ")[2] for each in plan.looking.warnings] == [
        "without WITHIN a match that is open is decided after 24h: say how long it may take;"
        " windows wait for it"
    ]


WORDS: Final = re.findall(
    r"\w+|'[^']*'|\S",
    "SELECT user, SUM(tries) AS n FROM TABLE(TUMBLE(TABLE (SELECT user, tries, t FROM"
    f" {FAILURES} AS m WHERE tries > 1), DESCRIPTOR(t), INTERVAL '10' SECOND)) AS w"
    f" GROUP BY window_start, window_end, user HAVING COUNT(*) > 1 {GROUPED}",
)


@settings(max_examples=300, deadline=None)
@given(
    begin=st.booleans(),
    changes=st.lists(
        st.tuples(st.integers(0, len(WORDS) - 1), st.sampled_from([*WORDS, "", "OVER", "JOIN"])),
        max_size=3,
    ),
)
def test_whatever_is_written_is_a_pattern_or_refused(
    *, begin: bool, changes: list[tuple[int, str]]
) -> None:
    words = list(WORDS)
    for place, word in changes:
        words[place] = word
    end = len(WORDS) - len(re.findall(r"\w+|'[^']*'|\S", GROUPED))
    query = " ".join(words[:end] if begin else words[end:])

    problems: set[str] = set()
    try:
        parse_pattern({"name": "rows", "pattern": {"type": "sql", "query": query}})
    except InvalidInput as exc:
        problems = {problem.path for problem in exc.problems}

    assert problems <= {"pattern.query"}
