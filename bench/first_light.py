"""
How fast is the way from an event to its calls? `python -m bench.first_light`

The load comes from this process, over public HTTP; the server runs in its own
with default settings. An execution counts only if `GET /executions/{id}` shows
all its steps. Each figure stands beside its floor, measured in the same run.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.floors import ASGI, fsyncs_per_second, journal_executions_per_second
from bench.http import Connection, Stub, start_stub, stopwatch

KEY = "bench"
CONNECTIONS = 64
POSTS = 8_000
EXECUTIONS = 1_000
CONCURRENCY = 100
PROBES = 300
PROBES_PER_SECOND = 50


def five_calls(port: int) -> dict[str, object]:
    """A workflow of five HTTP calls."""
    url = f"http://127.0.0.1:{port}/{{{{ event.id }}}}"
    return {
        "name": "five-calls",
        "on": {"type": "event", "event": "bench.run"},
        "steps": [
            {"id": f"s{n}", "type": "action", "action": "http_request", "with": {"url": f"{url}/{n}"}}
            for n in range(5)
        ],
    }


async def concurrently(port: int, requests: list[dict[str, object]], connections: int) -> list[bytes]:
    """Post events over a number of connections; return the answers."""
    queue = iter(requests)
    answers: list[bytes] = []

    async def post_all() -> None:
        connection = await Connection.open(port)
        for event in queue:
            status, body = await connection.send("POST", "/events", KEY, event)
            if status != 202:
                raise RuntimeError(f"expected 202, got {status}: {body!r}")
            answers.append(body)
        connection.close()

    await asyncio.gather(*(post_all() for _ in range(connections)))
    return answers


async def posts_per_second(port: int) -> float:
    events = [{"type": "page.viewed", "data": {"page": f"/{n}"}} for n in range(POSTS)]
    with stopwatch() as seconds:
        await concurrently(port, events, CONNECTIONS)
    return POSTS / seconds[0]


async def executions_per_second(port: int) -> float:
    """Keep CONCURRENCY executions going; each new one starts when one has made its last call."""
    ids = iter([f"run-{n}" for n in range(EXECUTIONS)])

    async def run() -> None:
        connection = await Connection.open(port)
        for event_id in ids:
            event: dict[str, object] = {"type": "bench.run", "id": event_id}
            await connection.send("POST", "/events", KEY, event)
            while f"/{event_id}/4" not in Stub.arrivals:
                await asyncio.sleep(0.002)
        connection.close()

    with stopwatch() as seconds:
        await asyncio.gather(*(run() for _ in range(CONCURRENCY)))
    counted = await count_complete(port)
    if counted != EXECUTIONS:
        raise RuntimeError(f"expected {EXECUTIONS} complete executions, got {counted}")
    return EXECUTIONS / seconds[0]


async def count_complete(port: int) -> int:
    connection = await Connection.open(port)
    complete, cursor = 0, ""
    while True:
        _, body = await connection.send("GET", f"/executions?limit=500{cursor}", KEY)
        page = json.loads(body)
        for row in page["data"]:
            _, body = await connection.send("GET", f"/executions/{row['id']}", KEY)
            steps = json.loads(body)["steps"]
            complete += len(steps) == 5 and all(step["status"] == "completed" for step in steps)
        if page["next_cursor"] is None:
            return complete
        cursor = f"&cursor={page['next_cursor']}"


async def event_to_call(port: int) -> list[float]:
    """Return the milliseconds from before a post to the first call, at light load."""
    connection = await Connection.open(port)
    sent: dict[str, float] = {}
    for n in range(PROBES):
        event_id = f"probe-{n}"
        sent[event_id] = time.perf_counter()
        await connection.send("POST", "/events", KEY, {"type": "bench.run", "id": event_id})
        await asyncio.sleep(1 / PROBES_PER_SECOND)
    while any(f"/{event_id}/4" not in Stub.arrivals for event_id in sent):
        await asyncio.sleep(0.01)
    connection.close()
    return [(Stub.arrivals[f"/{e}/0"] - start) * 1_000 for e, start in sent.items()]


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    server = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def say(name: str, value: float, unit: str, floor: str) -> None:
    sys.stdout.write(f"{name:34} {value:9,.1f} {unit:7} {floor}\n")


async def measure(port: int) -> None:
    stub, stub_port = await start_stub()
    connection = await Connection.open(port)
    status, body = await connection.send("POST", "/workflows", KEY, five_calls(stub_port))
    if status != 201:
        raise RuntimeError(body.decode())
    connection.close()
    latencies = sorted(await event_to_call(port))
    rate = await executions_per_second_of(port)
    posts = await posts_per_second(port)
    stub.close()
    FIGURES.update(
        posts=posts, executions=rate, p50=statistics.median(latencies),
        p99=latencies[int(len(latencies) * 0.99)],
    )  # fmt: skip


FIGURES: dict[str, float] = {}


async def executions_per_second_of(port: int) -> float:
    before = await count_complete(port)
    if before != PROBES:
        raise RuntimeError(f"expected {PROBES} complete executions of the probes, got {before}")
    return await executions_per_second(port)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fsyncs = fsyncs_per_second(folder)
        journal = journal_executions_per_second(folder, CONCURRENCY)
        port = free_port()
        with running([sys.executable, "-c", ASGI, str(port)], port):
            asgi = asyncio.run(posts_per_second(port))
        port = free_port()
        command = [sys.executable, "-m", "oncue", "up", "--port", str(port), "--data", f"{name}/data"]
        allow = {"ONCUE_API_KEY": KEY, "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}
        with running(command, port, **allow):
            asyncio.run(measure(port))
    f = FIGURES
    say("single posts", f["posts"], "/s", f"{f['posts'] / asgi:.2f} of raw ASGI ({asgi:,.0f}/s)")
    say(
        "five-call executions", f["executions"], "/s",
        f"{f['executions'] / journal:.2f} of the bare journal ({journal:,.0f}/s)",
    )  # fmt: skip
    for quantile in ("p50", "p99"):
        fsync_ms = 1_000 / fsyncs
        say(
            f"event to first call, {quantile}", f[quantile], "ms",
            f"{f[quantile] / fsync_ms:.1f} fsyncs of {fsync_ms:.2f} ms ({fsyncs:,.0f}/s)",
        )  # fmt: skip


if __name__ == "__main__":
    main()
