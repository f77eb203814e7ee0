"""Schedules fire once for each tick: over restarts, set clocks, and changes of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from oncue.core.event import Event, EventFilter
from oncue.core.instants import format_instant, parse_instant
from oncue.core.json_text import Json
from oncue.engine.schedule_loop import SCHEDULES_PER_TURN
from oncue.ports import Advance
from oncue.testing.clock import VirtualClock
from tests.core.schedule.naive import Fields, walk
from tests.installation import ACCOUNT, Crash, Installed, installed

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def fields(minutes: range, hours: range, text: str) -> Fields:
    days, months, weekdays = range(1, 32), range(1, 13), range(8)
    parts = [frozenset(part) for part in (minutes, hours, days, months, weekdays)]
    return Fields(parts[0], parts[1], parts[2], parts[3], parts[4], f"{text} * * *")


CRONS = {
    "each-minute": fields(range(60), range(24), "* *"),
    # At a time that the clocks may skip or show twice.
    "at-half-past-two": fields(range(30, 31), range(2, 3), "30 2"),
    "by-night": fields(range(0, 60, 20), range(1, 4), "*/20 1-3"),
}


def use(
    folder: Path, clock: VirtualClock, act: Callable[[Installed], Awaitable[Any]], **how: Any
) -> Any:
    """Return what `act` returns of an engine that runs as long."""

    async def main() -> Any:
        async with installed(folder, clock=clock, **how) as world:
            return await act(world)

    return asyncio.run(main())


async def pass_time(world: Installed, until_ms: int, step_ms: int = MINUTE_MS) -> None:
    """Let time pass in steps, each of which is noticed."""
    await world.engine.settled()
    while world.clock.now_ms() < until_ms:
        world.clock.advance(min(step_ms, until_ms - world.clock.now_ms()))
        await world.engine.settled()


async def fired(world: Installed, name: str | None = None) -> list[Event]:
    """Return what fired, in the order of the log."""
    wanted = EventFilter(type="schedule.fired", subject=name)
    found: list[Event] = []
    before = None
    while page := await world.log.past.events(ACCOUNT, wanted, 1_000, before):
        found += page
        before = page[-1].offset
    return found[::-1]


def told(event: Event) -> Any:
    assert isinstance(event.data, dict)
    return event.data["schedule"]


def ticks(events: Sequence[Event]) -> list[int]:
    return [parse_instant(told(event)["scheduled_at"]) for event in events]


def moment(instant_ms: int) -> datetime:
    return datetime.fromtimestamp(instant_ms // 1_000, UTC)


async def create(world: Installed, name: str, **document: Json) -> None:
    await world.engine.schedules.create(ACCOUNT, {"name": name, **document})


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        pytest.param("Europe/Berlin", "2026-10-24T00:30:10Z", id="an hour comes twice"),
        pytest.param("America/New_York", "2026-03-07T02:30:10Z", id="an hour is skipped"),
        pytest.param("Australia/Lord_Howe", "2026-10-02T10:30:10Z", id="and half an hour"),
    ],
)
def test_each_tick_fires_once_over_restarts_and_clocks_that_change(
    tmp_path: Path, zone: str, begin: str
) -> None:
    begin_ms = parse_instant(begin)
    end_ms = begin_ms + 48 * HOUR_MS
    clock = VirtualClock(begin_ms)

    async def prepare(world: Installed) -> None:
        for name, fields in CRONS.items():
            await create(world, name, cron=fields.text, time_zone=zone, misfire="skip")

    use(tmp_path, clock, prepare)
    while clock.now_ms() < end_ms:
        until_ms = min(clock.now_ms() + 4 * HOUR_MS, end_ms)
        use(tmp_path, clock, partial(pass_time, until_ms=until_ms))
        # It takes almost a minute to start again.
        clock.advance(min(50_000, end_ms - clock.now_ms()))

    for name, fields in CRONS.items():
        events = use(tmp_path, clock, partial(fired, name=name))
        due = walk(fields, zone, _minute(begin_ms), _minute(end_ms))
        assert [moment(tick) for tick in ticks(events)] == [*due]


def _minute(instant_ms: int) -> datetime:
    return moment(instant_ms // MINUTE_MS * MINUTE_MS)


@pytest.mark.parametrize("misfire", ["skip", "fire_once", "fire_all"])
def test_clocks_that_are_set_by_an_hour(tmp_path: Path, misfire: str) -> None:
    """Forward while it runs; back and forward over restarts, as the engine's clock takes them."""
    clock = VirtualClock()
    begin_ms = clock.now_ms()

    async def first(world: Installed) -> None:
        await create(world, "tick", cron="* * * * *", misfire=misfire)
        await pass_time(world, begin_ms + 2 * HOUR_MS)
        clock.advance(HOUR_MS)
        await pass_time(world, begin_ms + 4 * HOUR_MS)

    use(tmp_path, clock, first)
    # An hour back over a restart: what has fired does not fire again.
    back = VirtualClock(clock.now_ms() - HOUR_MS)
    use(tmp_path, back, lambda world: pass_time(world, begin_ms + 6 * HOUR_MS))
    # Switched off for an hour.
    back.advance(HOUR_MS)
    events = use(tmp_path, back, lambda world: _then(world, begin_ms + 8 * HOUR_MS))

    got = [(tick - begin_ms) // MINUTE_MS for tick in ticks(events)]
    everything = range(1, 8 * 60 + 1)
    gaps = {"skip": {*range(121, 179), *range(361, 419)}, "fire_all": set()}
    gaps["fire_once"] = {*range(121, 180), *range(361, 420)}
    assert got == [minute for minute in everything if minute not in gaps[misfire]]
    missed = {told(event)["scheduled_at"]: told(event)["missed"] for event in events}
    expected = {"skip": [58, 58], "fire_once": [59, 59], "fire_all": []}[misfire]
    assert [count for count in missed.values() if count] == expected


async def _then(world: Installed, until_ms: int) -> list[Event]:
    await pass_time(world, until_ms)
    return await fired(world)


def test_the_event_of_a_tick(tmp_path: Path) -> None:
    clock = VirtualClock(parse_instant("2026-11-23T05:59:58Z"))

    async def act(world: Installed) -> list[Event]:
        await create(
            world, "report", cron="0 7 * * *", time_zone="Europe/Berlin", data={"of": "sales"}
        )
        return await _then(world, clock.now_ms() + DAY_MS + 2_000)

    first, second = use(tmp_path, clock, act)

    schedule_id = told(first)["id"]
    assert (first.type, first.source, first.subject) == ("schedule.fired", "oncue", "report")
    assert first.data == {
        "of": "sales",
        "schedule": {
            "id": schedule_id,
            "name": "report",
            "scheduled_at": "2026-11-23T06:00:00.000Z",
            "previous_at": None,
            "missed": 0,
            "time_zone": "Europe/Berlin",
        },
    }
    assert told(second)["previous_at"] == "2026-11-23T06:00:00.000Z"
    # It is a fact of when it fired: never late, whatever it waited for.
    assert format_instant(first.time_ms) == "2026-11-23T06:00:58.000Z"


def test_a_pause_fires_nothing_afterwards(tmp_path: Path) -> None:
    clock = VirtualClock()
    begin_ms = clock.now_ms()

    async def act(world: Installed) -> list[int]:
        book, store = world.engine.schedules, world.engine.schedules.store
        await create(world, "tick", every="10m", misfire="fire_all")
        for enabled, until in ((False, 25), (True, 61), (True, 85)):
            await pass_time(world, begin_ms + until * MINUTE_MS)
            current = await store.current(ACCOUNT, "tick")
            await book.change(ACCOUNT, current, {**current.document, "enabled": enabled})
        await pass_time(world, begin_ms + 95 * MINUTE_MS)
        return ticks(await fired(world))

    # It goes on in its old rhythm.
    assert [(tick - begin_ms) // MINUTE_MS for tick in use(tmp_path, clock, act)] == [
        *(10, 20, 70, 80, 90)
    ]


def test_a_change_of_what_it_carries_loses_no_tick(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def act(world: Installed) -> list[Event]:
        book, store = world.engine.schedules, world.engine.schedules.store
        await create(world, "tick", every="1m")
        await world.engine.settled()
        before = await store.current(ACCOUNT, "tick")
        # It is due, and nobody has looked yet.
        clock.advance(MINUTE_MS)
        changed = {**before.document, "data": {"n": 1}}
        after = await book.change(ACCOUNT, before, changed)
        await world.engine.settled()
        # Whoever read it before cannot write over how far it has come.
        await book.change(ACCOUNT, after, {**changed, "data": {"n": 2}})
        return await _then(world, clock.now_ms() + MINUTE_MS)

    events = use(tmp_path, clock, act)

    assert [b - a for a, b in pairwise(ticks(events))] == [MINUTE_MS]
    assert len(events) == 2


def test_schedules_follow_the_account_unless_they_have_a_zone(tmp_path: Path) -> None:
    clock = VirtualClock(parse_instant("2026-07-01T00:00:00Z"))

    async def nexts(world: Installed) -> list[str]:
        rows = await world.engine.schedules.store.all(ACCOUNT, 10, None)
        return [format_instant(row.progress.next_ms) for row in rows if row.progress.next_ms]

    async def act(world: Installed) -> list[list[str]]:
        await create(world, "own", cron="0 9 * * *", time_zone="Asia/Tokyo")
        clock.advance(1)
        await create(world, "theirs", cron="0 9 * * *")
        await create(world, "paused", cron="0 9 * * *", enabled=False)
        before = await nexts(world)
        account = await world.parts.accounts.account(ACCOUNT)
        await world.parts.accounts.change(replace(account, time_zone="America/New_York"))
        await world.engine.schedules.realign()
        after = await nexts(world)
        assert await world.parts.schedules.adrift() == []
        return [before, after]

    tokyo = "2026-07-02T00:00:00.000Z"
    assert use(tmp_path, clock, act) == [
        ["2026-07-01T09:00:00.000Z", tokyo],
        ["2026-07-01T13:00:00.000Z", tokyo],
    ]


def test_what_a_crash_left_of_a_new_zone_is_made_up_for_at_the_start(tmp_path: Path) -> None:
    clock = VirtualClock(parse_instant("2026-07-01T00:00:00Z"))

    async def first(world: Installed) -> None:
        await create(world, "theirs", cron="0 9 * * *")
        account = await world.parts.accounts.account(ACCOUNT)
        await world.parts.accounts.change(replace(account, time_zone="America/New_York"))

    async def then(world: Installed) -> int | None:
        return (await world.engine.schedules.store.current(ACCOUNT, "theirs")).progress.next_ms

    use(tmp_path, clock, first)

    assert format_instant(use(tmp_path, clock, then)) == "2026-07-01T13:00:00.000Z"


def test_while_an_account_is_disabled_nothing_of_it_fires(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def act(world: Installed) -> int:
        await create(world, "tick", every="1m")
        account = await world.parts.accounts.account(ACCOUNT)
        await world.parts.accounts.change(replace(account, is_enabled=False))
        return len(await _then(world, clock.now_ms() + HOUR_MS))

    assert use(tmp_path, clock, act) == 0


def test_one_whose_time_zone_is_gone_is_paused_and_stops_no_other(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def act(world: Installed) -> tuple[int | None, int]:
        store = world.engine.schedules.store
        await create(world, "gone", cron="* * * * *")
        await create(world, "tick", cron="* * * * *")
        row = await store.current(ACCOUNT, "gone")
        lost = replace(row.progress, zone="Asia/Atlantis")
        await store.advance(ACCOUNT, [Advance(row, lost)])
        await pass_time(world, clock.now_ms() + 2 * MINUTE_MS)
        gone = await store.current(ACCOUNT, "gone")
        return gone.progress.next_ms, len(await fired(world))

    assert use(tmp_path, clock, act) == (None, 2)


def test_many_at_one_instant(tmp_path: Path) -> None:
    clock = VirtualClock()
    count = SCHEDULES_PER_TURN + 30

    async def act(world: Installed) -> list[Event]:
        for number in range(count):
            await create(world, f"s{number}", cron="0 * * * *")
        return await _then(world, clock.now_ms() + HOUR_MS)

    events = use(tmp_path, clock, act)

    assert len(events) == len({event.subject for event in events}) == count
    assert len(set(ticks(events))) == 1


@pytest.mark.parametrize("moment_of_death", ["before", "after"])
@pytest.mark.parametrize("write", range(1, 8))
def test_a_crash_around_any_write_fires_each_tick_once(
    tmp_path: Path, moment_of_death: str, write: int
) -> None:
    clock, crash = VirtualClock(), Crash(write, moment_of_death)
    begin_ms = clock.now_ms()
    use(tmp_path, clock, lambda world: create(world, "tick", every="1m"))

    async def live(world: Installed) -> None:
        life = asyncio.create_task(pass_time(world, begin_ms + 5 * MINUTE_MS))
        while not life.done() and not crash.has_happened:
            await asyncio.wait([life], timeout=0.001)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)

    use(tmp_path, clock, live, commit=crash)
    assert crash.has_happened

    events = use(tmp_path, clock, lambda world: _then(world, begin_ms + 7 * MINUTE_MS))
    assert [(tick - begin_ms) // MINUTE_MS for tick in ticks(events)] == [*range(1, 8)]


@pytest.mark.parametrize("off_ms", [10_000, 30 * DAY_MS], ids=["soon", "after the window"])
@pytest.mark.parametrize("misfire", ["fire_once", "fire_all"])
def test_what_fired_before_a_crash_does_not_fire_again(
    tmp_path: Path, off_ms: int, misfire: str
) -> None:
    clock = VirtualClock()
    begin_ms = clock.now_ms()

    async def live(world: Installed) -> None:
        store = world.engine.schedules.store
        await create(world, "tick", cron="0 0 * * *", misfire=misfire)
        begun = await store.current(ACCOUNT, "tick")
        await pass_time(world, begin_ms + 3 * DAY_MS, DAY_MS)
        after = await store.current(ACCOUNT, "tick")
        # As if it had died before each of these was written down.
        await store.advance(ACCOUNT, [Advance(after, begun.progress)])

    use(tmp_path, clock, live)
    clock.advance(off_ms)
    events = use(tmp_path, clock, lambda world: _then(world, clock.now_ms() + 1_000))

    days = [(tick - begin_ms) // DAY_MS for tick in ticks(events)]
    last = (clock.now_ms() - begin_ms) // DAY_MS
    assert days == sorted(set(days))
    assert days == ([*range(1, last + 1)] if misfire == "fire_all" else sorted({1, 2, 3, last}))
