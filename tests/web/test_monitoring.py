"""What there is to look at: figures, attempts, the page."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from oncue.core.audit import masked
from oncue.core.errors import PermanentError, RetryableError
from tests.make import make_call, make_document
from tests.server import Answer, Served, serve


async def _run(server: Served, *events: dict[str, Any]) -> None:
    for event in events:
        await server.request("POST", "/events", json={"type": "user.signup", **event})
        await server.world.engine.settled()


def test_the_dashboard_counts_what_happened_in_its_range(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        document = make_document(steps=[make_call("welcome")])
        await server.request("POST", "/workflows", json=document)
        await server.request(
            "POST", "/workflows", json=make_document(name="off", on=[], enabled=False)
        )
        await _run(server, {"id": "old"})
        await server.world.settle_after(3_600_000)
        await _run(server, {"id": "1"}, {"id": "2", "type": "other"})
        await server.world.settle_after(60_000)
        server.world.actions.answers.append(PermanentError("expected less"))
        await _run(server, {"id": "3"})
        return (await server.request("GET", "/monitoring/dashboard?range=5m")).body

    board = serve(tmp_path, use)

    assert board["events"] == {
        "total": 3,
        "by_type": {"user.signup": 2, "other": 1},
        "series": [0, 0, 0, 2, 1],
        "lag": 0,
    }
    assert board["patterns"] == {"matches": 2, "paused": []}
    assert board["workflows"] == {"total": 2, "enabled": 1}
    assert board["executions"] == {
        "by_status": {"completed": 1, "failed": 1},
        "duration_ms": {"p50": 0, "p95": 0, "p99": 0},
        "series": [0, 0, 0, 1, 1],
    }
    assert board["archive"] == {
        "files": 0, "bytes": 0, "events": 0, "newest_at": None, "waiting": 0, "missing": 0,
        "failing_since": None,
    }  # fmt: skip
    assert board["queues"]["workflows"] == {"depth": 0, "oldest_age_s": 0, "dead": 1}
    assert [error["count"] for error in board["top_errors"]] == [1]
    assert "expected less" in board["top_errors"][0]["error"]


def test_the_audit_shows_each_attempt(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[Any], list[int]]:
        document = make_document(steps=[make_call("welcome"), make_call("again")])
        await server.request("POST", "/workflows", json=document)
        server.world.actions.answers.append(RetryableError("come again"))
        await _run(server, {"id": "1"})
        await server.world.settle_after(10_000)
        found = (await server.request("GET", "/monitoring/audit")).body["data"]
        counts = []
        for query in (
            "action=note",
            "action=sms",
            "workflow=greet",
            "workflow=x",
            f"execution={found[0]['execution']}",
        ):
            page = await server.request("GET", f"/monitoring/audit?{query}")
            counts.append(len(page.body["data"]))
        return found, counts

    found, counts = serve(tmp_path, use)

    assert [(row["step"], row["attempt"], row["status"]) for row in found] == [
        ("again", 1, "completed"),
        ("welcome", 2, "completed"),
        ("welcome", 1, "failed"),
    ]
    assert found[2]["error"] == "come again"
    assert found[1]["idempotency_key"] == found[2]["idempotency_key"]
    assert found[1]["input"] == {"text": "welcome"}
    assert found[1]["output"] == {"noted": "welcome"}
    assert found[1]["duration_ms"] == 0
    assert counts == [3, 0, 3, 0, 3]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"headers": {"X-Api-Key": "k", "Accept": "a"}}, {"headers": {"X-Api-Key": "***", "Accept": "a"}}),
        ([{"auth": {"type": "basic", "password": "p"}}], [{"auth": {"type": "basic", "password": "***"}}]),
        ({"token": ""}, {"token": ""}),
        ("token", "token"),
    ],
)  # fmt: skip
def test_what_opens_something_is_not_shown(value: Any, shown: Any) -> None:
    assert masked(value) == shown


def test_executions_are_listed_by_workflow_status_and_time(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        await server.request("POST", "/workflows", json=make_document())
        await _run(server, {"id": "1"})
        await server.world.settle_after(1_000)
        await _run(server, {"id": "2"})
        counts = []
        for query in (
            "",
            "?workflow=greet&status=completed",
            "?status=failed",
            "?workflow=x",
            "?from=2026-01-01T00:00:01Z",
            "?to=2026-01-01T00:00:01Z",
        ):
            page = await server.request("GET", f"/monitoring/executions{query}")
            counts.append(len(page.body["data"]))
        refused = await server.request("GET", "/monitoring/executions?status=done&from=now")
        assert [error["path"] for error in refused.body["errors"]] == ["status", "from"]
        return counts

    assert serve(tmp_path, use) == [2, 2, 0, 0, 1, 1]


def test_the_page_and_its_parts_need_no_key_and_allow_nothing_from_elsewhere(
    tmp_path: Path,
) -> None:
    async def use(server: Served) -> list[Answer]:
        return [
            await server.request("GET", path, key=None)
            for path in ("/", "/page.js", "/page.css", "/sql", "/sql.js", "/health", "/ready")
        ]

    page, script, style, console, asking, health, ready = serve(tmp_path, use)

    for answer in (page, script, style, console, asking):
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert script.body == (files("oncue.web") / "page" / "page.js").read_text()
    assert asking.body == (files("oncue.web") / "page" / "sql.js").read_text()
    assert (health.body["status"], ready.body["status"]) == ("ok", "ready")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/monitoring/dashboard?range=soon", 422),
        ("/monitoring/audit?limit=x", 422),
        ("/monitoring/audit?execution=none", 404),
        ("/monitoring/audit?cursor=x", 422),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, path: str, status: int) -> None:
    async def use(server: Served) -> int:
        return (await server.request("GET", path)).status

    assert serve(tmp_path, use) == status
