"""`oncue up` in a process of its own, that can be killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from oncue.testing.vendors import Simulators

KEY = "scenario-key"
PATIENCE_S = 60


@dataclass(frozen=True)
class Running:
    """A running OnCue and a session with its API."""

    child: asyncio.subprocess.Process
    session: aiohttp.ClientSession
    data: Path

    async def get(self, path: str) -> Any:
        async with self.session.get(path) as answer:
            return await answer.json()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.session.post(path, json=body) as answer:
            return answer.status, await answer.json()

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        self.child.send_signal(signal.SIGKILL)
        await self.child.wait()

    async def terminate(self) -> int:
        """Ask it to end; return its exit code."""
        self.child.terminate()
        return await self.child.wait()

    async def only_execution(self, status: str) -> Any:
        """Return the one execution there is, once it has this status."""

        async def look() -> Any:
            rows = (await self.get("/executions"))["data"]
            assert len(rows) <= 1, rows
            return rows[0]["id"] if rows and rows[0]["status"] == status else None

        return await self.get(f"/executions/{await eventually(look)}")


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    """Return the first answer of `look` that says something; each look is a round trip."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if found := await look():
                return found


def settings_for(vendors: Simulators) -> dict[str, str]:
    """Return the settings with which the simulated vendors stand for the real ones."""
    return {
        "ONCUE_API_KEY": KEY,
        "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8",
        **vendors.settings,
    }


@asynccontextmanager
async def up(data: Path, settings: Mapping[str, str], *flags: str) -> AsyncIterator[Running]:
    """Run `oncue up` on a free port until the block ends."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oncue", "up", "--port", "0", "--data", str(data), *flags,
        env=_environment(settings),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            # The first line says where it listens; nothing is written before it does.
            first = await child.stdout.readline()
        assert b"listens on" in first, first
        url = json.loads((data / "server.json").read_text())["url"]
        key = (data / "admin-key").read_text()
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(url, headers=headers) as session:
            yield Running(child, session, data)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def run_to_end(data: Path, settings: Mapping[str, str], *flags: str) -> tuple[int, str]:
    """Run `oncue up` where it is expected to refuse; return its exit code and its words."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oncue", "up", "--data", str(data), *flags,
        env=_environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        output, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, output.decode()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONCUE_")}
    return {**inherited, "COLUMNS": "1000", **settings}
