"""`oncue backup` under load, and what `oncue restore` makes of it."""

import asyncio
import itertools
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.running import Running, eventually, up

NAP: dict[str, Any] = {
    "name": "nap",
    "on": {"type": "event", "event": "load.tick"},
    "steps": [
        {"id": "before", "type": "transform", "output": 1},
        {"id": "wait", "type": "delay", "for": "3s"},
        {"id": "after", "type": "transform", "output": 2},
    ],
}
CONNECTION = {
    "name": "crm",
    "integration": "hubspot",
    "values": {"api_key": "pat-na1-0123456789"},
}
BATCH = 5
ROUNDS = 40


async def oncue(*words: str, stdin: bytes | None = None) -> tuple[int, bytes, str]:
    """Return what a command of its own process ended with and said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oncue", *words,
        stdin=asyncio.subprocess.PIPE if stdin else None,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, error = await child.communicate(stdin)
    assert child.returncode is not None
    return child.returncode, output, error.decode()


async def rows(server: Running, path: str) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        page = await server.get(f"{path}{cursor}")
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def post_on(server: Running, accepted: list[str]) -> None:
    never = asyncio.get_running_loop().create_future()
    for number in itertools.count():
        ids = [f"e-{number}-{place}" for place in range(BATCH)]
        batch = [{"type": "load.tick", "id": id_} for id_ in ids]
        status, _ = await server.post("/events/batch", batch)
        assert status == 202
        accepted += ids
        # Load, and no flood that then takes long to be worked off.
        await asyncio.wait([never], timeout=0.02)


def test_a_backup_under_load_loses_nothing_that_was_accepted_before_it(tmp_path: Path) -> None:
    file, data, restored = tmp_path / "oncue.tar.gz", tmp_path / "data", tmp_path / "restored"

    async def main() -> Any:
        accepted: list[str] = []
        async with up(data, {}) as server:
            await server.post("/workflows", NAP)
            await server.post("/connections", CONNECTION)
            posting = asyncio.create_task(post_on(server, accepted))
            while len(accepted) < ROUNDS * BATCH:
                await asyncio.wait([posting], timeout=0.01)
            before = [*accepted]
            told = await oncue("backup", str(file), "--data", str(data), "--json")
            posting.cancel()
            held = await oncue("restore", str(file), "--data", str(data))
            await server.kill()
        again = await oncue("restore", str(file), "--data", str(restored))
        async with up(restored, {}) as server:

            async def are_done() -> bool:
                shown = await server.get("/monitoring/dashboard")
                by_status = shown["executions"]["by_status"]
                is_read = not shown["queues"]["events"]["depth"]
                return is_read and set(by_status) == {"completed"}

            await eventually(are_done)
            events = await rows(server, "/events?type=load.tick&limit=500")
            matches = await rows(server, "/patterns/nap/matches?limit=500")
            executions = await rows(server, "/executions?limit=500")
        return before, told, held, again, events, matches, executions

    before, told, held, again, events, matches, executions = asyncio.run(main())

    ids = {event["id"] for event in events}
    matched = Counter(match["events"][0]["id"] for match in matches)
    manifest = json.loads(told[1])
    assert told[0] == 0, told
    assert set(before) <= ids
    assert matched == Counter(ids)
    assert {row["id"] for row in executions} == {
        match["outcome"]["execution_id"] for match in matches
    }
    assert manifest["counts"]["open executions"] > 0
    assert manifest["counts"]["events"] == len(ids)
    # Into a folder on which a server runs nothing is restored.
    assert held[0] == 1
    assert "in use by process" in held[2]
    assert again[0] == 0
    assert f"encrypted under the key {manifest['encryption_keys'][0]}" in again[2]


def test_a_backup_goes_through_pipes_and_replaces_nothing(tmp_path: Path) -> None:
    data, restored = tmp_path / "data", tmp_path / "restored"

    async def main() -> Any:
        async with up(data, {}) as server:
            await server.post("/workflows", NAP)
            await server.terminate()
        (tmp_path / "there").write_text("mine")
        refused = await oncue("backup", str(tmp_path / "there"), "--data", str(data))
        _, content, _ = await oncue("backup", "-", "--data", str(data))
        piped = await oncue("restore", "-", "--data", str(restored), stdin=content)
        twice = await oncue("restore", "-", "--data", str(restored), stdin=content)
        (restored / "restoring").mkdir()
        half = await oncue("up", "--data", str(restored), "--port", "0")
        return refused, piped, twice, half

    refused, piped, twice, half = asyncio.run(main())

    assert [one[0] for one in (refused, piped, twice, half)] == [1, 0, 1, 1]
    assert (tmp_path / "there").read_text() == "mine"
    assert b"2 workflows" in piped[1]
    assert "expected an empty folder" in twice[2]
    assert "was broken off" in half[2]
