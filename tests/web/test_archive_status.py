"""What the operator sees of the archive."""

import json
from pathlib import Path
from typing import Any

from oncue.engine.retention import DAY_MS
from tests.installation import ACCOUNT
from tests.make import make_call, make_document
from tests.server import READER, Served, serve

GAUGES = ("bytes", "files", "events", "newest_timestamp_seconds", "waiting", "failing_since_timestamp_seconds")  # fmt: skip


async def figures(server: Served) -> dict[str, float]:
    text = (await server.request("GET", "/metrics")).body
    lines = dict(line.split() for line in text.splitlines() if line.startswith("oncue_archive_"))
    return {name: float(lines[f"oncue_archive_{name}"]) for name in GAUGES}


async def seen(server: Served) -> list[Any]:
    board = (await server.request("GET", "/monitoring/dashboard")).body["archive"]
    status = (await server.request("GET", "/monitoring/archive")).body
    ready = (await server.request("GET", "/ready")).body["archive"]
    return [status, board, await figures(server), ready]


def test_what_is_archived_what_waits_and_what_fails_are_told(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        for number in range(3):
            await server.request("POST", "/events", json={"type": "a", "id": f"{number}"})
        server.world.clock.advance(DAY_MS)
        await server.world.log.segments.drop(0, {})
        await server.request("POST", "/events", json={"type": "a"})
        found = await seen(server)
        obstacle = tmp_path / "archive"
        obstacle.write_text("a file")
        archiving = server.world.parts.archiving
        archiving.start()
        while not archiving.trouble:
            await server.request("GET", "/health")
        found += await seen(server)
        obstacle.unlink()
        server.world.clock.advance(60_000)
        while archiving.trouble:
            await server.request("GET", "/health")
        await archiving.stop()
        found += await seen(server)
        denied = await server.request("GET", "/monitoring/archive", key=READER)
        return [*found, denied.status]

    (
        status, board, gauges, ready,
        failing, failing_board, failing_gauges, failing_ready,
        mended, mended_board, mended_gauges, mended_ready,
        denied,
    ) = serve(tmp_path, use)  # fmt: skip

    nothing = {"files": 0, "bytes": 0, "events": 0, "newest_at": None, "missing": 0}
    assert status == {**nothing, "waiting": 3, "trouble": None}
    assert board["waiting"] == gauges["waiting"] == 3
    assert ready == mended_ready == "ok"
    assert failing_ready == "failing"
    assert "expected a disk that takes a write" in failing["trouble"]["message"]
    assert failing_board["failing_since"] == failing["trouble"]["since"]
    assert "message" not in json.dumps(failing_board)
    assert failing_gauges["failing_since_timestamp_seconds"] > 0
    assert (mended["files"], mended["events"], mended["waiting"]) == (1, 3, 0)
    assert mended["bytes"] == mended_board["bytes"] == mended_gauges["bytes"] > 0
    assert mended["trouble"] is None
    assert mended_gauges["newest_timestamp_seconds"] > 0
    assert mended_gauges["failing_since_timestamp_seconds"] == 0
    assert denied == 403


def test_executions_whose_events_were_dropped_are_shown_as_before(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        log = server.world.log
        document = make_document(steps=[make_call("welcome")])
        await server.request("POST", "/workflows", json=document)
        event = {"type": "user.signup", "id": "e-1", "data": {"n": 1}}
        await server.request("POST", "/events", json=event)
        await server.world.settle_after(1_000)
        (pattern,) = (await server.request("GET", "/patterns")).body["data"]
        (row,) = (await server.request("GET", "/executions")).body["data"]
        paths = (
            f"/executions/{row['id']}",
            "/executions",
            f"/monitoring/audit?execution={row['id']}",
            f"/patterns/{pattern['id']}/matches",
        )
        before = [(await server.request("GET", path)).body for path in paths]
        server.world.clock.advance(91 * DAY_MS)
        needed = {ACCOUNT: log.head(ACCOUNT)}
        # Sealed, archived, deleted from the log, and from the archive.
        await log.segments.drop(0, needed)
        await log.segments.archive_due()
        await log.segments.drop(server.world.clock.now_ms() - 90 * DAY_MS, needed)
        after = [(await server.request("GET", path)).body for path in paths]
        gone = [
            (await server.request("GET", path)).status
            for path in ("/events/e-1", f"/patterns/{pattern['id']}/explain?event=e-1")
        ]
        again = await server.request("POST", f"/executions/{row['id']}/replay", json={})
        await server.world.settle_after(1_000)
        replayed = await server.request("GET", f"/executions/{again.body['execution_id']}")
        return [before == after, gone, replayed.body["status"], [*(tmp_path / "log").glob("*.db")]]

    unchanged, gone, replayed, segments = serve(tmp_path, use)

    assert unchanged
    assert gone == [404, 404]
    assert replayed == "completed"
    assert [path.name for path in segments] == ["0000000000000002.db"]
