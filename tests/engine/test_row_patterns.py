"""Row patterns in a running engine: rows that are open outlive restarts."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from oncue.core.json_text import Json
from oncue.testing.clock import VirtualClock
from tests.core.pattern.rows.driving import row_pattern
from tests.engine.test_patterns_over_time import MINUTE_MS, live, matches, send
from tests.installation import ACCOUNT, Installed

RISING: Mapping[str, Json] = {
    "name": "rising",
    "pattern": {
        "type": "sql",
        "query": row_pattern(
            "A UP+",
            "UP AS UP.data.n > PREV(UP.data.n)",
            partition="PARTITION BY subject",
            measures="LAST(UP.data.n) AS highest, COUNT(*) AS n",
            within="'30' MINUTE",
        ),
    },
}


@pytest.mark.parametrize("is_saved", [True, False], ids=["a checkpoint", "no checkpoint"])
def test_open_rows_go_on_after_a_restart_and_are_told_once_time_has_passed(
    tmp_path: Path, *, is_saved: bool
) -> None:
    clock = VirtualClock()

    async def begin(world: Installed) -> None:
        await world.engine.patterns.create(ACCOUNT, RISING)
        await world.engine.settled()
        for n in (1, 2):
            await send(world, "measured", "ada", data={"n": n})

    async def go_on(world: Installed) -> list[Json]:
        await send(world, "measured", "ada", data={"n": 3})
        before = await told(world)
        await world.settle_after(40 * MINUTE_MS, MINUTE_MS)
        return [before, await told(world)]

    async def told(world: Installed) -> Json:
        return [row.body["values"] for row in await matches(world, "rising")]

    live(tmp_path, clock, begin)
    if not is_saved:
        for file in (tmp_path / "checkpoints").rglob("*.jsonl"):
            file.unlink()
    first = live(tmp_path, clock, go_on)
    second = live(tmp_path, clock, told)

    assert first == [[], [{"subject": "ada", "highest": 3, "n": 3}]]
    assert second == first[1]
