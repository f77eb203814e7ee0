"""A query ends with the server that asked it, also where that was killed."""

import os
import select
import subprocess
import sys

import pytest

ASKS_AND_IS_KILLED = """
import asyncio, os, signal, tempfile
from pathlib import Path
from oncue.core.json_text import encode_json
from oncue.store.query.messages import JSON_ROWS, Question, Rows
from oncue.store.query.parent import QueryChild

ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT sum(n) FROM t"

async def ask(folder):
    lines = Path(folder) / "events.ndjson"
    lines.touch()
    child = await QueryChild.start()
    await child.ask(Rows("acc", str(lines), folder, [], 512))
    asking = asyncio.create_task(child.ask(Question(ENDLESS, encode_json([]), 10, 1 << 20, JSON_ROWS)))
    await asyncio.sleep(0)
    print(child.pid, flush=True)
    input()
    os.kill(os.getpid(), signal.SIGKILL)

with tempfile.TemporaryDirectory() as folder:
    asyncio.run(ask(folder))
"""
PATIENCE_MS = 60_000


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="the system does not tell of other's ends"
)
def test_a_query_ends_with_the_server_that_asked_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASKS_AND_IS_KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        query = os.pidfd_open(int(server.stdout.readline()))
        server.communicate("\n")
    watched = select.poll()
    watched.register(query, select.POLLIN)

    ended = watched.poll(PATIENCE_MS)

    os.close(query)
    assert ended
