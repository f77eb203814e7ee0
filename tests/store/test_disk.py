"""What files do on a disk that is full: refuse in words, leave nothing half, and go on later."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import OnCueError, Overloaded, RetryableError
from oncue.core.pattern.event_time import EventTime
from oncue.core.pattern.saving import Head, Part
from oncue.core.statements import Statement
from oncue.store.account_files import AccountFiles
from oncue.store.checkpoints import FileCheckpoints
from oncue.store.disk import FolderDisk
from tests.tmpfs import small_disk

LARGE = 4 << 20


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.part")]


def refusal_of(work: Any) -> OnCueError:
    with pytest.raises(OnCueError) as caught:
        asyncio.run(work)
    return caught.value


def test_an_object_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as folder:
        files = AccountFiles(folder)
        error = refusal_of(files.put_object("a", "large", bytes(LARGE), "text/plain"))
        left = leftovers(folder)
        asyncio.run(files.put_object("a", "small", b"small", "text/plain"))

    assert isinstance(error, Overloaded)
    assert (str(error), left) == ("expected room on the disk, got none", [])


def test_sql_that_finds_no_room_may_be_tried_again(tmp_path: Path) -> None:
    large = Statement(f"CREATE TABLE t AS SELECT zeroblob({LARGE})", is_read_only=False)
    small = Statement("CREATE TABLE t (n)", is_read_only=False)
    with small_disk(tmp_path / "disk", 1) as folder:
        files = AccountFiles(folder)
        error = refusal_of(files.query("a", large))
        asyncio.run(files.query("a", small))

    assert isinstance(error, RetryableError)


def test_a_checkpoint_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    async def parts() -> AsyncIterator[Part]:
        yield Part("pat_1", "times", [(0, "x" * LARGE, 0, None)])

    with small_disk(tmp_path / "disk", 1) as folder:
        with pytest.raises(OSError, match="No space left"):
            asyncio.run(FileCheckpoints(folder).write("a", Head(1, 7, EventTime(), []), parts()))
        left = [path.name for path in (folder / "a").iterdir()]

    assert left == []


def test_a_disk_tells_its_trouble(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as folder:
        disk = FolderDisk(folder)
        before = disk.trouble()
        (folder / "ballast").write_bytes(bytes((1 << 20) - 8_192))
        full = disk.trouble()
        (folder / "ballast").unlink()
        after = disk.trouble()

    assert (before, full, after) == (None, "expected room on the disk, got none", None)
    assert FolderDisk(tmp_path / "nothing").trouble() is not None
