"""A log of events in a folder, to be used by a test."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from oncue.store.archive.archive import Archive
from oncue.store.archive.child import write_file
from oncue.store.archive.orders import Order, Written
from oncue.store.archive.places import FolderPlace
from oncue.store.archive.writer import Writer
from oncue.store.sqlite.file import Commit
from oncue.store.sqlite.log import INDEX, SqliteEventLog
from oncue.store.sqlite.segments import Full
from oncue.testing.clock import VirtualClock

Found = TypeVar("Found")
Use = Callable[[SqliteEventLog], Awaitable[Found]]


def use_log(path: Path, use: Use[Found], **options: Any) -> Found:
    """Return what `use` finds in the log of a folder, opened for it; segments may have few records."""
    if "segment_records" in options:
        options["full"] = Full(options.pop("segment_records"))

    async def main() -> Found:
        log = SqliteEventLog(path / "log", options.pop("clock", VirtualClock()), **options)
        try:
            return await use(log)
        finally:
            await log.close()

    return asyncio.run(main())


class Here(Writer):
    """Writes files as the process would that it costs half a second to start."""

    async def write(self, order: Order) -> Written:
        return await asyncio.to_thread(write_file, order)


def archive_in(path: Path, commit: Commit = sqlite3.Connection.commit) -> Archive:
    """Return the archive beside the log of a folder, that needs no process to write."""
    return Archive(path / INDEX, FolderPlace(path / "archive"), commit, Here())


async def archive_all(log: SqliteEventLog, full: int = 1_000_000) -> None:
    """Archive whatever is due."""
    while await log.segments.archive_due(full):
        pass
