"""What the log archives reads as if it were still in the log, and is there once."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import Overloaded
from oncue.core.event import EventFilter, IncomingEvent
from oncue.core.json_text import Json
from oncue.ports import Span
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock
from tests.installation import Crash, CrashError
from tests.make import make_incoming
from tests.store.logs import archive_all, archive_in, use_log

TYPES = ("order.paid", "order.sent", "page.view")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
EVENTS = st.lists(
    st.builds(
        lambda n, kind, data, subject, later: (n, kind, data, subject, later),
        st.integers(0, 2**30), st.sampled_from([*TYPES, "change", "tick"]), JSON,
        st.none() | st.sampled_from(["ada", "bob", "ä\u2028'"]), st.integers(0, 2_000),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


async def fill(log: SqliteEventLog, clock: VirtualClock, events: list[Any], begin: int) -> None:
    for place, (number, kind, data, subject, later) in enumerate(events, begin):
        clock.advance(later)
        match kind:
            case "change":
                await log.append_change("a", "pat_1", place)
            case "tick":
                await log.append_tick("a")
            case _:
                await log.append("a", [_event(place, number, kind, data, subject, clock)])
                await log.append("b", [make_incoming(id=f"b-{place}")])


def _event(
    place: int, number: int, kind: str, data: Json, subject: str | None, clock: VirtualClock
) -> IncomingEvent:
    attributes: dict[str, Json] = {"traceid": str(number)} if number % 3 == 0 else {}
    time_ms = clock.now_ms() - number % 5_000
    return make_incoming(
        id=f"e-{number % 7}-{place}", source="shop" if number % 2 else "web", type=kind,
        subject=subject, data=data, time_ms=time_ms, attributes=attributes,
    )  # fmt: skip


async def everything_of(log: SqliteEventLog, began: int, folder: Path) -> list[Any]:
    past, head, filters = log.past, log.head("a"), EventFilter
    lines = folder / "lines"
    found: list[Any] = [
        await log.read("a", 0, 100),
        await log.read("a", head // 2, 3),
        await past.at("a", [1, head, head // 2, head + 7]),
        await past.mark("a", head),
        await past.mark("a", head // 2),
        await past.usage("a", Span(began - 10, began + 60_000, 7_000)),
        await past.usage("a", Span(began + 900, began + 30_000, 1_000)),
        await past.events("a", filters(), 100),
        await past.events("a", filters(type="order.*", source="shop"), 2, head // 2),
        await past.events("a", filters(subject="ada", from_ms=began, to_ms=began + 9_000), 5),
        await past.find("a", "e-nowhere"),
        await past.events("b", filters(), 100),
    ]
    for after in range(0, head, 4):
        for globs in (["*"], ["order.paid"], ["order.*"]):
            found.append(await log.stretch("a", after, 5, globs, in_passing=after % 8 == 0))
            times = (began + 500, began + 12_000)
            found.append(await past.between("a", (after, head), 3, globs, times))
    found += [await past.offset_before("a", began + at) for at in range(-5, 50_000, 1_700)]
    ids = [event.id for event in await past.events("a", filters(), 100)]
    found += [await past.find("a", id_, source) for id_ in ids for source in (None, "shop")]
    async with past.all_rows("a", lines) as files:
        found.append(_count(lines, files))
    return found


def _count(lines: Path, files: list[Path]) -> int:
    import duckdb

    count = len(lines.read_text().split("\n")) - 1
    for file in files:
        row = duckdb.execute(f"SELECT count(*) FROM '{file}' WHERE kind = 0").fetchone()
        count += row[0] if row else 0
    return count


@given(events=EVENTS, full=st.integers(1, 9), segment=st.sampled_from([4, 9, 1_000]), how=st.sampled_from(["some", "dropped", "all"]))  # fmt: skip
@settings(max_examples=15)
def test_the_archived_past_reads_as_the_hot_one(
    events: list[Any], full: int, segment: int, how: str
) -> None:
    def run(archive: Callable[[SqliteEventLog, VirtualClock], Any] | None) -> list[Any]:
        clock = VirtualClock()
        began = clock.now_ms()

        async def use(log: SqliteEventLog) -> list[Any]:
            half = len(events) // 2
            await fill(log, clock, events[:half], 0)
            if archive:
                await archive(log, clock)
            await fill(log, clock, events[half:], half)
            if archive and how == "all":
                await archive(log, clock)
            return await everything_of(log, began, Path(folder))

        with TemporaryDirectory() as folder:
            options = {"archive": archive_in(Path(folder)), "segment_records": segment}
            return use_log(Path(folder), use, clock=clock, dedupe_window_ms=-1, **options)

    async def archive(log: SqliteEventLog, clock: VirtualClock) -> None:
        await archive_all(log, full)
        if how != "some":
            needed = {"a": log.head("a"), "b": log.head("b")}
            await log.segments.drop(0, needed)
            await archive_all(log, full)
            await log.segments.drop(0, needed)

    assert run(archive) == run(None)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 12))
def test_a_crash_around_any_write_loses_and_doubles_nothing(
    tmp_path: Path, moment: str, at: int
) -> None:
    clock = VirtualClock()
    options: dict[str, Any] = {"clock": clock, "dedupe_window_ms": -1}

    async def live(log: SqliteEventLog) -> None:
        while await log.segments.archive_due(4):
            pass
        await log.segments.drop(0, {"a": 99})
        await archive_all(log, 4)
        await log.segments.drop(clock.now_ms() + 1, {"a": 8})

    async def begin(log: SqliteEventLog) -> None:
        for number in range(12):
            await log.append("a", [make_incoming(id=f"e-{number}")])
        clock.advance(1)

    async def read(log: SqliteEventLog) -> tuple[list[int], list[int]]:
        records = await log.read("a", 0, 100)
        listed = await log.past.events("a", EventFilter(), 100)
        return [r.offset for r in records], [event.offset for event in listed]

    use_log(tmp_path, begin, **options)
    with suppress(CrashError):
        use_log(tmp_path, live, archive=archive_in(tmp_path, Crash(at, moment)), **options)
    clock.advance(1)
    seen = use_log(tmp_path, read, archive=archive_in(tmp_path), **options)
    use_log(tmp_path, live, archive=archive_in(tmp_path), **options)
    left = use_log(tmp_path, read, archive=archive_in(tmp_path), **options)

    assert seen[0] == seen[1][::-1] == [*range(13 - len(seen[0]), 13)]
    assert len(seen[0]) in (12, 8, 4)
    assert left == ([9, 10, 11, 12], [12, 11, 10, 9])
    assert len(list((tmp_path / "archive").rglob("*"))) == 2


def test_the_disk_is_free_of_what_is_archived_and_then_of_what_is_old(tmp_path: Path) -> None:
    clock = VirtualClock()

    def size(part: str = "*") -> int:
        # What stands in write-ahead logs is bounded by itself.
        files = [path for path in tmp_path.rglob(part) if path.suffix != ".db-wal"]
        return sum(path.stat().st_size for path in files if path.is_file())

    async def use(log: SqliteEventLog) -> list[int]:
        sizes = []
        for begin in range(0, 10_000, 500):
            data = {"plan": "enterprise", "items": [{"sku": f"s-{begin % 7}", "count": 2}]}
            ids = range(begin, begin + 500)
            await log.append("a", [make_incoming(id=f"e-{n}", data=data) for n in ids])
        sizes.append(size())
        clock.advance(1)
        needed = {"a": log.head("a")}
        await archive_all(log)
        for days in (0, 91):
            clock.advance(days * 86_400_000)
            await log.segments.drop(clock.now_ms() - 90 * 86_400_000, needed)
            await log.segments.drop(clock.now_ms() - 90 * 86_400_000, needed)
            sizes += [size(), size("*.parquet")]
        assert log.head("a") == 10_000
        return sizes

    options = {"archive": archive_in(tmp_path), "dedupe_window_ms": 0, "segment_records": 4_000}
    hot, archived, files, nothing, no_files = use_log(tmp_path, use, clock=clock, **options)

    assert files * 8 < hot
    assert archived * 3 < hot
    assert nothing < archived
    assert no_files == 0


def test_large_events_go_into_files_that_are_small_enough_to_be_read(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        text = "x" * (1 << 20)
        for number in range(80):
            await log.append("a", [make_incoming(id=f"e-{number}", data={"text": text})])
        await archive_all(log)
        return [file.last for file in log.segments.archive.files("a")]

    assert use_log(tmp_path, use, archive=archive_in(tmp_path)) == [64]


def test_a_file_that_is_read_is_deleted_after_it_was_read(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[list[bool], list[Path]]:
        await log.append("a", [make_incoming()])
        await archive_all(log, 1)
        clock.advance(1)
        async with log.past.all_rows("a", tmp_path / "lines") as files:
            await log.segments.drop(clock.now_ms(), {"a": 1})
            there = [file.exists() for file in files]
        await log.segments.drop(clock.now_ms(), {"a": 1})
        return there, [file for file in files if file.exists()]

    options = {"archive": archive_in(tmp_path), "clock": clock, "dedupe_window_ms": 0}

    assert use_log(tmp_path, use, **options) == ([True], [])


def test_a_file_that_cannot_be_written_leaves_everything_in_the_log(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        await log.append("a", [make_incoming()])
        obstacle = tmp_path / "archive"
        obstacle.write_text("a file")
        with pytest.raises(Overloaded):
            await log.segments.archive_due(1)
        await log.segments.drop(0, {"a": 1})
        obstacle.unlink()
        assert await log.segments.archive_due(1) == 1
        return [record.offset for record in await log.read("a", 0, 10)]

    assert use_log(tmp_path, use, dedupe_window_ms=0) == [1]


def test_an_archive_that_is_ahead_of_a_restored_log_is_made_anew(tmp_path: Path) -> None:
    async def append(log: SqliteEventLog, first: int, last: int) -> list[int]:
        for number in range(first, last + 1):
            await log.append("a", [make_incoming(id=f"e-{number}")])
        await archive_all(log, 2)
        files = log.segments.archive.files("a")
        return [file.last for file in files]

    async def read(log: SqliteEventLog) -> list[int]:
        lines = tmp_path / "lines"
        async with log.past.all_rows("a", lines) as files:
            return [log.segments.archive.reached("a"), _count(lines, files)]

    def use(use: Callable[[SqliteEventLog], Any]) -> Any:
        return use_log(tmp_path, use, archive=archive_in(tmp_path))

    assert use(lambda log: append(log, 1, 5)) == [2, 4]
    shutil.copytree(tmp_path / "log", tmp_path / "copy")
    use(lambda log: append(log, 6, 9))
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "copy").rename(tmp_path / "log")
    assert use(read) == [4, 5]
    assert use(lambda log: append(log, 10, 12)) == [2, 4, 6, 8]
    assert use(read) == [8, 8]
