"""Patterns over several events and over time, in a running engine that is killed and started again."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.ports import MatchRow
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, Installed, installed

Found = TypeVar("Found")
MINUTE_MS = 60_000
IDLE_MS = 1_000

ABANDONED: Mapping[str, Json] = {
    "name": "abandoned-cart",
    "pattern": {
        "type": "sequence",
        "by": ["event.subject"],
        "within": "30m",
        "steps": [
            {"as": "cart", "event": "cart.filled"},
            {"as": "paid", "event": "order.paid", "not": True},
        ],
    },
}


def live(folder: Path, clock: VirtualClock, use: Callable[[Installed], Awaitable[Found]]) -> Found:
    async def main() -> Found:
        async with installed(folder, clock=clock) as world:
            return await use(world)

    return asyncio.run(main())


async def send(world: Installed, event_type: str, subject: str, **others: Json) -> None:
    await world.engine.ingest.accept(ACCOUNT, {"type": event_type, "subject": subject, **others})
    await world.engine.settled()


async def matches(world: Installed, name: str) -> list[MatchRow]:
    await world.engine.settled()
    pattern = await world.parts.patterns.current(ACCOUNT, name)
    return await world.parts.history.matches(ACCOUNT, pattern.id, 100)


async def begin(world: Installed) -> None:
    await world.engine.patterns.create(ACCOUNT, ABANDONED)
    await world.engine.settled()
    await send(world, "cart.filled", "ada")
    await send(world, "cart.filled", "bob")


async def abandoned(world: Installed) -> list[Json]:
    return [row.body["key"] for row in await matches(world, "abandoned-cart")]


def test_an_absence_is_noticed_without_further_input(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(world: Installed) -> tuple[list[Json], list[MatchRow]]:
        await begin(world)
        began_ms = clock.now_ms()
        clock.advance(10 * MINUTE_MS)
        await send(world, "order.paid", "bob")
        clock.advance(began_ms + 30 * MINUTE_MS + IDLE_MS - 1 - clock.now_ms())
        before = await abandoned(world)
        clock.advance(1)
        return before, await matches(world, "abandoned-cart")

    began = clock.now_ms()
    before, (match,) = live(tmp_path, clock, use)

    assert before == []
    assert match.body["key"] == {"event.subject": "ada"}
    assert match.body["kind"] == "absent"
    assert match.body["time"] == format_instant(began + 30 * MINUTE_MS)
    assert match.body["detected_at"] == format_instant(began + 30 * MINUTE_MS + IDLE_MS)
    assert [event["type"] for event in match.body["events"]] == ["cart.filled"]  # type: ignore[index,union-attr,call-overload] # of events


@pytest.mark.parametrize(
    "is_stopped",
    [
        pytest.param(True, id="stopped: what it remembers lies in a checkpoint"),
        pytest.param(False, id="killed: the log is read again"),
    ],
)
@pytest.mark.parametrize("away_ms", [0, 10 * MINUTE_MS, 90 * MINUTE_MS])
def test_an_absence_is_noticed_once_after_a_restart(
    tmp_path: Path, *, is_stopped: bool, away_ms: int
) -> None:
    clock = VirtualClock()
    live(tmp_path, clock, begin)
    if not is_stopped:
        for file in (tmp_path / "checkpoints").rglob("*.jsonl"):
            file.unlink()
    clock.advance(away_ms)

    async def use(world: Installed) -> list[Json]:
        await world.settle_after(40 * MINUTE_MS, MINUTE_MS)
        return await abandoned(world)

    first = live(tmp_path, clock, use)
    second = live(tmp_path, clock, abandoned)

    assert sorted(map(str, first)) == ["{'event.subject': 'ada'}", "{'event.subject': 'bob'}"]
    assert second == first


def _with_junk(content: bytes) -> bytes:
    head = content.splitlines()[0]
    pattern_id = json.loads(head)["watches"][0]["pattern_id"]
    part = json.dumps([pattern_id, "keys", [[1, '["ada"]', 0, {"no": "state"}]]]).encode()
    return b"\n".join((head, part, b'{"parts":1}'))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut off"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"\xff" + content, id="no text"),
        pytest.param(
            lambda content: content.replace(b'"format":1', b'"format":99'), id="of a later format"
        ),
        pytest.param(_with_junk, id="whole, but no state of the pattern"),
    ],
)
def test_a_checkpoint_of_no_use_costs_nothing_but_time(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    clock = VirtualClock()
    live(tmp_path, clock, begin)
    for file in (tmp_path / "checkpoints").rglob("*.jsonl"):
        file.write_bytes(spoil(file.read_bytes()))
        file.with_name("notes.jsonl").write_text("not ours", encoding="utf-8")

    async def use(world: Installed) -> list[Json]:
        await world.settle_after(40 * MINUTE_MS)
        return await abandoned(world)

    found = live(tmp_path, clock, use)

    assert sorted(map(str, found)) == ["{'event.subject': 'ada'}", "{'event.subject': 'bob'}"]


async def _fill_and_wait(world: Installed, crash: Crash) -> None:
    await world.engine.ingest.accept(
        ACCOUNT, {"id": "c-1", "type": "cart.filled", "subject": "ada"}
    )
    await world.engine.settled()
    if not crash.has_happened:
        await world.settle_after(40 * MINUTE_MS)


# The event, what it came to, the tick, and the match that it reveals.
WRITES = 4


@pytest.mark.parametrize("write", range(1, WRITES + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_any_write_neither_loses_nor_doubles_an_absence(
    tmp_path: Path, moment: str, write: int
) -> None:
    clock, crash = VirtualClock(), Crash(write, moment)

    async def prepare(world: Installed) -> None:
        await world.engine.patterns.create(ACCOUNT, ABANDONED)

    async def die() -> None:
        async with installed(tmp_path, clock=clock, commit=crash) as world:
            life = asyncio.create_task(_fill_and_wait(world, crash))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def go_on(world: Installed) -> list[Json]:
        await _fill_and_wait(world, crash=Crash(0, "never"))
        return await abandoned(world)

    live(tmp_path, clock, prepare)
    asyncio.run(die())

    assert crash.has_happened
    assert live(tmp_path, clock, go_on) == [{"event.subject": "ada"}]


def test_state_begins_anew_where_what_is_matched_changes_and_goes_on_where_it_does_not(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()

    async def use(world: Installed) -> tuple[list[Json], list[Json]]:
        await begin(world)
        current = await world.parts.patterns.current(ACCOUNT, "abandoned-cart")
        renamed = await world.engine.patterns.change(
            ACCOUNT, current, {**ABANDONED, "description": "Carts that nobody pays for."}
        )
        await world.settle_after(10 * MINUTE_MS)
        await send(world, "cart.filled", "cleo")
        await world.settle_after(21 * MINUTE_MS)
        went_on = await abandoned(world)
        pattern = {**ABANDONED["pattern"], "within": "20m"}  # type: ignore[dict-item] # an object
        await world.engine.patterns.change(ACCOUNT, renamed, {**ABANDONED, "pattern": pattern})
        await world.settle_after(60 * MINUTE_MS)
        return went_on, await abandoned(world)

    went_on, after = live(tmp_path, clock, use)

    assert sorted(map(str, went_on)) == ["{'event.subject': 'ada'}", "{'event.subject': 'bob'}"]
    assert after == went_on


def test_a_backfilled_pattern_remembers_what_came_before_it_and_tells_nothing_of_it(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    document: dict[str, Json] = {
        **ABANDONED,
        "pattern": {**ABANDONED["pattern"], "backfill": "1h"},  # type: ignore[dict-item] # an object
    }

    async def use(world: Installed) -> list[Json]:
        await send(world, "cart.filled", "old")
        clock.advance(45 * MINUTE_MS)
        await send(world, "cart.filled", "ada")
        await world.engine.patterns.create(ACCOUNT, document)
        await world.settle_after(40 * MINUTE_MS)
        return await abandoned(world)

    assert live(tmp_path, clock, use) == [{"event.subject": "ada"}]
