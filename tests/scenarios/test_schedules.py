"""A schedule of a real server that is killed again and again."""

import asyncio
from pathlib import Path
from typing import Any

from oncue.core.instants import parse_instant
from tests.running import KEY, Running, eventually, up

SETTINGS = {"ONCUE_API_KEY": KEY}
LIVES = 4
PER_LIFE = 2


async def _fired(running: Running) -> list[Any]:
    rows = (await running.get("/events?type=schedule.fired&limit=500"))["data"]
    return [row["data"]["schedule"] for row in reversed(rows)]


def test_each_tick_fires_once_however_often_it_is_killed(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        fired: list[Any] = []
        for life in range(LIVES):
            async with up(tmp_path, SETTINGS) as running:
                if life == 0:
                    document = {"name": "tick", "every": "1s", "misfire": "skip"}
                    status, _ = await running.post("/schedules", document)
                    assert status == 201
                wanted = len(fired) + PER_LIFE

                async def look(running: Running = running, wanted: int = wanted) -> list[Any]:
                    found = await _fired(running)
                    return found if len(found) >= wanted else []

                fired = await eventually(look)
                await running.kill()
        return fired

    fired = asyncio.run(main())

    ticks = [parse_instant(one["scheduled_at"]) for one in fired]
    assert ticks == [ticks[0] + number * 1_000 for number in range(len(ticks))]
    assert [one["missed"] for one in fired] == [0] * len(fired)
