"""
What an execution costs: `make cost`, which also writes docs/explanation/cost.md.

The onboarding example runs as it is, but sleeps for seconds in place of a day; its
vendors are simulated in this process, whose time is not counted. Linux only.
"""

import asyncio
import json
import platform
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.endurance import KEY, Server
from bench.http import Connection
from oncue.core.yaml_text import parse_yaml
from oncue.testing.vendors import Simulators

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = ROOT / "examples" / "high-value-signup-onboarding.yaml"
PAGE: Final = ROOT / "docs" / "explanation" / "cost.md"
EXECUTIONS: Final = 600
WARM_UP: Final = 100
BATCH: Final = 20
NAP: Final = "5s"
PATIENCE_S: Final = 60

VM_DOLLARS: Final = 20.0
VM_CORES: Final = 2
MONTH_S: Final = 30 * 86_400
DISK_DOLLARS: Final = 0.10
"""A GB of block storage for a month."""
MONTHS_KEPT: Final = 3
LOADS: Final = (1.0, 0.1, 0.01)
CLAIM: Final = 0.0001


@dataclass(frozen=True, slots=True)
class Cost:
    """What one execution took."""

    cpu_s: float
    disk_bytes: float

    def dollars(self, load: float) -> float:
        """Return its part of the machine, if one core is busy for a part of the time."""
        disk = self.disk_bytes / 1e9 * DISK_DOLLARS * MONTHS_KEPT
        return VM_DOLLARS / (self.most_per_month * load) + disk

    @property
    def most_per_month(self) -> float:
        """Return how many one core can do; the event loop is one."""
        return MONTH_S / self.cpu_s


def main() -> None:
    """Measure, print, and write the page."""
    with tempfile.TemporaryDirectory() as name:
        cost = asyncio.run(measured(Path(name) / "data"))
    text = page(cost)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


async def measured(data: Path) -> Cost:
    """Return what an execution of the example takes."""
    async with Simulators() as vendors:
        server = Server(data, vendors.settings)
        async with _up(server) as connection:
            await _expect(connection, 201, "/workflows", example())
            await _run(connection, WARM_UP)
        # Stopped, it leaves no write-ahead log.
        size = _size(data)
        async with _up(server) as connection:
            cpu_s = server.cpu_s
            await _run(connection, WARM_UP + EXECUTIONS)
            cpu_s = server.cpu_s - cpu_s
        return Cost(cpu_s / EXECUTIONS, (_size(data) - size) / EXECUTIONS)


@asynccontextmanager
async def _up(server: Server) -> AsyncIterator[Connection]:
    await asyncio.to_thread(server.start)
    connection = await Connection.open(server.port)
    try:
        yield connection
    finally:
        connection.close()
        await asyncio.to_thread(server.stop)


def example() -> Any:
    """Return the example with a short sleep."""
    document: Any = parse_yaml(EXAMPLE.read_text(encoding="utf-8"))
    for step in document["steps"]:
        if step["type"] == "delay":
            step["for"] = NAP
    return document


async def _run(connection: Connection, upto: int) -> None:
    """Send events until there are so many executions, and return when all have ended."""
    begun = (await _statuses(connection)).get("completed", 0)
    for first in range(begun, upto, BATCH):
        batch = [
            {
                "type": "user.signup",
                "id": f"signup-{number}",
                "data": {"email": f"u{number}@example.com", "plan": "enterprise"},
            }
            for number in range(first, first + BATCH)
        ]
        await _expect(connection, 202, "/events/batch", batch)
    async with asyncio.timeout(PATIENCE_S):
        while (found := await _statuses(connection)).get("completed", 0) < upto:
            if found.get("failed"):
                raise RuntimeError(f"expected executions that complete, got {found}")
            await asyncio.sleep(0.5)


async def _statuses(connection: Connection) -> dict[str, int]:
    _, body = await connection.send("GET", "/monitoring/dashboard?range=1h", KEY)
    found: dict[str, int] = json.loads(body)["executions"]["by_status"]
    return found


async def _expect(connection: Connection, wanted: int, path: str, body: object) -> None:
    status, answered = await connection.send("POST", path, KEY, body)
    if status != wanted:
        raise RuntimeError(f"expected {wanted} of {path}, got {status}: {answered!r}")


def _size(data: Path) -> int:
    return sum(path.stat().st_size for path in data.rglob("*.db*") if path.is_file())


def page(cost: Cost) -> str:
    """Return docs/explanation/cost.md."""
    rows = "\n".join(
        f"| {load:.0%} | {cost.most_per_month * load:,.0f} | ${cost.dollars(load):.8f} "
        f"| {CLAIM / cost.dollars(load):,.0f} |"
        for load in LOADS
    )
    return f"""# What an execution costs

`make cost` measures this and writes this page. The [onboarding example](../../examples/{EXAMPLE.name}) runs:
one event, one match, five steps, four of them calls to (simulated) vendors, and a sleep. {EXECUTIONS:,}
executions at once, Python {platform.python_version()}, default settings, every commit fsynced.

| of one execution | measured |
|---|---|
| processor time, all of it: HTTP, matching, journal, calls | {cost.cpu_s * 1_000:.2f} ms |
| disk, until its {MONTHS_KEPT} months are over | {cost.disk_bytes / 1_000:.1f} kB |

Assumed: a virtual machine with {VM_CORES} cores for ${VM_DOLLARS:.0f} a month (30 days); a gigabyte of disk for
${DISK_DOLLARS:.2f} a month, kept for {MONTHS_KEPT} months. One event loop does the work, so one core is the bound,
and the whole price of the machine is laid on it.
What vendors ask for their calls is not in it. The machine costs the same whether it works or not, so the
busier it is, the less of it an execution is:

| that core is busy | executions a month | one costs | in ${CLAIM:.4f} there are |
|---|---|---|---|
{rows}

Few executions cost more each, since the machine is paid for all the same: from
{VM_DOLLARS / CLAIM:,.0f} a month on, one costs less than ${CLAIM:.4f}. A sleeping execution is a row: it costs no processor time.
"""


if __name__ == "__main__":
    main()
