"""The archive in a bucket, as moto has it."""

import asyncio
import io
import os
import shutil
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import InvalidInput, Overloaded
from oncue.core.event import EventFilter
from oncue.engine.retention import DAY_MS
from oncue.settings import load_settings
from oncue.store.archive.archive import Archive
from oncue.store.archive.bucket import BucketPlace, bucket_place
from oncue.store.backup import write_backup
from oncue.store.restore import restore_backup
from oncue.store.sqlite.archived import LogArchive
from oncue.store.sqlite.log import INDEX, SqliteEventLog
from oncue.testing.clock import VirtualClock
from tests.buckets import s3_of_moto
from tests.make import make_incoming
from tests.store.folders.dumps import live
from tests.store.logs import Here, archive_all, use_log

CREDENTIALS = {"access_key": "key", "secret_key": "secret", "region": "us-east-1"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with s3_of_moto() as url:
        urllib.request.urlopen(urllib.request.Request(f"{url}/events", method="PUT"))
        yield url


def archive(tmp_path: Path, place: BucketPlace) -> Archive:
    return Archive(tmp_path / INDEX, place, sqlite3.Connection.commit, Here())


def place_on(url: str, tmp_path: Path, prefix: str) -> BucketPlace:
    return bucket_place("events", prefix, {**CREDENTIALS, "endpoint": url}, tmp_path / "cache")


def test_events_are_read_from_the_bucket_and_deleted_there(moto: str, tmp_path: Path) -> None:
    clock = VirtualClock()
    place = place_on(moto, tmp_path, "one/two")

    async def use(log: SqliteEventLog) -> list[Any]:
        for number in range(6):
            await log.append("a", [make_incoming(id=f"e-{number}")])
        await archive_all(log, 2)
        clock.advance(1)
        await log.segments.drop(0, {"a": 6})
        for path in (tmp_path / "cache").rglob("*.parquet"):
            path.unlink()
        listed = [event.offset for event in await log.past.events("a", EventFilter(), 10)]
        async with log.past.all_rows("a", tmp_path / "lines") as files:
            there = [path.exists() for path in files]
        await log.segments.drop(clock.now_ms(), {"a": 6})
        return [listed, there, [record.offset for record in await log.read("a", 0, 10)]]

    options = {"clock": clock, "dedupe_window_ms": 0, "archive": archive(tmp_path, place)}

    assert use_log(tmp_path, use, **options) == [[6, 5, 4, 3, 2, 1], [True] * 3, []]
    assert not list((tmp_path / "cache").rglob("*.p*"))


def test_a_bucket_that_does_not_answer_leaves_everything_in_the_log(tmp_path: Path) -> None:
    place = place_on("http://127.0.0.1:9", tmp_path, "")

    async def use(log: SqliteEventLog) -> list[int]:
        await log.append("a", [make_incoming()])
        for _ in range(2):
            with pytest.raises(Overloaded, match="expected the bucket of the archive to answer"):
                await log.segments.archive_due(1)
        await log.segments.drop(0, {"a": 1})
        return [record.offset for record in await log.read("a", 0, 10)]

    options = {"archive": archive(tmp_path, place), "dedupe_window_ms": -1}

    assert use_log(tmp_path, use, **options) == [1]
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_files_that_were_not_used_for_long_give_way(moto: str, tmp_path: Path) -> None:
    place = bucket_place("events", "x", {**CREDENTIALS, "endpoint": moto}, tmp_path / "cache", 1)

    async def use(log: SqliteEventLog) -> list[str]:
        for number in range(3):
            await log.append("a", [make_incoming(id=f"e-{number}")])
        await archive_all(log, 1)
        for path in sorted((tmp_path / "cache").rglob("*.parquet"))[:2]:
            os.utime(path, (0, 0))
        await place.local([log.segments.archive.files("a")[0].name])
        return sorted(path.name for path in (tmp_path / "cache").rglob("*.parquet"))

    found = use_log(tmp_path, use, archive=archive(tmp_path, place))

    assert found == ["0000000000000001-1.parquet", "0000000000000003-1.parquet"]


def test_a_place_of_the_archive_is_a_whole_path_or_a_bucket(tmp_path: Path) -> None:
    for url in ("", "s3://events/oncue", str(tmp_path)):
        assert load_settings({"archive_url": url, "data": tmp_path}).archive_url == url
    for url in ("archive", "s3://", "s3:///oncue"):
        with pytest.raises(InvalidInput, match="expected a whole path, or s3://bucket/prefix"):
            load_settings({"archive_url": url, "data": tmp_path})


def test_a_restored_folder_finds_its_events_in_the_bucket(moto: str, tmp_path: Path) -> None:
    clock, old, restored = VirtualClock(), tmp_path / "old", tmp_path / "restored"
    options: dict[str, Any] = {"clock": clock, "dedupe_window_ms": 0}

    async def fill(log: SqliteEventLog) -> None:
        for number in range(9):
            await log.append("a", [make_incoming(id=f"e-{number}")])
            await archive_all(log, 1)
        clock.advance(2 * DAY_MS)
        await log.segments.drop(0, {"a": 9})

    async def merge(log: SqliteEventLog) -> int:
        assert await LogArchive(log.segments, clock, DAY_MS).merge_next()
        await log.segments.drop(0, {"a": 9})
        return len(log.segments.archive.files("a"))

    async def read(log: SqliteEventLog) -> list[int]:
        return [record.offset for record in await log.read("a", 0, 10)]

    def use(folder: Path, use: Any) -> Any:
        place = place_on(moto, folder, "restored")
        return use_log(folder, use, archive=archive(folder, place), **options)

    asyncio.run(live(old))
    shutil.rmtree(old / "log")
    use(old, fill)
    packed = io.BytesIO()
    manifest = write_backup(old, packed, old, version="1", created_at="now", with_key=False)
    # The original goes on, and merges what the backup names.
    assert use(old, merge) == 1
    restored.mkdir()
    restore_backup(io.BytesIO(packed.getvalue()), restored)

    assert not [file.path for file in manifest.files if file.path.endswith(".parquet")]
    assert manifest.counts["archived events"] == 9
    assert use(restored, read) == use(old, read) == [*range(1, 10)]
