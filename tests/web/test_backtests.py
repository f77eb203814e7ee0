"""`POST /patterns/test`: over events that come with the question, and over those of the log."""

from pathlib import Path
from typing import Any

import pytest

from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from tests.server import Answer, Served, serve

LARGE: dict[str, Json] = {
    "type": "event",
    "event": "order.paid",
    "where": "event.data.amount > 100",
}
FAILED_LOGINS: dict[str, Json] = {
    "type": "threshold",
    "event": "login.failed",
    "by": ["event.subject"],
    "value": 3,
    "window": "5m",
}
SILENCE: dict[str, Json] = {
    "type": "sequence",
    "by": ["event.subject"],
    "within": "30m",
    "steps": [{"as": "cart", "event": "cart.filled"}, {"as": "paid", "event": "paid", "not": True}],
}


def _at(minute: int, **others: Json) -> dict[str, Json]:
    return {"time": f"2026-01-05T10:{minute:02}:00Z", **others}


def _logins(*minutes: int, subject: str = "ada") -> list[Json]:
    return [_at(minute, type="login.failed", subject=subject) for minute in minutes]


def ask(folder: Path, **body: Json) -> Answer:
    async def use(server: Served) -> Answer:
        return await server.request("POST", "/patterns/test", json=body)

    return serve(folder, use)


def test_what_was_left_out_is_told_by_the_reason(tmp_path: Path) -> None:
    query = "SELECT COUNT(*) AS n FROM events GROUP BY TUMBLE(time, INTERVAL '1' MINUTE)"
    keyed = {**FAILED_LOGINS, "by": ["event.data.user"]}

    async def use(server: Served) -> list[Answer]:
        # Long after their time, and after a silence, which time does not wait for.
        clock = server.world.clock
        clock.advance(parse_instant("2026-02-01T00:00:00Z") - clock.now_ms())
        await server.request("POST", "/events/batch", json=_logins(0, 1, 2))
        return [
            await server.request("POST", "/patterns/test", json={"pattern": pattern})
            for pattern in ({"type": "sql", "query": query}, keyed, FAILED_LOGINS)
        ]

    windows, keyed_by_nothing, early = serve(tmp_path, use)

    assert (windows.body["match_count"], windows.body["left_out"]) == (0, {"late": 3})
    assert keyed_by_nothing.body["left_out"] == {"missing_keys": 3}
    assert (early.body["match_count"], early.body["left_out"]) == (1, {})


@pytest.mark.parametrize(
    ("pattern", "events", "times"),
    [
        pytest.param(
            LARGE,
            [_at(1, type="order.paid", data={"amount": n}) for n in (50, 150)],
            ["2026-01-05T10:01:00.000Z"],
            id="an event by itself",
        ),
        pytest.param(
            FAILED_LOGINS,
            _logins(0, 1, 2, 20, 30, 31, 32),
            ["2026-01-05T10:02:00.000Z", "2026-01-05T10:32:00.000Z"],
            id="the third within five minutes",
        ),
        pytest.param(
            SILENCE,
            [_at(0, type="cart.filled", subject="ada")],
            ["2026-01-05T10:30:00.000Z"],
            id="after the last event the clock runs on",
        ),
        pytest.param({**LARGE, "by": ["event.subject"]}, _logins(1), [], id="nothing"),
    ],
)
def test_events_that_come_with_the_question(
    tmp_path: Path, pattern: Json, events: list[Json], times: list[str]
) -> None:
    answer = ask(tmp_path, pattern=pattern, events=events)

    assert answer.status == 200
    assert [match["time"] for match in answer.body["matches"]] == times
    assert answer.body["match_count"] == len(times)
    assert answer.body["events_scanned"] == len(events)
    assert answer.body["truncated"] is False


def test_the_clock_runs_on_until_it_is_told_to_stop(tmp_path: Path) -> None:
    events: list[Json] = [_at(0, type="cart.filled", subject="ada")]
    answer = ask(tmp_path, pattern=SILENCE, events=events, until="2026-01-05T10:29:59Z")

    assert answer.body["match_count"] == 0


@pytest.mark.parametrize(
    ("pattern", "year", "times"),
    [
        pytest.param(
            {**FAILED_LOGINS, "value": 1, "window_type": "tumbling"},
            "0001",
            ["0001-01-01T00:05:00.000Z"],
            id="the first window that there is",
        ),
        pytest.param(
            {**FAILED_LOGINS, "value": 1}, "0001", ["0001-01-01T00:00:00.000Z"], id="begins earlier"
        ),
        pytest.param(
            {**FAILED_LOGINS, "value": 1, "window_type": "tumbling", "window": "7d"},
            "9999",
            ["9999-12-31T23:59:59.999Z"],
            id="ends after all time",
        ),
        pytest.param(SILENCE, "1969", ["1970-01-01T00:29:59.999Z"], id="before the epoch"),
    ],
)
def test_the_calendar_has_no_end_that_a_pattern_falls_off(
    tmp_path: Path, pattern: dict[str, Json], year: str, times: list[str]
) -> None:
    time = "0001-01-01T00:00:00Z" if year == "0001" else f"{year}-12-31T23:59:59.999Z"
    events: list[Json] = [
        {"type": event_type, "subject": "ada", "time": time}
        for event_type in ("login.failed", "cart.filled")
    ]
    answer = ask(tmp_path, pattern=pattern, events=events)

    assert answer.status == 200
    assert [match["time"] for match in answer.body["matches"]] == times


def test_of_given_events_too_only_matches_between_the_bounds_count(tmp_path: Path) -> None:
    events: list[Json] = [_at(n, type="order.paid", data={"amount": 200}) for n in range(5)]
    answer = ask(tmp_path, pattern=LARGE, events=events, **_bounds("01", "03"))

    times = ["2026-01-05T10:01:00.000Z", "2026-01-05T10:02:00.000Z"]
    assert [match["time"] for match in answer.body["matches"]] == times
    assert answer.body["match_count"] == 2


def test_more_matches_than_the_limit_are_counted_and_not_shown(tmp_path: Path) -> None:
    events: list[Json] = [_at(n, type="order.paid", data={"amount": 200}) for n in range(5)]
    answer = ask(tmp_path, pattern=LARGE, events=events, limit=2)

    assert (answer.body["match_count"], len(answer.body["matches"])) == (5, 2)
    assert answer.body["truncated"] is True


def test_matches_that_name_very_many_events_are_counted_and_not_shown(tmp_path: Path) -> None:
    live: Json = {"name": "large", "pattern": LARGE}
    every: dict[str, Json] = {"type": "threshold", "event": "*", "value": 1, "window": "1d"}
    body: Json = {
        "pattern": {**every, "rearm": "every", "max_events": 100},
        "events": [{"type": "a"}] * 1_200,
        "compare_to": "large",
        "limit": 2_000,
    }

    async def use(server: Served) -> Answer:
        await server.request("POST", "/patterns", json=live)
        return await server.request("POST", "/patterns/test", json=body)

    answer = serve(tmp_path, use).body

    assert (answer["match_count"], answer["truncated"]) == (1_200, True)
    for matches in (answer["matches"], answer["comparison"]["gained"]):
        assert 100_000 <= sum(len(match["events"]) for match in matches) < 100_100


async def _fill(server: Served) -> None:
    for event in [
        *_logins(0, 1, 2),
        *_logins(10, 11, subject="bob"),
        _at(12, type="page.view"),
        *_logins(12, subject="bob"),
    ]:
        assert (await server.request("POST", "/events", json=event)).status == 202


def _bounds(first: str, last: str) -> dict[str, Json]:
    return {"from": f"2026-01-05T10:{first}:00Z", "to": f"2026-01-05T10:{last}:00Z"}


@pytest.mark.parametrize(
    ("bounds", "subjects"),
    [
        pytest.param({}, ["ada", "bob"], id="all"),
        pytest.param(_bounds("05", "30"), ["bob"], id="later ones"),
        pytest.param(_bounds("00", "05"), ["ada"], id="earlier ones"),
        pytest.param(_bounds("02", "05"), ["ada"], id="what came before warms it up"),
        pytest.param({**_bounds("02", "05"), "warm_up": "0s"}, [], id="cold"),
    ],
)
def test_events_of_the_log(tmp_path: Path, bounds: dict[str, Json], subjects: list[str]) -> None:
    async def use(server: Served) -> Answer:
        await _fill(server)
        body = {"pattern": FAILED_LOGINS, **bounds}
        return await server.request("POST", "/patterns/test", json=body)

    answer = serve(tmp_path, use)

    assert answer.status == 200
    found = [match["key"]["event.subject"] for match in answer.body["matches"]]
    assert found == subjects
    assert all(len(match["events"]) == 3 for match in answer.body["matches"])


def test_numbers_of_any_length_are_read(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        event: Json = {"type": "order.paid", "data": {"amount": 10**30}}
        await server.request("POST", "/events", json=event)
        query = "SELECT data.amount AS amount FROM events WHERE data.amount > 5"
        pattern: Json = {"type": "sql", "query": query}
        return await server.request("POST", "/patterns/test", json={"pattern": pattern})

    (match,) = serve(tmp_path, use).body["matches"]

    assert match["values"] == {"amount": 10**30}


TUMBLING: dict[str, Json] = {**FAILED_LOGINS, "value": 1, "window_type": "tumbling"}
GREEDY: dict[str, Json] = {
    "type": "sql",
    "query": "SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time MEASURES"
    " LAST(F.time) AS last PATTERN (F{2,}) WITHIN INTERVAL '1' HOUR"
    " DEFINE F AS type = 'login.failed')",
}


@pytest.mark.parametrize(
    ("pattern", "bounds", "count"),
    [
        pytest.param(GREEDY, {}, 2, id="by now"),
        pytest.param(GREEDY, {"until": "2026-01-05T10:30:00Z"}, 0, id="none is over so early"),
        pytest.param(GREEDY, _bounds("00", "05"), 0, id="nor by the end of the range"),
        pytest.param(
            GREEDY, {**_bounds("00", "05"), "until": "2026-01-05T11:30:00Z"}, 1, id="but later"
        ),
        pytest.param(TUMBLING, _bounds("00", "05"), 0, id="a window counts at its end"),
        pytest.param(TUMBLING, _bounds("00", "06"), 1, id="which is in the range"),
    ],
)
def test_over_the_log_too_the_clock_runs_on(
    tmp_path: Path, pattern: Json, bounds: dict[str, Json], count: int
) -> None:
    async def use(server: Served) -> Answer:
        clock = server.world.clock
        for minute in (0, 1, 2, 10, 11):
            clock.advance(parse_instant(f"2026-01-05T10:{minute:02}:00Z") - clock.now_ms())
            (event,) = _logins(minute, subject="ada" if minute < 10 else "bob")
            assert (await server.request("POST", "/events", json=event)).status == 202
        clock.advance(24 * 3_600_000)
        body = {"pattern": pattern, **bounds}
        return await server.request("POST", "/patterns/test", json=body)

    assert serve(tmp_path, use).body["match_count"] == count


def test_nothing_of_a_backtest_is_kept(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await _fill(server)
        await server.request("POST", "/patterns/test", json={"pattern": FAILED_LOGINS})
        patterns = await server.request("GET", "/patterns")
        return patterns.body["data"], (await server.request("GET", "/executions")).body["data"]

    assert serve(tmp_path, use) == ([], [])


def test_a_pattern_is_held_against_one_that_is_live(tmp_path: Path) -> None:
    live: Json = {"name": "logins", "pattern": {**FAILED_LOGINS, "value": 2}}

    async def use(server: Served) -> Answer:
        await server.request("POST", "/patterns", json=live)
        await _fill(server)
        body: Json = {"pattern": FAILED_LOGINS, "compare_to": "logins"}
        return await server.request("POST", "/patterns/test", json=body)

    comparison = serve(tmp_path, use).body["comparison"]

    assert comparison["pattern"] == "logins"
    assert (comparison["match_count"], comparison["same"]) == (2, 0)
    assert (len(comparison["gained"]), len(comparison["lost"])) == (2, 2)


def test_the_limit_bounds_what_is_shown_and_not_what_is_compared(tmp_path: Path) -> None:
    live: Json = {"name": "x", "pattern": {"type": "event", "event": "x"}}
    events: list[Json] = [_at(n, type=kind) for n, kind in enumerate("yxxx")]

    async def use(server: Served) -> Answer:
        await server.request("POST", "/patterns", json=live)
        pattern: Json = {"type": "event", "event": ["x", "y"]}
        body: Json = {"pattern": pattern, "events": events, "compare_to": "x", "limit": 2}
        return await server.request("POST", "/patterns/test", json=body)

    comparison = serve(tmp_path, use).body["comparison"]

    assert (comparison["match_count"], comparison["same"]) == (3, 3)
    assert [match["events"][0]["id"] for match in comparison["gained"]] == ["event-1"]
    assert comparison["lost"] == []


@pytest.mark.parametrize(
    ("body", "status", "paths"),
    [
        pytest.param({}, 422, ["pattern"], id="no pattern"),
        pytest.param({"pattern": {"type": "evnt"}}, 422, ["pattern.type"], id="no such kind"),
        pytest.param(
            {"pattern": LARGE, "events": [{"typ": "a"}, {"type": "b", "received_at": "soon"}]},
            422,
            ["events[0].type", "events[1].received_at"],
            id="no events",
        ),
        pytest.param({"pattern": LARGE, "from": "today"}, 422, ["from"], id="no instant"),
        pytest.param({"pattern": LARGE, **_bounds("05", "04")}, 422, ["to"], id="backwards"),
        pytest.param({"pattern": LARGE, "compare_to": "nobody"}, 404, [], id="nobody"),
        pytest.param({"pattern": LARGE, "evnts": []}, 422, ["evnts"], id="an unknown field"),
    ],
)
def test_what_cannot_be_answered_is_told_with_its_places(
    tmp_path: Path, body: dict[str, Json], status: int, paths: list[str]
) -> None:
    answer = ask(tmp_path, **body)

    assert answer.status == status
    assert [error["path"] for error in answer.body.get("errors", [])] == paths
