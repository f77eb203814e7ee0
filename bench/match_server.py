"""
What a thousand patterns cost the whole server: events in batches over HTTP, without and with them.

    python -m bench.match_server [EVENTS]
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.first_light import BATCH_CONNECTIONS, BATCH_SIZE, KEY
from bench.http import Connection, free_port, running
from bench.match_mixed import bodies, documents
from oncue.core.json_text import parse_json

PATTERNS = 1_000


async def post_all(port: int, batches: Sequence[bytes]) -> float:
    """Return events/s, each of them durable."""
    left = iter(batches)

    async def post() -> None:
        connection = await Connection.open(port)
        for batch in left:
            status, body = await connection.send("POST", "/events/batch", KEY, batch)
            if status != 202:
                raise RuntimeError(body.decode())
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(post() for _ in range(BATCH_CONNECTIONS)))
    return len(batches) * BATCH_SIZE / (time.perf_counter() - began)


async def matched(port: int) -> float:
    """Return the seconds until everything that was accepted is matched."""
    connection = await Connection.open(port)
    began = time.perf_counter()
    while True:
        _, body = await connection.send("GET", "/monitoring/dashboard", KEY)
        shown: Any = parse_json(body)
        if not shown["queues"]["events"]["depth"]:
            connection.close()
            return time.perf_counter() - began
        await asyncio.sleep(0.05)


async def save(port: int) -> None:
    """Save the patterns."""
    connection = await Connection.open(port)
    for document in documents(PATTERNS, random.Random(1)):  # noqa: S311 a load, not a secret
        status, body = await connection.send("POST", "/patterns", KEY, document)
        if status != 201:
            raise RuntimeError(body.decode())
    connection.close()


def batches(prefix: str, count: int) -> list[bytes]:
    """Return events in batches, their ids beginning alike."""
    lines = bodies(count, random.Random(2))  # noqa: S311 a load, not a secret
    lines = [line.replace(b'"id":"e-', f'"id":"{prefix}-'.encode()) for line in lines]
    return [
        b"[" + b",".join(lines[at : at + BATCH_SIZE]) + b"]"
        for at in range(0, len(lines), BATCH_SIZE)
    ]


async def measure(port: int, count: int) -> None:
    """Measure, and print."""
    out = sys.stdout.write
    without = await post_all(port, batches("a", count))
    out(f"without patterns   {without:>10,.0f} events/s\n")
    began = time.perf_counter()
    await save(port)
    out(f"{PATTERNS} patterns saved in {time.perf_counter() - began:.1f} s\n")
    await matched(port)
    began = time.perf_counter()
    having = await post_all(port, batches("b", count))
    behind = await matched(port)
    total = count / (time.perf_counter() - began)
    out(f"with {PATTERNS} patterns {having:>10,.0f} events/s: {having / without:.0%}\n")
    out(f"all matched {behind:.1f} s after the last answer: {total:,.0f} events/s matched\n")


def main() -> None:
    """Run a server, and measure it."""
    count = int((*sys.argv[1:], "100000")[0])
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = ["-m", "oncue", "up", "--port", str(port), "--data", str(Path(folder) / "data")]
        with running(command, port, {"ONCUE_API_KEY": KEY}):
            asyncio.run(measure(port, count))


if __name__ == "__main__":
    main()
