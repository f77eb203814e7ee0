"""
What an installation costs while nothing happens, and after a crash: `make bench-endurance`.

Start, memory at rest, five steps that call nothing, ten thousand executions
asleep, the same ones after `kill -9`, and how a flood of one account is felt by
another. Linux only: memory and CPU are read from /proc.
"""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.http import Connection, Stub, await_listener, free_port, start_stub, stopwatch

KEY = "bench"
MANY = 10_000
BATCH = 100
SLEEP_S = 20
PROBES = 200
STARTS = 3
PATIENCE_S = 120
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """`oncue up` on one folder, that can be killed."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = {}) -> None:
        self.port = free_port()
        self._settings = settings
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Return the seconds until it answers."""
        settings = {"ONCUE_API_KEY": KEY, "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}
        command = ["-m", "oncue", "up", "--port", str(self.port), "--data", str(self._folder)]
        with stopwatch() as seconds:
            self._child = subprocess.Popen(
                [sys.executable, *command],
                env={**os.environ, **settings, **self._settings},
                stdout=subprocess.DEVNULL,
            )
            await_listener(self.port)
            asyncio.run(_ready(self.port))
        return seconds[0]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        assert self._child is not None
        self._child.send_signal(number)
        self._child.wait(30)

    @property
    def rss_mb(self) -> float:
        """Its resident memory."""
        assert self._child is not None
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1_024

    @property
    def cpu_s(self) -> float:
        """The processor time it took so far."""
        assert self._child is not None
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> None:
    """Print the figures."""
    with _folder() as folder:
        server = Server(folder)
        starts = []
        for _ in range(STARTS):
            starts.append(server.start())
            idle_mb = server.rss_mb
            server.stop()
        _say("start to ready", min(starts), "s", f"the best of {STARTS}")
        _say("memory at rest", idle_mb, "MB", "")
    with _folder() as folder:
        server = Server(folder)
        server.start()
        rate = asyncio.run(_pure_executions(server.port))
        _say("executions of five pure steps", rate, "/s", f"{MANY:,} events in batches of {BATCH}")
        server.stop()
    with _folder() as folder:
        _sleep_and_die(Server(folder))
    with _folder() as folder:
        server = Server(folder)
        server.start()
        quiet, busy = asyncio.run(_fairness(server.port))
        beside = f"{busy / quiet:.1f} times that without a flood ({quiet:.1f} ms)"
        _say("another's call, p99, in a flood", busy, "ms", beside)
        server.stop()


def _sleep_and_die(server: Server) -> None:
    server.start()
    before_mb = server.rss_mb
    due = time.perf_counter() + SLEEP_S
    asyncio.run(_fall_asleep(server.port))
    asleep_mb = server.rss_mb
    began, cpu = time.perf_counter(), server.cpu_s
    time.sleep(5)
    share = 100 * (server.cpu_s - cpu) / (time.perf_counter() - began)
    _say("10 000 asleep: memory", asleep_mb - before_mb, "MB", "more than before them")
    _say("10 000 asleep: processor", share, "%", "of one core")
    server.stop(signal.SIGKILL)
    time.sleep(max(0.0, due + 1 - time.perf_counter()))
    with stopwatch() as seconds:
        server.start()
        asyncio.run(_ended(server.port, MANY))
    _say("10 000 due after kill -9: all done", seconds[0], "s", "from the start of the process")
    server.stop()


async def _pure_executions(port: int) -> float:
    steps = [{"id": f"s{n}", "type": "transform", "output": {"n": n}} for n in range(5)]
    await _save(port, KEY, {"name": "pure", "on": _ON, "steps": steps})
    with stopwatch() as seconds:
        await _send(port, KEY, MANY)
        await _ended(port, MANY)
    return MANY / seconds[0]


async def _fall_asleep(port: int) -> None:
    steps = [
        {"id": "before", "type": "transform", "output": 1},
        {"id": "wait", "type": "delay", "for": f"{SLEEP_S}s"},
        {"id": "after", "type": "transform", "output": 2},
    ]
    await _save(port, KEY, {"name": "sleep", "on": _ON, "steps": steps})
    await _send(port, KEY, MANY)
    await _counted(port, "waiting", MANY)


async def _fairness(port: int) -> tuple[float, float]:
    """Return p99 of event to call of one account, alone and while another one floods."""
    stub, stub_port = await start_stub()
    call = {"method": "POST", "url": f"http://127.0.0.1:{stub_port}/{{{{ event.id }}}}"}
    step = {"id": "call", "type": "action", "action": "http_request", "with": call}
    connection = await Connection.open(port)
    _, body = await connection.send("POST", "/accounts", KEY, {"name": "quiet"})
    key = json.loads(body)["api_key"]
    await _save(port, key, {"name": "probe", "on": _ON, "steps": [step]})
    pure = [{"id": f"s{n}", "type": "transform", "output": n} for n in range(5)]
    await _save(port, KEY, {"name": "flood", "on": _ON, "steps": pure})
    quiet = await _p99(port, key, "quiet")
    flood = asyncio.create_task(_flood(port))
    busy = await _p99(port, key, "busy")
    flood.cancel()
    with suppress(asyncio.CancelledError):
        await flood
    connection.close()
    stub.close()
    return quiet, busy


async def _p99(port: int, key: str, name: str) -> float:
    connection = await Connection.open(port)
    found: list[float] = []
    for number in range(PROBES):
        id_ = f"{name}-{number}"
        began = time.perf_counter()
        await connection.send("POST", "/events", key, {"type": "bench.run", "id": id_})
        await Stub.arrived(f"/{id_}")
        found.append((Stub.arrivals[f"/{id_}"] - began) * 1_000)
    connection.close()
    return statistics.quantiles(found, n=100)[98]


async def _flood(port: int) -> None:
    while True:
        await _send(port, KEY, 1_000)


_ON = {"type": "event", "event": "bench.run"}


async def _ready(port: int) -> None:
    connection = await Connection.open(port)
    status, body = await connection.send("GET", "/ready", KEY)
    if status != 200:
        raise RuntimeError(f"expected 200, got {status}: {body!r}")
    connection.close()


async def _save(port: int, key: str, workflow: object) -> None:
    connection = await Connection.open(port)
    status, body = await connection.send("POST", "/workflows", key, workflow)
    if status != 201:
        raise RuntimeError(f"expected 201, got {status}: {body!r}")
    connection.close()


async def _send(port: int, key: str, count: int) -> None:
    connection = await Connection.open(port)
    batch = [{"type": "bench.run", "data": {"n": n}} for n in range(BATCH)]
    for _ in range(count // BATCH):
        status, body = await connection.send("POST", "/events/batch", key, batch)
        if status != 202:
            raise RuntimeError(f"expected 202, got {status}: {body!r}")
    connection.close()


async def _ended(port: int, count: int) -> None:
    await _counted(port, "completed", count)


async def _counted(port: int, status: str, count: int) -> None:
    connection = await Connection.open(port)
    deadline = time.perf_counter() + PATIENCE_S
    while True:
        _, body = await connection.send("GET", "/monitoring/dashboard?range=1h", KEY)
        found = json.loads(body)["executions"]["by_status"].get(status, 0)
        if found >= count:
            break
        if time.perf_counter() > deadline:
            raise RuntimeError(f"expected {count} {status}, got {found}")
        await asyncio.sleep(0.05)
    connection.close()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "data"


def _say(name: str, value: float, unit: str, beside: str) -> None:
    sys.stdout.write(f"{name:36} {value:9,.1f} {unit:3} {beside}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
