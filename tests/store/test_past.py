"""What the log holds already: lists, stretches, instants, places."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.event import Event, EventFilter
from oncue.core.globs import compile_glob
from oncue.core.pattern.records import LogRecord, Passed, Tick
from oncue.ports import Mark
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock
from tests.make import make_incoming
from tests.store.logs import use_log


@pytest.mark.parametrize(
    ("wanted", "offsets"),
    [
        pytest.param(EventFilter(), [4, 3, 2, 1], id="all"),
        pytest.param(EventFilter(type="order.paid"), [3], id="a type"),
        pytest.param(EventFilter(type="order.*"), [3, 2], id="a glob"),
        pytest.param(EventFilter(source="shop"), [2], id="a source"),
        pytest.param(EventFilter(subject="s"), [4], id="a subject"),
        pytest.param(EventFilter(from_ms=2_000, to_ms=3_000), [2], id="a span of time"),
    ],
)
def test_events_are_listed_by_what_is_wanted_of_them(
    tmp_path: Path, wanted: EventFilter, offsets: list[int]
) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        await log.append(
            "a",
            [
                make_incoming(id="1"),
                make_incoming(id="2", type="order.made", source="shop", time_ms=2_000),
                make_incoming(id="3", type="order.paid", time_ms=3_000),
                make_incoming(id="4", subject="s", time_ms=4_000),
            ],
        )
        await log.append("b", [make_incoming(id="5")])
        found = await log.past.events("a", wanted, 10)
        assert found == [
            event
            for event in await log.past.events("a", EventFilter(), 10)
            if wanted.compile()(event)
        ]
        return [event.offset for event in found]

    assert use_log(tmp_path, use) == offsets


@given(
    kinds=st.lists(st.sampled_from(["a", "b.x", "b.y", "change"]), max_size=30),
    globs=st.sets(st.sampled_from(["a", "b.x", "b.*", "*", "c"])),
    limit=st.integers(1, 8),
)
def test_a_stretch_leaves_out_what_nobody_watches_and_nothing_else(
    kinds: list[str], globs: set[str], limit: int
) -> None:
    async def use(log: SqliteEventLog) -> tuple[list[LogRecord], list[LogRecord]]:
        for n, kind in enumerate(kinds):
            if kind == "change":
                await log.append_change("a", "pat_1", n)
            else:
                await log.append("a", [make_incoming(id=f"{n}", type=kind)])
        found: list[LogRecord] = []
        after = 0
        while after < log.head("a"):
            stretch = await log.stretch("a", after, limit, sorted(globs))
            assert stretch.upto > after
            found += stretch.records
            after = stretch.upto
        return found, await log.read("a", 0, 100)

    with TemporaryDirectory() as folder:
        found, everything = use_log(Path(folder), use, segment_records=7)

    is_watched = [compile_glob(glob) for glob in globs]
    assert found == [
        record
        for record in everything
        if not isinstance(record, Event) or any(watches(record.type) for watches in is_watched)
    ]


TIMES = st.lists(st.tuples(st.integers(0, 50), st.integers(-20, 20)), max_size=60)


async def _append_at(
    log: SqliteEventLog, clock: VirtualClock, times: list[tuple[int, int]]
) -> None:
    for number, (later, ahead) in enumerate(times):
        clock.advance(later)
        time_ms = clock.now_ms() + ahead
        await log.append("a", [make_incoming(id=f"e-{number}", time_ms=time_ms)])


@given(times=TIMES, upto=st.integers(0, 60), segment_records=st.sampled_from([7, 1_000]))
def test_the_mark_is_the_largest_of_the_earlier_of_time_and_arrival(
    times: list[tuple[int, int]], upto: int, segment_records: int
) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[Mark | None, list[LogRecord]]:
        await _append_at(log, clock, times)
        return await log.past.mark("a", upto), await log.read("a", 0, upto)

    with TemporaryDirectory() as folder:
        options = {"clock": clock, "segment_records": segment_records}
        mark, records = use_log(Path(folder), use, **options)
    seen = [one for one in records if isinstance(one, Event)]

    assert mark == (
        Mark(max(min(e.time_ms, e.received_at_ms) for e in seen), seen[-1].received_at_ms)
        if seen
        else None
    )


@given(times=TIMES, at=st.integers(-5, 2_000), segment_records=st.sampled_from([7, 1_000]))
def test_an_instant_is_found_in_the_log(
    times: list[tuple[int, int]], at: int, segment_records: int
) -> None:
    clock = VirtualClock()
    instant = clock.now_ms() + at

    async def use(log: SqliteEventLog) -> tuple[int, list[LogRecord]]:
        await _append_at(log, clock, times)
        return await log.past.offset_before("a", instant), await log.read("a", 0, 100)

    with TemporaryDirectory() as folder:
        options = {"clock": clock, "segment_records": segment_records}
        found, records = use_log(Path(folder), use, **options)

    assert found == sum(record.received_at_ms < instant for record in records)


def test_what_nobody_watches_is_there_in_passing(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> list[LogRecord]:
        for number, event_type in enumerate(["order.paid", "page.view", "order.sent"]):
            await log.append("a", [make_incoming(id=f"e-{number}", type=event_type, time_ms=7)])
        await log.append_tick("a")
        stretch = await log.stretch("a", 0, 10, ["order.*"], in_passing=True)
        return list(stretch.records)

    found = use_log(tmp_path, use, clock=clock)
    now = clock.now_ms()

    shown: list[object] = [one.type if isinstance(one, Event) else one for one in found]

    assert shown == [
        "order.paid",
        Passed(2, now, 7),
        "order.sent",
        Tick(4, now),
    ]


def test_events_are_found_at_their_offsets_in_all_segments(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Event]:
        for number in range(9):
            await log.append("a", [make_incoming(id=f"e-{number}")])
        return await log.past.at("a", [8, 2, 5, 77])

    found = use_log(tmp_path, use, segment_records=3)

    assert [event.id for event in found] == ["e-1", "e-4", "e-7"]


def test_any_number_of_offsets_can_be_asked_for(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Event]:
        await log.append("a", [make_incoming(id=f"e-{number}") for number in range(9)])
        return await log.past.at("a", range(40_000, 0, -1))

    assert [event.offset for event in use_log(tmp_path, use)] == [*range(1, 10)]
