"""`GET /patterns/{id}/explain`: what a pattern that remembers did with an event, and why."""

from pathlib import Path
from typing import Any

import pytest

from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from tests.server import Answer, Served, serve

STEPS: list[dict[str, Json]] = [{"as": "a", "event": "a"}, {"as": "b", "event": "b"}]


def _at(second: float, event_type: str, **data: Json) -> dict[str, Json]:
    time = f"2026-01-01T00:00:{second:06.3f}Z"
    return {"type": event_type, "id": f"{event_type}-{second}", "time": time, "data": data}


def explain(folder: Path, pattern: Json, events: list[dict[str, Json]], about: str) -> Any:
    async def use(server: Served) -> Answer:
        await server.request("POST", "/patterns", json={"name": "p", "pattern": pattern})
        clock = server.world.clock
        for event in events:
            happened_ms = parse_instant(str(event["time"]))
            clock.advance(max(0, happened_ms - clock.now_ms()))
            assert (await server.request("POST", "/events", json=event)).status == 202
            await server.world.engine.settled()
        return await server.request("GET", f"/patterns/p/explain?event={about}")

    answer = serve(folder, use)
    assert answer.status == 200, answer.body
    return answer.body


def sequence(within: str, **second: Json) -> Json:
    return {"type": "sequence", "within": within, "steps": [STEPS[0], {**STEPS[1], **second}]}


@pytest.mark.parametrize(
    ("pattern", "events", "disposition", "clause"),
    [
        pytest.param(
            sequence("10s"), [_at(0, "a"), _at(1, "b")], "matched", None, id="it completes a match"
        ),
        pytest.param(
            sequence("10s"), [_at(1, "b")], "ignored", None, id="nothing waits for it"
        ),
        pytest.param(
            sequence("2s"), [_at(0, "a"), _at(3.5, "b")], "ignored", "within", id="it is too late"
        ),
        pytest.param(
            sequence("10s", where="event.data.n > a.data.n"),
            [_at(0, "a", n=3), _at(1, "b", n=2)],
            "ignored",
            "steps[1].where",
            id="a condition over earlier steps does not hold",
        ),
        pytest.param(
            {
                "type": "threshold", "event": "b", "measure": "avg", "of": "event.data.n",
                "value": 5, "window": "1m", "watermark": {"delay": "50s"},
            },
            [_at(1, "b", n=9)],
            "pending",
            "watermark",
            id="it waits for what may come before it",
        ),
        pytest.param(
            {"type": "threshold", "event": "b", "value": 3, "window": "1m"},
            [_at(1, "b"), _at(2, "b")],
            "counted",
            None,
            id="it counts",
        ),
        pytest.param(
            {"type": "anomaly", "event": "b", "value": "event.data.n"},
            [_at(1, "b", n=9)],
            "learning",
            None,
            id="it is learnt",
        ),
        pytest.param(
            {"type": "event", "event": "b", "cooldown": "1m"},
            [_at(1, "b"), _at(2, "b")],
            "suppressed",
            "cooldown",
            id="a cooldown suppresses it",
        ),
    ],
)  # fmt: skip
def test_what_became_of_the_last_event(
    tmp_path: Path, pattern: Json, events: list[dict[str, Json]], disposition: str, clause: str
) -> None:
    shown = explain(tmp_path, pattern, events, str(events[-1]["id"]))

    assert (shown["disposition"], shown["clause"]) == (disposition, clause)


def test_the_step_that_came_too_late_is_named(tmp_path: Path) -> None:
    shown = explain(tmp_path, sequence("2s"), [_at(0, "a"), _at(3.5, "b")], "b-3.5")

    assert shown["state"]["missed"]["text"] == (
        "1 of 2 steps; waiting for 'b' until 2026-01-01T00:00:02.000Z;"
        " 'b' came 1.5 s after the window"
    )


def test_what_an_event_belongs_to_is_known_though_much_came_in_between(tmp_path: Path) -> None:
    between: list[Json] = [
        {"type": "c", "id": f"c-{n}", "time": "2026-01-01T00:00:01Z"} for n in range(100)
    ]

    async def use(server: Served) -> Answer:
        for name, within in (("long", "1h"), ("longer", "2h")):
            body = {"name": name, "pattern": sequence(within)}
            await server.request("POST", "/patterns", json=body)
        await server.request("POST", "/events", json=_at(0, "a"))
        for turn in range(25):
            batch = [{**event, "id": f"{event['id']}-{turn}"} for event in between]  # type: ignore[dict-item, index, call-overload] # objects
            assert (await server.request("POST", "/events/batch", json=batch)).status == 202
        await server.request("POST", "/events", json=_at(2, "b"))
        await server.world.engine.settled()
        return await server.request("GET", "/events/b-2")

    answer = serve(tmp_path, use)

    found = {one["pattern"]: one["disposition"] for one in answer.body["dispositions"]}
    assert found == {"long": "matched", "longer": "matched"}


WINDOWS_OF_MATCHES = (
    "SELECT user, COUNT(*) AS n FROM events MATCH_RECOGNIZE (PARTITION BY data.user ORDER BY time"
    " MEASURES MATCH_ROWTIME() AS t PATTERN (A B+) WITHIN INTERVAL '1' MINUTE"
    " DEFINE B AS data.n > 0) AS m GROUP BY user, TUMBLE(t, INTERVAL '10' SECOND)"
)


@pytest.mark.parametrize(
    ("events", "disposition", "told"),
    [
        ([(1, "x", 1)], "started", None),
        ([(1, "x", 1), (2, "x", 1), (3, "y", 1)], "started", "2026-01-01T00:00:02.000Z"),
        ([(1, "x", 1), (2, "x", 1), (3, "x", -1)], "counted", None),
        ([(1, "x", 1), (2, "x", 1), (11, "x", -1)], "counted", None),
    ],
)
def test_windows_of_matches_tell_up_to_when_they_are_told(
    tmp_path: Path, events: list[tuple[int, str, int]], disposition: str, told: str | None
) -> None:
    pattern: Json = {"type": "sql", "query": WINDOWS_OF_MATCHES}
    sent = [_at(second, "a", user=user, n=n) for second, user, n in events]

    shown = explain(tmp_path, pattern, sent, str(sent[-1]["id"]))

    assert shown["disposition"] == disposition
    assert shown["key"] == {"user": events[-1][1]}
    assert shown["state"].get("windows_told_until") == told
