"""
How many http_request actions does one core carry out, each written down before and after?

    python -m bench.http_actions [SECONDS]

The server runs on one core, with default settings; the load and the receiver of the
calls run beside it. Each action is a step of an execution that an event started; an
execution counts only if all its steps are shown as completed. The reference is a bare
aiohttp client on one core, which makes the same calls and nothing else.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.first_light import KEY, expect_complete
from bench.http import Connection, Stub, free_port, running, start_stub

CONCURRENCY = 100
STEPS = 5
SECONDS = 20.0
WINDOW_S = 5
WARM_UP_S = 3
WANTED_PER_SECOND = 500
# The server has this core to itself, and whatever else there is the load.
CORE = 0
_PINNED = f"""
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {{{CORE}}})
"""
_SERVER = f"""{_PINNED}
from oncue.cli.main import main
main(sys.argv[1:])
"""
_BARE = f"""{_PINNED}
import asyncio, time
import aiohttp
async def main(url, seconds):
    count, end = 0, time.perf_counter() + seconds
    async def call(session):
        nonlocal count
        while time.perf_counter() < end:
            async with session.get(url) as answer:
                await answer.read()
            count += 1
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(call(session) for _ in range({CONCURRENCY})))
    print(count / seconds)
asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


def main() -> None:
    """Print the figures."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    cores = {*range(os.cpu_count() or 1)}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores - {CORE} or cores)
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        command = ["-c", _SERVER, "up", "--port", str(port), "--data", str(Path(name) / "data")]
        settings = {"ONCUE_API_KEY": KEY, "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}
        with running(command, port, settings):
            asyncio.run(measure(port, seconds))


async def measure(port: int, seconds: float) -> None:
    """Say how many calls came to the stub, in all and in the worst window."""
    stub, stub_port = await start_stub()
    bare = await bare_calls_per_second(f"http://127.0.0.1:{stub_port}/bare")
    connection = await Connection.open(port)
    status, body = await connection.send("POST", "/workflows", KEY, calls_to(stub_port))
    if status != 201:
        raise RuntimeError(body.decode())
    connection.close()
    began = time.perf_counter() + WARM_UP_S
    count = await run_for(port, began + seconds)
    await expect_complete(port, count)
    stub.close()
    windows = Counter(
        int((at - began) / WINDOW_S)
        for at in Stub.arrivals.values()
        if began <= at < began + seconds
    )
    whole = [windows[n] / WINDOW_S for n in range(int(seconds / WINDOW_S))]
    rate, worst = sum(windows.values()) / seconds, min(whole, default=0.0)
    verdict = "enough" if worst >= WANTED_PER_SECOND else "too few"
    sys.stdout.write(
        f"actions on one core  {rate:,.0f}/s over {seconds:.0f} s, at least {worst:,.0f}/s in "
        f"{WINDOW_S} s ({WANTED_PER_SECOND}/s wanted: {verdict}); "
        f"{rate / bare:.2f} of bare calls ({bare:,.0f}/s)\n"
    )


def calls_to(port: int) -> dict[str, object]:
    """Return a workflow of calls, each of an address of its own."""
    url = f"http://127.0.0.1:{port}/{{{{ event.id }}}}"
    steps = [
        {
            "id": f"s{n}",
            "type": "action",
            "action": "http_request",
            "with": {"method": "POST", "url": f"{url}/{n}", "json": {"n": n}},
        }
        for n in range(STEPS)
    ]
    return {"name": "calls", "on": {"type": "event", "event": "bench.run"}, "steps": steps}


async def bare_calls_per_second(url: str, seconds: float = 3) -> float:
    """Return what a client alone reaches."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BARE, url, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return float(said)


async def run_for(port: int, until: float) -> int:
    """Keep CONCURRENCY executions going until an instant; return how many there were."""
    ids = iter(range(10**9))
    count = 0

    async def run() -> None:
        nonlocal count
        connection = await Connection.open(port)
        while time.perf_counter() < until:
            id_ = f"run-{next(ids)}"
            status, body = await connection.send(
                "POST", "/events", KEY, {"type": "bench.run", "id": id_}
            )
            if status != 202:
                raise RuntimeError(body.decode())
            count += 1
            await Stub.arrived(f"/{id_}/{STEPS - 1}")
        connection.close()

    await asyncio.gather(*(run() for _ in range(CONCURRENCY)))
    return count


if __name__ == "__main__":
    main()
