"""A disk that fills up: all writes are refused in words, nothing is lost, and it goes on by itself."""

import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.running import Running, eventually, run_to_end, up
from tests.tmpfs import small_disk

NAP: dict[str, Any] = {
    "name": "nap",
    "on": {"type": "event", "event": "disk.tick"},
    "steps": [
        {"id": "before", "type": "transform", "output": 1},
        {"id": "wait", "type": "delay", "for": "1s"},
        {
            "id": "count",
            "type": "action",
            "action": "kv_increment",
            "with": {"key": "naps"},
            "retry": {"attempts": 50, "delay": "200ms", "max_delay": "500ms"},
        },
    ],
}
PAD = "x" * 20_000
OTHER: dict[str, Any] = {
    "name": "other",
    "on": {"type": "event", "event": "disk.other"},
    "steps": [{"id": "pad", "type": "transform", "output": PAD}],
}
REFUSED = "expected room on the disk, got none"


async def send(server: Running, number: int) -> tuple[int, Any, str | None]:
    event = {"type": "disk.tick", "id": f"e-{number}", "data": PAD}
    async with server.session.post("/events", json=event) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


async def fill(server: Running, ballast: Path, accepted: list[str]) -> Any:
    """Fill the disk, then send events until one is refused; return that answer."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))
    for number in range(2_000):
        status, body, retry_after = await send(server, number)
        if status != 202:
            return status, body["detail"], retry_after
        accepted.append(f"e-{number}")
    return None


async def refusals(server: Running) -> dict[str, tuple[int, str]]:
    """Return what the other writes are answered."""
    found = {}
    # What they write before it may still fit into blocks that are there.
    for name, method, path, body in (
        ("kv", "PUT", "/kv/state/{}", {"value": PAD}),
        ("catalog", "POST", "/workflows", OTHER),
        ("ready", "GET", "/ready", None),
    ):
        for number in range(500):
            given = body and {**body, **({"name": f"other-{number}"} if "name" in body else {})}
            async with server.session.request(method, path.format(number), json=given) as answer:
                if answer.status >= 300:
                    found[name] = answer.status, (await answer.json())["detail"]
                    break
    return found


async def doctor(data: Path) -> tuple[int, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oncue", "doctor", "--data", str(data),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, output.decode()


def test_a_full_disk_refuses_in_words_and_recovery_needs_no_restart(tmp_path: Path) -> None:
    async def main(data: Path) -> Any:
        accepted: list[str] = []
        async with up(data, {}) as server:
            await server.post("/workflows", NAP)
            for number in range(10):
                await send(server, 10_000 + number)
                accepted.append(f"e-{10_000 + number}")
            answer = await fill(server, data / "ballast", accepted)
            others = await refusals(server)
            told = await doctor(data)
            shown = await server.get("/events?limit=1")
            (data / "ballast").unlink()
            status, *_ = await send(server, 20_000)
            accepted.append("e-20000")

            async def is_done() -> bool:
                page = await server.get("/monitoring/dashboard")
                return set(page["executions"]["by_status"]) == {"completed"} and page["executions"][
                    "by_status"
                ]["completed"] >= len(accepted)

            await eventually(is_done)
            ready = await server.get("/ready")
            naps = (await server.get("/kv/state/naps"))["value"]
            kept = [event["id"] for event in await all_events(server)]
        return accepted, answer, others, told, shown, status, ready, naps, kept

    with small_disk(tmp_path / "data", 24) as data:
        accepted, answer, others, told, shown, status, ready, naps, kept = asyncio.run(main(data))

    assert answer == (503, REFUSED, "10")
    assert others == {"kv": (503, REFUSED), "catalog": (503, REFUSED), "ready": (503, REFUSED)}
    assert told[0] == 1
    assert f"{data}: {REFUSED}" in told[1]
    assert len(shown["data"]) == 1
    assert (status, ready["status"]) == (202, "ready")
    assert Counter(kept) == Counter(accepted)
    assert naps == len(accepted)


async def all_events(server: Running) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        page = await server.get(f"/events?type=disk.tick&limit=100{cursor}")
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_nothing_starts_on_a_disk_that_takes_no_write(tmp_path: Path) -> None:
    async def main(data: Path) -> Any:
        return await run_to_end(data, {}, "--port", "0"), await doctor(data)

    with small_disk(tmp_path / "data", 1, "ro") as data:
        (code, words), (verdict, found) = asyncio.run(main(data))

    assert (code, verdict) == (1, 1)
    assert "Read-only file system" in words
    assert "Traceback" not in words
    assert "cannot be written" in found
