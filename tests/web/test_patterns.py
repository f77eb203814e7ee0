"""`/patterns` over real HTTP, and what becomes of events."""

from pathlib import Path
from typing import Any

import pytest

from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.templates import TEMPLATES
from tests.make import make_document
from tests.server import READER, Answer, Served, serve


def _pattern(**changes: Any) -> dict[str, Any]:
    pattern = {"type": "event", "event": "order.*", **changes.pop("pattern", {})}
    return {"name": "orders", "pattern": pattern, **changes}


async def _send(server: Served, *events: dict[str, Any]) -> None:
    for event in events:
        answer = await server.request("POST", "/events", json={"type": "order.paid", **event})
        assert answer.status == 202
    await server.world.engine.settled()


async def _matches(server: Served, pattern: str = "orders") -> list[Any]:
    page = await server.request("GET", f"/patterns/{pattern}/matches")
    return list(reversed(page.body["data"]))


def test_a_pattern_sees_what_is_accepted_after_its_answer(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, list[Any], Answer]:
        await _send(server, {"id": "before"})
        created = await server.request("POST", "/patterns", json=_pattern())
        await _send(server, {"id": "after", "data": {"n": 1}})
        return created, await _matches(server), await server.request("GET", "/patterns/orders")

    created, matches, shown = serve(tmp_path, use)

    assert created.status == 201
    assert created.headers["Location"] == f"/patterns/{created.body['id']}"
    assert created.headers["Etag"] == '"1"'
    assert created.body["stats"]["matches"] == 0
    (match,) = matches
    assert match["id"].startswith("mat_")
    assert match["events"][0] == {
        "id": "after",
        "source": "api",
        "type": "order.paid",
        "subject": None,
        "time": "2026-01-01T00:00:00.000Z",
        "data": {"n": 1},
        "offset": 3,
    }
    del match["events"], match["id"], match["pattern_id"]
    assert match == {
        "pattern": "orders",
        "pattern_version": 1,
        "state_version": 1,
        "kind": "matched",
        "key": {},
        "time": "2026-01-01T00:00:00.000Z",
        "detected_at": "2026-01-01T00:00:00.000Z",
        "match_number": None,
        "event_count": 1,
        "first_offset": 3,
        "last_offset": 3,
        "bindings": {},
        "values": {},
        "window": None,
        "score": None,
        "suppressed": 0,
        "revision": 0,
        "outcome": None,
    }
    assert shown.body["stats"] == {
        "matches": 1,
        "last_match_at": "2026-01-01T00:00:00.000Z",
        "where_errors": 0,
        "missing_keys": 0,
        "late": 0,
        "keys_refused": 0,
        "keys": 0,
        "watermark": None,
        "failures": [],
    }


@pytest.mark.parametrize(
    ("input_", "expected", "outcome"),
    [
        pytest.param(None, {"n": 7}, "execution_id", id="the event's data"),
        pytest.param({"m": "{{ event.data.n + 1 }}", "of": "{{ match.pattern }}"}, {"m": 8, "of": "orders"}, "execution_id", id="a template"),
        pytest.param({"m": "{{ event.data.missing }}"}, None, "skipped", id="a template of what is missing"),
    ],
)  # fmt: skip
def test_a_match_starts_the_workflow_with_the_input(
    tmp_path: Path, input_: Any, expected: Any, outcome: str
) -> None:
    async def use(server: Served) -> tuple[list[Any], list[Any]]:
        await server.request("POST", "/workflows", json=make_document(on=[]))
        changes = {} if input_ is None else {"input": input_}
        await server.request("POST", "/patterns", json=_pattern(workflow="greet", **changes))
        await _send(server, {"data": {"n": 7}})
        listed = (await server.request("GET", "/executions")).body["data"]
        shown = [await server.request("GET", f"/executions/{row['id']}") for row in listed]
        return await _matches(server), [answer.body["input"] for answer in shown]

    matches, inputs = serve(tmp_path, use)

    assert list(matches[0]["outcome"]) == [outcome]
    assert inputs == ([] if expected is None else [expected])


def test_a_disabled_workflow_has_its_matches_recorded_and_starts_nothing(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[Any], int]:
        await server.request("POST", "/workflows", json=make_document(on=[], enabled=False))
        await server.request("POST", "/patterns", json=_pattern(workflow="greet"))
        await _send(server, {})
        listed = await server.request("GET", "/executions")
        return await _matches(server), len(listed.body["data"])

    matches, count = serve(tmp_path, use)

    assert matches[0]["outcome"] == {"skipped": "workflow 'greet' is disabled or was deleted"}
    assert count == 0


@pytest.mark.parametrize(
    ("cooldown", "by", "admitted"),
    [
        pytest.param("10s", ["event.subject"], [("a", 0, 0), ("b", 5, 0), ("a", 10, 2)], id="per key"),
        pytest.param({"for": "10s", "per": "pattern"}, ["event.subject"], [("a", 0, 0), ("a", 10, 3)], id="per pattern"),
        pytest.param("10s", [], [("a", 0, 0), ("a", 10, 3)], id="without a key"),
        pytest.param(None, ["event.subject"], [("a", 0, 0), ("a", 9, 0), ("b", 5, 0), ("a", -30, 0), ("a", 10, 0)], id="none"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_cooldown_suppresses_in_event_time_and_counts(
    tmp_path: Path,
    cooldown: Any,
    by: list[str],
    admitted: list[tuple[str, int, int]],
    *,
    is_restarted: bool,
) -> None:
    changes = {"by": by} if cooldown is None else {"by": by, "cooldown": cooldown}
    events = [
        {"id": f"{subject}{at}", "subject": subject, "time": f"2026-01-01T00:00:{30 + at:02}Z"}
        for subject, at in [("a", 0), ("a", 9), ("b", 5), ("a", -30), ("a", 10)]
    ]

    async def first(server: Served) -> None:
        await server.request("POST", "/patterns", json=_pattern(pattern=changes))
        await _send(server, *events[:3])

    async def then(server: Served) -> list[Any]:
        await _send(server, *events[3:])
        return await _matches(server)

    async def both(server: Served) -> list[Any]:
        await first(server)
        return await then(server)

    if is_restarted:
        serve(tmp_path, first)
    found = serve(tmp_path, then if is_restarted else both)

    shown = {
        (m["events"][0]["subject"], int(m["time"][17:19]) - 30, m["suppressed"]) for m in found
    }
    assert shown == set(admitted)


def test_only_a_change_of_what_it_matches_begins_a_new_state(tmp_path: Path) -> None:
    async def use(server: Served) -> list[tuple[int, int]]:
        await server.request("POST", "/patterns", json=_pattern())
        versions = []
        for patch in (
            {"description": "x"},
            {"description": "x"},
            {"pattern": {"cooldown": "1m"}},
            {"pattern": {"where": "event.data.n > 1"}},
            {"enabled": False},
            {"enabled": True},
            {"name": "all-orders"},
        ):
            path = f"/patterns/{'orders'}"
            body = (await server.request("PATCH", path, json=patch)).body
            versions.append((body["version"], body["state_version"]))
        return versions

    assert serve(tmp_path, use) == [(2, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)]


def test_a_disabled_pattern_matches_nothing_until_it_is_enabled(tmp_path: Path) -> None:
    async def use(server: Served) -> list[str]:
        await server.request("POST", "/patterns", json=_pattern())
        for number, enabled in enumerate((True, False, True)):
            await server.request("PATCH", "/patterns/orders", json={"enabled": enabled})
            await _send(server, {"id": f"{number}"})
        await server.request("DELETE", "/patterns/orders")
        await _send(server, {"id": "3"})
        again = await server.request("POST", "/patterns", json=_pattern())
        assert again.status == 201
        listed = await server.request("GET", "/patterns")
        assert [row["id"] for row in listed.body["data"]] == [again.body["id"]]
        old = (await server.request("GET", f"/patterns/{again.body['id']}/matches")).body["data"]
        assert old == []
        return [event["id"] for event in (await server.request("GET", "/events")).body["data"]]

    assert serve(tmp_path, use) == ["3", "2", "1", "0"]


def test_the_patterns_of_a_workflow_are_listed_and_changed_with_it_alone(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[Any], list[int], list[Any]]:
        triggers = [{"type": "event", "event": "order.paid"}, {"type": "event", "event": "x"}]
        await server.request("POST", "/workflows", json=make_document(on=triggers))
        listed = (await server.request("GET", "/patterns")).body["data"]
        refused = [
            await server.request("PATCH", "/patterns/greet", json={"enabled": False}),
            await server.request("DELETE", "/patterns/greet-2"),
        ]
        await _send(server, {})
        return listed, [answer.status for answer in refused], await _matches(server, "greet")

    listed, refused, matches = serve(tmp_path, use)

    assert sorted(row["name"] for row in listed) == ["greet", "greet-2"]
    assert {row["owned_by"][:3] for row in listed} == {"wf_"}
    assert refused == [409, 409]
    assert len(matches) == 1


def test_each_event_tells_what_became_of_it(tmp_path: Path) -> None:
    async def use(server: Served) -> dict[str, list[tuple[str, str, str | None]]]:
        for document in (
            _pattern(name="a", pattern={"conditions": {"plan": "pro"}}),
            _pattern(name="b", pattern={"where": "event.data.n > 1"}),
            _pattern(name="c", pattern={"by": ["event.data.user"]}),
            _pattern(name="d", pattern={"source": "shop"}),
            _pattern(name="e", pattern={"cooldown": "1h"}),
            _pattern(name="f", pattern={"event": "sign.up"}),
        ):
            assert (await server.request("POST", "/patterns", json=document)).status == 201
        await _send(
            server,
            {"id": "1", "source": "shop", "data": {"plan": "pro", "n": 2, "user": 1}},
            {"id": "2", "data": {"plan": "free"}},
        )
        found = {}
        for id_ in "12":
            body = (await server.request("GET", f"/events/{id_}")).body
            found[id_] = [
                (d["pattern"], d["disposition"], d["clause"]) for d in body["dispositions"]
            ]
        counted = (await server.request("GET", "/patterns/b")).body["stats"]["where_errors"]
        missing = (await server.request("GET", "/patterns/c")).body["stats"]["missing_keys"]
        assert (counted, missing) == (1, 1)
        return found

    found = serve(tmp_path, use)

    assert sorted(found["1"]) == [(name, "matched", None) for name in "abcde"]
    assert sorted(found["2"]) == [
        ("a", "filtered", "conditions.plan"),
        ("b", "filtered", "where"),
        ("c", "no_key", "by"),
        ("d", "filtered", "source"),
        ("e", "suppressed", "cooldown"),
    ]


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        pytest.param([], [""], id="a list"),
        pytest.param({}, ["name", "pattern"], id="nothing"),
        pytest.param(_pattern(name="Test"), ["name"], id="upper case"),
        pytest.param(_pattern(name="templates"), ["name"], id="a reserved name"),
        pytest.param(_pattern(workflow="none"), ["workflow"], id="an unknown workflow"),
        pytest.param(_pattern(pattern={"type": "sequences"}), ["pattern.type"], id="an unknown kind"),
        pytest.param(_pattern(pattern={"event": "a b"}), ["pattern.event"], id="no type"),
        pytest.param(_pattern(pattern={"event": []}), ["pattern.event"], id="no types"),
        pytest.param(
            _pattern(input="{{ evnt }}", pattern={"where": "event.data.", "by": ["1 +"], "conditions": {"a": []}}),
            ["pattern.conditions.a", "pattern.where", "pattern.by[0]", "input"],
            id="all at once",
        ),
        pytest.param(_pattern(pattern={"cooldown": "soon"}), ["pattern.cooldown"], id="no duration"),
        pytest.param(_pattern(pattern={"cooldown": {"for": "1s", "per": "day"}}), ["pattern.cooldown.per"], id="per what"),
        pytest.param(_pattern(patern={}), ["patern"], id="an unknown field"),
    ],
)  # fmt: skip
def test_a_document_that_is_no_pattern_is_refused_with_all_paths(
    tmp_path: Path, document: Any, paths: list[str]
) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        refused = await server.request("POST", "/patterns", json=document)
        return refused, await server.request("GET", "/patterns")

    refused, listed = serve(tmp_path, use)

    assert refused.status == 422
    assert [error["path"] for error in refused.body["errors"]] == paths
    assert listed.body["data"] == []


def test_names_are_taken_once_keys_need_scopes_and_old_versions_are_not_overwritten(
    tmp_path: Path,
) -> None:
    async def use(server: Served) -> list[int]:
        answers = [
            await server.request("POST", "/patterns", json=_pattern()),
            await server.request("POST", "/patterns", json=_pattern()),
            await server.request("POST", "/patterns", json=_pattern(name="b"), key=READER),
            await server.request(
                "PATCH", "/patterns/orders", json={"title": "x"}, headers={"If-Match": '"7"'}
            ),
            await server.request("GET", "/patterns/none"),
            await server.request("PATCH", "/patterns/orders", json=[1]),
        ]
        return [answer.status for answer in answers]

    assert serve(tmp_path, use) == [201, 409, 403, 412, 404, 422]


def test_a_statement_is_matched_row_by_row(tmp_path: Path) -> None:
    query = (
        "SELECT m.customer, m.total FROM (SELECT time, subject AS customer, data.amount AS amount"
        " FROM events WHERE type = 'order.paid') MATCH_RECOGNIZE (PARTITION BY customer"
        " ORDER BY time MEASURES SUM(amount) AS total PATTERN (LARGE LARGE)"
        " DEFINE LARGE AS amount > 100) AS m"
    )

    async def use(server: Served) -> tuple[Answer, list[Any], Answer]:
        pattern = {"type": "sql", "query": query}
        created = await server.request(
            "POST", "/patterns", json={"name": "orders", "pattern": pattern}
        )
        for id_, amount in (("a", 150), ("b", 50), ("c", 200), ("d", 300)):
            await _send(server, {"id": id_, "subject": "ada", "data": {"amount": amount}})
        wrong = {"type": "sql", "query": f"{query}\nLIMIT 1"}
        refused = await server.request("POST", "/patterns", json={"name": "x", "pattern": wrong})
        return created, await _matches(server), refused

    created, (match,), refused = serve(tmp_path, use)

    assert (created.status, created.body["cost_class"]) == (201, "indexed")
    assert created.body["warnings"] == [
        {
            "path": "pattern.query",
            "message": "line 1, column 129: without WITHIN a match that is open is decided after"
            " 24h: say how long it may take",
        }
    ]
    assert match["values"] == {"customer": "ada", "total": 500}
    assert match["key"] == {"customer": "ada"}
    assert {name: [e["id"] for e in of] for name, of in match["bindings"].items()} == {
        "LARGE": ["c", "d"]
    }
    assert (refused.status, refused.body["errors"][0]["path"]) == (422, "pattern.query")
    assert refused.body["errors"][0]["message"].startswith("line 2, column 1: expected a query")


def test_templates_are_patterns(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("GET", "/patterns/templates")

    listed = serve(tmp_path, use).body["data"]

    assert [parse_pattern(template).definition.name for template in listed] == [
        template["name"] for template in TEMPLATES
    ]


SCAN = "event.data.text.contains('a') || event.data.text.matches('b+')"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param({"type": "event", "event": "a"}, "indexed", id="a type"),
        pytest.param(
            {"type": "event", "event": "a", "where": "event.data.kind == 'x' && event.data.n > 1"},
            "indexed",
            id="an equality",
        ),
        pytest.param(
            {"type": "event", "event": "a", "where": SCAN}, "scan", id="nothing to look up"
        ),
    ],
)
def test_a_pattern_says_whether_an_index_finds_it(
    tmp_path: Path, pattern: Any, expected: str
) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("POST", "/patterns", json={"name": "p", "pattern": pattern})

    assert serve(tmp_path, use).body["cost_class"] == expected


def test_patterns_that_no_index_finds_are_admitted_against_a_budget(tmp_path: Path) -> None:
    scan = " || ".join([SCAN] * 8)

    async def use(server: Served) -> tuple[Answer, Answer, Answer]:
        for number in range(100):
            pattern = {"type": "event", "event": "a", "where": scan}
            body = {"name": f"p-{number}", "pattern": pattern}
            refused = await server.request("POST", "/patterns", json=body)
            if refused.status != 201:
                break
        other = {"type": "event", "event": "b", "where": scan}
        workflow = make_document(on={"type": "event", "event": "a", "where": scan})
        return (
            refused,
            await server.request("POST", "/workflows", json=workflow),
            await server.request("POST", "/patterns", json={"name": "other", "pattern": other}),
        )

    refused, workflow, other = serve(tmp_path, use)

    assert refused.status == workflow.status == 422
    assert [error["path"] for error in refused.body["errors"]] == ["pattern.where"]
    assert "event.data.kind == 'a'" in refused.body["errors"][0]["message"]
    assert other.status == 201


def test_a_pattern_whose_workflow_was_deleted_can_still_be_changed(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        await server.request("POST", "/workflows", json=make_document(name="gone"))
        await server.request("POST", "/patterns", json=_pattern(workflow="gone"))
        await server.request("DELETE", "/workflows/gone")
        disabled = await server.request("PATCH", "/patterns/orders", json={"enabled": False})
        other = await server.request("PATCH", "/patterns/orders", json={"workflow": "never"})
        return disabled, other

    disabled, other = serve(tmp_path, use)

    assert (disabled.status, disabled.body["enabled"]) == (200, False)
    assert other.status == 422
    assert other.body["errors"][0]["path"] == "workflow"


@pytest.mark.parametrize("max_events", [0, 1, 2])
@pytest.mark.parametrize("measure", ["count", "p90"])
def test_matches_of_one_instant_are_told_apart_though_they_name_few_events(
    tmp_path: Path, measure: str, max_events: int
) -> None:
    pattern = _pattern(
        pattern={
            "type": "threshold",
            "measure": measure,
            **({} if measure == "count" else {"of": "event.data.n"}),
            "value": 1,
            "window": "1h",
            "rearm": "every",
            "max_events": max_events,
        }
    )

    async def use(server: Served) -> list[Any]:
        await server.request("POST", "/patterns", json=pattern)
        same: dict[str, Any] = {"data": {"n": 7}, "time": "2026-01-01T00:00:00Z"}
        await _send(server, same, same, same, same)
        return await _matches(server)

    matches = serve(tmp_path, use)

    assert sorted(match["event_count"] for match in matches) == [1, 2, 3, 4]


@pytest.mark.parametrize("value", [True, "5", None, [1]])
def test_a_threshold_is_a_number(tmp_path: Path, value: Any) -> None:
    pattern = _pattern(pattern={"type": "threshold", "value": value, "window": "1h"})

    async def use(server: Served) -> Answer:
        return await server.request("POST", "/patterns", json=pattern)

    refused = serve(tmp_path, use)

    assert refused.status == 422
    assert [problem["path"] for problem in refused.body["errors"]] == ["pattern.value"]
