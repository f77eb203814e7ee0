"""Documents applied to a running OnCue that is killed: all of them are there, or none."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.running import KEY, Running, eventually, up

DOCUMENTS: list[dict[str, Any]] = [
    *({"kind": "variable", "name": f"v{n}", "value": n} for n in range(40)),
    *(
        {
            "kind": "workflow",
            "name": f"w{n}",
            "on": {"type": "event", "event": "order.paid"},
            "steps": [{"id": "s", "type": "transform", "output": f"{{{{ vars.v{n} }}}}"}],
        }
        for n in range(40)
    ),
]


def _kept(data: Path) -> int:
    """Return how many variables are kept, as somebody else sees it."""
    with closing(sqlite3.connect(f"file:{data / 'catalog.db'}?mode=ro", uri=True)) as catalog:
        (count,) = catalog.execute("SELECT count(*) FROM variable").fetchone()
        return int(count)


async def _look(data: Path, looks: int | None) -> None:
    """Look at the catalog so many times; without a number until there is something new in it."""
    for _ in range(20_000 if looks is None else looks):
        if await asyncio.to_thread(_kept, data) and looks is None:
            return


@pytest.mark.parametrize("looks", [0, 20, 100, None])
def test_a_kill_leaves_all_or_nothing(tmp_path: Path, looks: int | None) -> None:
    async def apply(server: Running) -> None:
        try:
            await server.post("/apply", DOCUMENTS)
        except aiohttp.ClientError:
            return

    async def main() -> int:
        async with up(tmp_path, {"ONCUE_API_KEY": KEY}) as server:
            applying = asyncio.create_task(apply(server))
            await _look(tmp_path, looks)
            await server.kill()
            await applying
        async with up(tmp_path, {"ONCUE_API_KEY": KEY}) as server:
            exported = (await server.get("/export"))["documents"]
            there = [d for d in exported if d in DOCUMENTS]
            await server.post("/events", {"type": "order.paid"})
            status, again = await server.post("/apply", DOCUMENTS)
            assert status == 200
            words = {change["change"] for change in again["changes"]}
            assert words == ({"unchanged"} if there else {"created"})

            async def matched() -> bool:
                rows = (await server.get("/executions?limit=500"))["data"]
                return len([row for row in rows if row["status"] == "completed"]) == 40

            # Also patterns that the kill left saved and unseen are seen.
            assert not there or await eventually(matched)
            return len(there)

    there = asyncio.run(main())

    assert there in ([80] if looks is None else [0, 80])
