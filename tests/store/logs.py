"""A log of events in a folder, to be used by a test."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock

Found = TypeVar("Found")
Use = Callable[[SqliteEventLog], Awaitable[Found]]


def use_log(path: Path, use: Use[Found], **options: Any) -> Found:
    """Return what `use` finds in the log of a folder, opened for it."""

    async def main() -> Found:
        log = SqliteEventLog(path / "log", options.pop("clock", VirtualClock()), **options)
        try:
            return await use(log)
        finally:
            await log.close()

    return asyncio.run(main())
