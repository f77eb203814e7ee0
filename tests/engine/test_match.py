"""A matcher as it is looked at from outside."""

import asyncio
import sqlite3
import threading
from pathlib import Path

from oncue.core.json_text import Json
from tests.installation import ACCOUNT, installed

COUNTED: Json = {
    "name": "counted",
    "pattern": {"type": "threshold", "event": "paid", "value": 9, "window": "1h"},
}


def test_a_pattern_is_there_to_look_at_while_what_it_found_is_written_down(tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()
    may_end.set()

    def commit(connection: sqlite3.Connection) -> None:
        (path,) = [row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"]
        if path.endswith("journal.db") and not may_end.is_set():
            begun.set()
            may_end.wait(10)
        connection.commit()

    async def use() -> bool:
        async with installed(tmp_path, commit=commit) as world:
            pattern = await world.engine.patterns.create(ACCOUNT, COUNTED)
            await world.engine.settled()
            may_end.clear()
            await world.send(type="paid")
            await asyncio.to_thread(begun.wait, 10)
            is_there = world.engine.matching.watch(ACCOUNT, pattern.id) is not None
            may_end.set()
            return is_there

    assert asyncio.run(use())
