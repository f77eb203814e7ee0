"""
How fast is the way from an event to its calls? `make bench`, or `python -m bench.first_light`.

The load comes from this process, over public HTTP; the server runs in its own
with default settings. An execution counts only if `GET /executions/{id}` shows
all its steps. Each figure stands beside its floor, measured in the same run.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.floors import fsyncs_per_second, journal_executions_per_second, raw_asgi
from bench.http import Connection, Stub, free_port, running, start_stub, stopwatch

KEY = "bench"
CONNECTIONS = 64
POSTS = 12_000
BATCHES = 1_200
BATCH_SIZE = 100
BATCH_CONNECTIONS = 8
EXECUTIONS = 2_000
CONCURRENCY = 100
PROBES = 300
PROBES_PER_SECOND = 50
STEPS = 5
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of the server."""

    posts_per_second: float
    batched_per_second: float
    executions_per_second: float
    event_to_call_ms: list[float]


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fsyncs = fsyncs_per_second(folder)
        journal = journal_executions_per_second(folder, CONCURRENCY)
        with raw_asgi() as port:
            asgi = asyncio.run(posts_per_second(port))
        port = free_port()
        command = ["-m", "oncue", "up", "--port", str(port), "--data", str(folder / "data")]
        settings = {"ONCUE_API_KEY": KEY, "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}
        with running(command, port, settings):
            figures = asyncio.run(measure(port))
    posts, executions = figures.posts_per_second, figures.executions_per_second
    _say("single posts", posts, "/s", f"{posts / asgi:.2f} of raw ASGI ({asgi:,.0f}/s)")
    beside = f"{executions / journal:.2f} of the bare journal ({journal:,.0f}/s)"
    batched = figures.batched_per_second
    _say("events in batches of 100", batched, "/s", f"{batched / posts:.1f} of single posts")
    _say("executions of five HTTP calls", executions, "/s", beside)
    fsync_ms = 1_000 / fsyncs
    cuts = statistics.quantiles(figures.event_to_call_ms, n=100)
    for quantile in (50, 99):
        value = cuts[quantile - 1]
        beside = f"{value / fsync_ms:.1f} fsyncs of {fsync_ms:.2f} ms"
        _say(f"event to first call, p{quantile}", value, "ms", beside)


async def measure(port: int) -> Figures:
    """Return the figures of the server on `port`."""
    stub, stub_port = await start_stub()
    connection = await Connection.open(port)
    status, body = await connection.send("POST", "/workflows", KEY, five_calls(stub_port))
    if status != 201:
        raise RuntimeError(body.decode())
    connection.close()
    latencies = await event_to_call_ms(port)
    rate = await executions_per_second(port)
    await expect_complete(port, PROBES + EXECUTIONS)
    posts = await posts_per_second(port)
    batched = await batched_per_second(port)
    stub.close()
    return Figures(posts, batched, rate, latencies)


def five_calls(port: int) -> dict[str, object]:
    """Return a workflow of five HTTP calls to the stub."""
    url = f"http://127.0.0.1:{port}/{{{{ event.id }}}}"
    steps = [
        {"id": f"s{n}", "type": "action", "action": "http_request", "with": {"url": f"{url}/{n}"}}
        for n in range(STEPS)
    ]
    return {"name": "five-calls", "on": {"type": "event", "event": "bench.run"}, "steps": steps}


async def posts_per_second(port: int) -> float:
    """Post events that nothing watches, one by one over each connection."""
    numbers = iter(range(POSTS))

    async def post_all() -> None:
        connection = await Connection.open(port)
        for number in numbers:
            event = {"type": "page.viewed", "data": {"page": f"/{number}"}}
            await _post(connection, event)
        connection.close()

    with stopwatch() as seconds:
        await asyncio.gather(*(post_all() for _ in range(CONNECTIONS)))
    return POSTS / seconds[0]


async def batched_per_second(port: int) -> float:
    """Post batches of events that nothing watches."""
    numbers = iter(range(BATCHES))
    batch = [
        {
            "type": "order.paid",
            "source": "shop",
            "subject": f"user-{n}",
            "data": {"amount": n * 1.5, "currency": "EUR", "items": [{"sku": "a", "n": 1}]},
        }
        for n in range(BATCH_SIZE)
    ]
    content = json.dumps(batch).encode()

    async def post_all() -> None:
        connection = await Connection.open(port)
        for _ in numbers:
            status, body = await connection.send("POST", "/events/batch", KEY, content)
            if status != 202:
                raise RuntimeError(f"expected 202, got {status}: {body!r}")
        connection.close()

    with stopwatch() as seconds:
        await asyncio.gather(*(post_all() for _ in range(BATCH_CONNECTIONS)))
    return BATCHES * BATCH_SIZE / seconds[0]


async def event_to_call_ms(port: int) -> list[float]:
    """Return the milliseconds from before a post to its first call, at light load."""
    connection = await Connection.open(port)
    sent: dict[str, float] = {}
    for number in range(PROBES):
        event_id = f"probe-{number}"
        sent[event_id] = time.perf_counter()
        await _post(connection, {"type": "bench.run", "id": event_id})
        await asyncio.sleep(1 / PROBES_PER_SECOND)
    connection.close()
    for event_id in sent:
        await Stub.arrived(f"/{event_id}/{STEPS - 1}")
    return [(Stub.arrivals[f"/{e}/0"] - start) * 1_000 for e, start in sent.items()]


async def executions_per_second(port: int) -> float:
    """Keep CONCURRENCY executions going: a new one begins when one has made its last call."""
    ids = iter([f"run-{number}" for number in range(EXECUTIONS)])

    async def run() -> None:
        connection = await Connection.open(port)
        for event_id in ids:
            await _post(connection, {"type": "bench.run", "id": event_id})
            await Stub.arrived(f"/{event_id}/{STEPS - 1}")
        connection.close()

    with stopwatch() as seconds:
        await asyncio.gather(*(run() for _ in range(CONCURRENCY)))
    return EXECUTIONS / seconds[0]


async def expect_complete(port: int, count: int) -> None:
    """Return when the server shows so many executions with all their steps."""
    deadline = time.perf_counter() + PATIENCE_S
    while (complete := await _count_complete(port)) != count:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"expected {count} complete executions, got {complete}")


async def _count_complete(port: int) -> int:
    connection = await Connection.open(port)
    complete, cursor = 0, ""
    while True:
        _, body = await connection.send("GET", f"/executions?limit=500{cursor}", KEY)
        page = json.loads(body)
        for row in page["data"]:
            _, body = await connection.send("GET", f"/executions/{row['id']}", KEY)
            steps = json.loads(body)["steps"]
            complete += [step["status"] for step in steps] == ["completed"] * STEPS
        if page["next_cursor"] is None:
            connection.close()
            return complete
        cursor = f"&cursor={page['next_cursor']}"


async def _post(connection: Connection, event: object) -> None:
    status, body = await connection.send("POST", "/events", KEY, event)
    if status != 202:
        raise RuntimeError(f"expected 202, got {status}: {body!r}")


def _say(name: str, value: float, unit: str, beside: str) -> None:
    sys.stdout.write(f"{name:32} {value:9,.1f} {unit:3} {beside}\n")


if __name__ == "__main__":
    main()
