"""`/schedules` over real HTTP."""

from pathlib import Path
from typing import Any

import pytest

from tests.make import make_document
from tests.server import READER, Answer, Served, serve

MINUTE_MS = 60_000
NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "time_zone": "Europe/Berlin"}


def post(folder: Path, *documents: Any, **how: Any) -> list[Answer]:
    async def use(server: Served) -> list[Answer]:
        return [await server.request("POST", "/schedules", json=one, **how) for one in documents]

    answers: list[Answer] = serve(folder, use)
    return answers


def test_a_schedule_is_shown_with_its_next_times(tmp_path: Path) -> None:
    (created,) = post(tmp_path, NIGHTLY)

    assert created.status == 201
    assert created.headers["Location"] == f"/schedules/{created.body['id']}"
    assert created.headers["Etag"] == '"1"'
    assert created.body.pop("id").startswith("sch_")
    assert created.body == {
        **NIGHTLY,
        "enabled": True,
        "version": 1,
        "owned_by": None,
        "effective_time_zone": "Europe/Berlin",
        "next_at": "2026-01-01T01:30:00.000Z",
        "upcoming": [f"2026-01-0{day}T01:30:00.000Z" for day in range(1, 6)],
        "last_at": None,
        "missed": 0,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    }


def test_what_it_fires_is_an_event_like_others(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any]:
        await server.request("POST", "/schedules", json={"name": "tick", "every": "1m"})
        await server.world.settle_after(MINUTE_MS)
        events = await server.request("GET", "/events?type=schedule.fired")
        return events.body["data"], (await server.request("GET", "/schedules/tick")).body

    (event,), shown = serve(tmp_path, use)

    assert (event["source"], event["subject"]) == ("oncue", "tick")
    assert event["data"]["schedule"]["scheduled_at"] == "2026-01-01T00:01:00.000Z"
    assert shown["last_at"] == "2026-01-01T00:01:00.000Z"
    assert shown["next_at"] == "2026-01-01T00:02:00.000Z"


def test_a_schedule_is_changed_by_a_patch(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        await server.request("POST", "/schedules", json=NIGHTLY)
        path = "/schedules/nightly"
        return [
            await server.request("PATCH", path, json={"cron": None, "every": "90s"}),
            await server.request(
                "PATCH", path, json={"enabled": False}, headers={"If-Match": '"1"'}
            ),
            await server.request("PATCH", path, json={"enabled": False}),
            await server.request("PATCH", path, json={"enabled": False}),
            await server.request("PATCH", path, json={"every": None}),
            await server.request("DELETE", path, headers={"If-Match": '"1"'}),
            await server.request("DELETE", path),
            await server.request("GET", path),
        ]

    changed, stale, paused, same, invalid, kept, deleted, gone = serve(tmp_path, use)

    assert changed.status == 200
    assert changed.body["next_at"] == "2026-01-01T00:01:30.000Z"
    assert (stale.status, kept.status) == (412, 412)
    assert (paused.body["next_at"], paused.body["upcoming"]) == (None, [])
    assert (paused.body["version"], same.body["version"]) == (3, 3)
    assert invalid.body["errors"] == [
        {"path": "", "message": "expected either 'cron' or 'every', got none"}
    ]
    assert (deleted.status, gone.status) == (204, 404)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    bad, never, text = post(
        tmp_path,
        {"name": "test", "every": "10ms", "misfire": "always", "data": [], "evry": "1m"},
        {"name": "never", "cron": "0 0 31 2 *"},
        "daily",
    )

    assert [bad.status, never.status, text.status] == [422, 422, 422]
    assert {problem["path"]: problem["message"] for problem in bad.body["errors"]} == {
        "name": "expected a name that is not reserved, got 'test'",
        "every": "expected a duration of at least '1s', got '10ms'",
        "misfire": "expected 'skip', 'fire_once' or 'fire_all', got 'always'",
        "data": "expected an object, got []",
        "evry": "expected no such field, got 'evry'; did you mean 'every'?",
    }


@pytest.mark.parametrize(
    ("key", "methods"),
    [(None, [401, 401]), (READER, [200, 403])],
    ids=["without a key", "who may only read"],
)
def test_who_may_do_what(tmp_path: Path, key: str | None, methods: list[int]) -> None:
    async def use(server: Served) -> list[int]:
        listed = await server.request("GET", "/schedules", key=key)
        made = await server.request("POST", "/schedules", key=key, json=NIGHTLY)
        return [listed.status, made.status]

    assert serve(tmp_path, use) == methods


def test_a_name_is_taken_once_and_a_repeat_gets_the_first_answer(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        once = {"Idempotency-Key": "k1"}
        other = {**NIGHTLY, "name": "other"}
        return [
            await server.request("POST", "/schedules", json=NIGHTLY, headers=once),
            await server.request("POST", "/schedules", json=NIGHTLY, headers=once),
            await server.request("POST", "/schedules", json=other, headers=once),
            await server.request("POST", "/schedules", json=NIGHTLY),
        ]

    first, again, differs, taken = serve(tmp_path, use)

    assert (first.status, again.body) == (201, first.body)
    assert (differs.status, taken.status) == (409, 409)


def test_a_list_goes_by_pages(tmp_path: Path) -> None:
    async def use(server: Served) -> list[str]:
        for number in range(5):
            await server.request("POST", "/schedules", json={"name": f"s{number}", "every": "1h"})
        names: list[str] = []
        cursor = ""
        while True:
            page = (await server.request("GET", f"/schedules?limit=2{cursor}")).body
            names += [row["name"] for row in page["data"]]
            if page["next_cursor"] is None:
                return names
            cursor = f"&cursor={page['next_cursor']}"

    assert serve(tmp_path, use) == ["s4", "s3", "s2", "s1", "s0"]


def test_what_a_workflow_owns_is_changed_there(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        on = {"type": "schedule", "cron": "0 7 * * MON-FRI", "time_zone": "Europe/Berlin"}
        workflow = await server.request("POST", "/workflows", json=make_document(on=on))
        path = "/schedules/greet"
        shown = await server.request("GET", path)
        assert shown.body["owned_by"] == workflow.body["id"]
        patched = await server.request("PATCH", path, json={"enabled": False})
        return [patched, await server.request("DELETE", path)]

    patched, deleted = serve(tmp_path, use)

    assert (patched.status, deleted.status) == (409, 409)
    assert "belongs to a workflow: change the workflow's `on`" in patched.body["detail"]


def test_its_events_count_in_no_quota_and_its_pattern_is_found_by_an_index(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, ...]:
        on = {"type": "schedule", "every": "1m"}
        await server.request("POST", "/workflows", json=make_document(on=on))
        account = (await server.request("GET", "/account")).body["id"]
        quotas = {"name": "shop", "quotas": {"max_events_per_month": 1}}
        await server.request("PATCH", f"/accounts/{account}", json=quotas)
        await server.world.settle_after(MINUTE_MS, MINUTE_MS)
        (pattern,) = (await server.request("GET", "/patterns")).body["data"]
        usage = (await server.request("GET", "/account")).body["usage"]
        sent = await server.request("POST", "/events", json={"type": "order.paid"})
        return usage["events"], usage["executions"], sent.status, pattern["cost_class"]

    assert serve(tmp_path, use) == (0, 2, 202, "indexed")


def test_the_time_zone_of_an_account_moves_its_schedules(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        account = (await server.request("GET", "/account")).body
        made = await server.request("POST", "/schedules", json={"name": "s", "cron": "0 9 * * *"})
        path = f"/accounts/{account['id']}"
        bad = await server.request("PATCH", path, json={"name": "shop", "time_zone": "Mars"})
        change = {"name": "shop", "time_zone": "Asia/Tokyo"}
        moved = await server.request("PATCH", path, json=change)
        shown = (await server.request("GET", "/schedules/s")).body
        return [
            account["time_zone"],
            made.body["next_at"],
            bad.body["errors"][0]["path"],
            moved.body["time_zone"],
            (shown["next_at"], shown["effective_time_zone"], shown["version"]),
        ]

    assert serve(tmp_path, use) == [
        "UTC",
        "2026-01-01T09:00:00.000Z",
        "time_zone",
        "Asia/Tokyo",
        ("2026-01-02T00:00:00.000Z", "Asia/Tokyo", 1),
    ]
