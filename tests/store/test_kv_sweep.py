"""What has expired under keys leaves the disk."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from oncue.core.key_values import Namespace, Slot, Terms
from oncue.store.sqlite.journal import SqliteJournal
from oncue.store.sqlite.kv import SqliteKeyValues
from oncue.testing.clock import VirtualClock


def test_a_sweep_gives_back_the_room_of_what_has_expired(tmp_path: Path) -> None:
    path, clock = tmp_path / "kv.db", VirtualClock()

    async def main() -> list[int]:
        keys = SqliteKeyValues(path, clock)
        for number in range(600):
            slot = Slot(Namespace.CACHE, f"k-{number}")
            await keys.set("a", slot, "x" * 4_000, Terms(1_000, once=f"o-{number}"))
        await keys.set("a", Slot(Namespace.STATE, "kept"), 1)
        clock.advance(8 * 86_400_000)
        swept = [0]
        while part := await keys.sweep("a"):
            swept.append(part)
        left = await keys.get("a", Slot(Namespace.STATE, "kept"))
        assert left is not None
        await keys.close()
        return [sum(swept), path.stat().st_size]

    swept, size = asyncio.run(main())

    assert swept == 1_200
    assert size < 600 * 4_000 / 4


def test_a_journal_is_made_to_shrink(tmp_path: Path) -> None:
    async def main() -> None:
        await SqliteJournal(tmp_path / "journal.db").close()

    asyncio.run(main())

    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
