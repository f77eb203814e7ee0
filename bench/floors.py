"""What the machine itself can do, so that every figure stands beside its floor."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.http import free_port, running
from oncue.store.sqlite.file import SqliteFile

TURNS_PER_EXECUTION = 6
"""A workflow of five calls writes six turns: one before each call, and the last."""
TURN_BYTES = 300


def fsyncs_per_second(folder: Path, seconds: float = 1.0) -> float:
    """Append 4 KiB and fsync, over and over."""
    descriptor = os.open(folder / "floor.bin", os.O_CREAT | os.O_WRONLY)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        os.write(descriptor, bytes(4096))
        os.fsync(descriptor)
        count += 1
    os.close(descriptor)
    return count / (time.perf_counter() - start)


def journal_executions_per_second(folder: Path, concurrency: int, total: int = 3_000) -> float:
    """Write what a five-step execution writes, through our own file, with nothing around it."""

    async def write_turns(file: SqliteFile, numbers: range) -> None:
        body = bytes(TURN_BYTES)
        for number in numbers:
            for turn in range(TURNS_PER_EXECUTION):
                await file.write(partial(_insert, row=(number, turn, body)))

    async def main() -> float:
        schema = "CREATE TABLE turn (e, p, b, PRIMARY KEY (e, p)) WITHOUT ROWID"
        file = SqliteFile(folder / "floor.db", schema)
        share = total // concurrency
        start = time.perf_counter()
        await asyncio.gather(
            *(write_turns(file, range(n * share, (n + 1) * share)) for n in range(concurrency))
        )
        seconds = time.perf_counter() - start
        await file.close()
        return share * concurrency / seconds

    return asyncio.run(main())


def _insert(connection: sqlite3.Connection, row: tuple[int, int, bytes]) -> None:
    connection.execute("INSERT INTO turn VALUES (?, ?, ?)", row)


_ASGI = """
import sys, uvicorn
async def app(scope, receive, send):
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    answer = b'{"id":"evt","status":"accepted","offset":1}'
    await send({"type": "http.response.start", "status": 202,
                "headers": [(b"content-length", str(len(answer)).encode())]})
    await send({"type": "http.response.body", "body": answer})
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, lifespan="off")
"""


@contextmanager
def raw_asgi() -> Iterator[int]:
    """Run the least that an ASGI application can do with a request; give its port."""
    port = free_port()
    with running(["-c", _ASGI, str(port)], port, {}):
        yield port
