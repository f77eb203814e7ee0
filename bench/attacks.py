"""
What do queries that want all there is cost those who post events? `make bench-attacks`.

The server runs in a process of its own with default settings; one account posts single events
from a second process, at a steady pace; another one asks without end, and each question
wants all the time, the memory or the size that there is, or a process for nothing. The
figure is how long a post takes, without the questions and with them.
"""

import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.http import Connection, free_port, running

KEY = "bench"
POSTS_PER_SECOND = 100
SECONDS = 30
ASKING = 16
"""Connections that ask, as many as an account may have."""
STORED = 100_000
"""Events that the account that asks has in the log, as many as may wait for the archive."""
BATCH = 100
WARM_UP_S = 3
ATTACKS = (
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "SELECT count(*) FROM events a, events b WHERE a.data.n + b.data.n > 5",
    "SELECT list(range(10000000)) FROM range(100)",
    "SELECT repeat('x', 4000000000)",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
    "SELECT repeat('x', 150000) FROM range(100)",
    "SELECT * FROM events ORDER BY data.n DESC LIMIT 10000",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT {}1{}".format("(" * 20_000, ")" * 20_000),
    "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
    "SELECT (repeat('[', 100000) || repeat(']', 100000))::JSON::VARIANT",
)


def main() -> None:
    """Print the figures; with a port, be the process that posts."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(asyncio.run(post_steadily(int(sys.argv[1])))))
        return
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        command = ["-m", "oncue", "up", "--port", str(port), "--data", str(Path(name) / "data")]
        with running(command, port, {"ONCUE_API_KEY": KEY}):
            asyncio.run(measure(port))


async def measure(port: int) -> None:
    """Print how long posts take alone, and while another account asks."""
    _say("load of the machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    attacker = await opened(port)
    await fill(port, attacker)
    alone = await posted(port)
    told: Counter[int] = Counter()
    is_over = asyncio.Event()
    asking = [asyncio.create_task(ask(port, attacker, n, told, is_over)) for n in range(ASKING)]
    await asyncio.sleep(WARM_UP_S)
    attacked = await posted(port)
    _say("load of the machine", f"{os.getloadavg()[0]:.1f} afterwards")
    is_over.set()
    await cut_short(port)
    await asyncio.gather(*asking)
    for name, times in (("alone", alone), ("attacked", attacked)):
        p50, p99 = quantiles(times)
        _say(f"post, {name}", f"p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, of {len(times)}")
    _say("p99, attacked to alone", f"{quantiles(attacked)[1] / quantiles(alone)[1]:.2f}")
    _say("questions by status", str(dict(told)))


async def opened(port: int) -> str:
    """Return the key of an account that is there to ask."""
    connection = await Connection.open(port)
    status, body = await connection.send("POST", "/accounts", KEY, {"name": "attacker"})
    connection.close()
    if status != 201:
        raise RuntimeError(body.decode())
    key: str = json.loads(body)["api_key"]
    return key


async def fill(port: int, key: str) -> None:
    """Give an account events to ask for."""
    connection = await Connection.open(port)
    for begin in range(0, STORED, BATCH):
        batch = [
            {"type": "order.paid", "data": {"n": n, "customer": f"c-{n % 997}", "note": "x" * 50}}
            for n in range(begin, begin + BATCH)
        ]
        status, body = await connection.send("POST", "/events/batch", key, batch)
        if status != 202:
            raise RuntimeError(body.decode())
    connection.close()


async def cut_short(port: int) -> None:
    """Let no more questions take long."""
    connection = await Connection.open(port)
    bounds = {"query_bounds": {"timeout": "100ms"}}
    await connection.send("PATCH", "/accounts/attacker", KEY, bounds)
    connection.close()


async def ask(port: int, key: str, begin: int, told: Counter[int], is_over: asyncio.Event) -> None:
    """Ask one question after the other, and count what is answered."""
    connection = await Connection.open(port)
    for sql in itertools.islice(itertools.cycle(ATTACKS), begin, None):
        if is_over.is_set():
            break
        status, body = await connection.send("POST", "/events/query", key, {"sql": sql})
        told[status] += 1
        if status not in (200, 422, 503):
            raise RuntimeError(body.decode())
    connection.close()


async def posted(port: int) -> list[float]:
    """Return the milliseconds that each post of another process took."""
    poster = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.attacks", str(port)), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await poster.communicate()
    times: list[float] = json.loads(out)
    return times


async def post_steadily(port: int) -> list[float]:
    """Return the milliseconds from when each post was due until it was answered."""
    connections = [await Connection.open(port) for _ in range(4)]
    begin = time.perf_counter() + 0.1
    due = itertools.count()
    times: list[float] = []

    async def post_in_turn(connection: Connection) -> None:
        for number in due:
            moment = begin + number / POSTS_PER_SECOND
            if number >= POSTS_PER_SECOND * SECONDS:
                return
            await asyncio.sleep(moment - time.perf_counter())
            # A sleep ends late on a busy machine: that is not the server's doing.
            moment = max(moment, time.perf_counter())
            status, body = await connection.send(
                "POST", "/events", KEY, {"type": "page.viewed", "data": {"page": f"/{number}"}}
            )
            if status != 202:
                raise RuntimeError(body.decode())
            times.append((time.perf_counter() - moment) * 1_000)

    await asyncio.gather(*map(post_in_turn, connections))
    return times


def quantiles(times: list[float]) -> tuple[float, float]:
    """Return the median, and what one in a hundred is above."""
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _say(name: str, value: str) -> None:
    sys.stdout.write(f"{name:24} {value}\n")


if __name__ == "__main__":
    main()
