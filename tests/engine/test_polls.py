"""Queries that are asked again and again: each new row is a match once, over restarts and outages."""

from pathlib import Path

from oncue.core.json_text import Json
from oncue.testing.clock import VirtualClock
from tests.engine.test_patterns_over_time import MINUTE_MS, live, matches, send
from tests.installation import ACCOUNT, Installed

TOTALS = (
    "SELECT subject AS user, sum(data.n) AS total FROM events WHERE type = 'paid'"
    " GROUP BY subject HAVING sum(data.n) > 10 ORDER BY subject"
)


def polled(**fields: Json) -> dict[str, Json]:
    return {
        "name": "large",
        "pattern": {"type": "sql", "query": TOTALS, "every": "15m", **fields},
    }


async def paid(world: Installed, user: str, n: int) -> None:
    await send(world, "paid", user, data={"n": n})


async def told(world: Installed) -> list[Json]:
    return [row.body["values"] for row in reversed(await matches(world, "large"))]


async def passes(world: Installed, minutes: int) -> list[Json]:
    await world.settle_after(minutes * MINUTE_MS, minutes * MINUTE_MS)
    return await told(world)


def test_a_new_row_is_a_match_once_over_restarts(tmp_path: Path) -> None:
    clock = VirtualClock()
    ada: Json = {"user": "ada", "total": 12.0}
    bob: Json = {"user": "bob", "total": 20.0}

    async def begin(world: Installed) -> list[list[Json]]:
        await world.engine.patterns.create(ACCOUNT, polled())
        await world.engine.settled()
        await paid(world, "ada", 12)
        return [await told(world), await passes(world, 15), await passes(world, 15)]

    async def go_on(world: Installed) -> list[list[Json]]:
        before = await passes(world, 15)
        await paid(world, "bob", 20)
        # What was missed meanwhile is asked for once.
        return [before, await passes(world, 60), await passes(world, 15)]

    first = live(tmp_path, clock, begin)
    for file in (tmp_path / "checkpoints").rglob("*.jsonl"):
        file.unlink()
    second = live(tmp_path, clock, go_on)

    assert first == [[], [ada], [ada]]
    assert second == [[ada], [ada, bob], [ada, bob]]


def test_rows_are_told_apart_by_their_identity(tmp_path: Path) -> None:
    async def go(world: Installed, **fields: Json) -> list[Json]:
        await world.engine.patterns.create(ACCOUNT, polled(**fields))
        await paid(world, "ada", 12)
        await passes(world, 15)
        await paid(world, "ada", 5)
        await passes(world, 15)
        await paid(world, "ada", -10)
        await passes(world, 15)
        await paid(world, "ada", 10)
        return await passes(world, 15)

    async def by_all(world: Installed) -> list[Json]:
        return await go(world)

    async def by_user(world: Installed) -> list[Json]:
        return await go(world, identity=["user"])

    async def for_ever(world: Installed) -> list[Json]:
        return await go(world, identity=["user"], forget="never")

    def totals(name: str, rows: list[Json]) -> list[Json]:
        assert name
        return [row["total"] for row in rows if isinstance(row, dict)]

    assert totals("all", live(tmp_path / "a", VirtualClock(), by_all)) == [12.0, 17.0, 17.0]
    assert totals("user", live(tmp_path / "b", VirtualClock(), by_user)) == [12.0, 17.0]
    assert totals("never", live(tmp_path / "c", VirtualClock(), for_ever)) == [12.0]


FALLS = (
    "SELECT user, n, e.data.n AS top FROM events MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time,"
    ' "offset" MEASURES A.subject AS user, A.id AS first, COUNT(*) AS n PATTERN (^ A B+ $)'
    " DEFINE B AS B.data.n < PREV(B.data.n)) AS m JOIN events AS e ON e.id = m.first ORDER BY 1"
)


def test_matches_of_a_row_pattern_are_told_once_beside_any_sql(tmp_path: Path) -> None:
    async def go(world: Installed) -> list[list[Json]]:
        await world.engine.patterns.create(ACCOUNT, polled(query=FALLS, identity=["user"]))
        await paid(world, "ada", 12)
        await paid(world, "bob", 5)
        await paid(world, "ada", 10)
        first = await passes(world, 15)
        await paid(world, "bob", 4)
        return [first, await passes(world, 15), await passes(world, 15)]

    ada: Json = {"user": "ada", "n": 2, "top": 12}
    bob: Json = {"user": "bob", "n": 2, "top": 5}

    assert live(tmp_path, VirtualClock(), go) == [[ada], [ada, bob], [ada, bob]]


def test_a_query_that_was_broken_off_is_asked_again(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def begin(world: Installed) -> None:
        await paid(world, "ada", 12)
        await world.engine.patterns.create(ACCOUNT, polled())

    async def go_on(world: Installed) -> list[Json]:
        return await told(world)

    live(tmp_path, clock, begin)

    assert live(tmp_path, clock, go_on) == [{"user": "ada", "total": 12.0}]
    assert live(tmp_path, clock, go_on) == [{"user": "ada", "total": 12.0}]
