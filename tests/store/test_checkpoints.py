"""The write-ahead log is moved into the file beside the commits, and begins anew."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from oncue.store.sqlite.file import SqliteFile

SCHEMA = "CREATE TABLE IF NOT EXISTS page (n INTEGER PRIMARY KEY, body BLOB)"
LONG = 100
COMMITS = 1_000


def insert(connection: sqlite3.Connection, n: int) -> int:
    connection.execute("INSERT INTO page VALUES (?, zeroblob(3000))", (n,))
    return n


async def write(file: SqliteFile, first: int, count: int) -> None:
    """Write without a pause: two writers, so that one write always waits."""

    async def each(numbers: range) -> None:
        for n in numbers:
            await file.write(partial(insert, n=n))

    end = first + count
    await asyncio.gather(each(range(first, end, 2)), each(range(first + 1, end, 2)))


def pages_in_log(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])


def test_the_log_begins_anew_though_writes_never_pause(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    async def main() -> int:
        file = SqliteFile(path, SCHEMA, long_log=LONG)
        await write(file, 0, COMMITS)
        size = path.with_name("a.db-wal").stat().st_size
        await file.close()
        return size // 4_096

    # A commit writes two pages or more.
    assert asyncio.run(main()) < COMMITS


def test_a_reader_of_old_pages_holds_up_nobody_and_the_log_begins_anew_after_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"

    async def main() -> tuple[int, int, int]:
        file = SqliteFile(path, SCHEMA, long_log=LONG)
        await write(file, 0, 10)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            seen = reader.execute("SELECT count(*) FROM page").fetchone()[0]
            await write(file, 10, COMMITS)
            still_seen = reader.execute("SELECT count(*) FROM page").fetchone()[0]
        await write(file, COMMITS + 10, LONG)
        left = pages_in_log(path)
        await file.close()
        return seen, still_seen, left

    seen, still_seen, left = asyncio.run(main())

    assert (seen, still_seen) == (10, 10)
    assert left < COMMITS


def test_nothing_is_moved_any_more_once_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    async def main() -> None:
        file = SqliteFile(path, SCHEMA, long_log=1)
        await write(file, 0, 3)
        await file.close()

    asyncio.run(main())

    assert not path.with_name("a.db-wal").exists()


WRITER = f"""
import asyncio, sys
from pathlib import Path
from oncue.store.sqlite.file import SqliteFile
from tests.store.test_checkpoints import SCHEMA, insert
async def main():
    file = SqliteFile(Path(sys.argv[1]), SCHEMA, long_log={LONG})
    n = 0
    while True:
        n += 1
        sys.stdout.write(str(await file.write(lambda c: insert(c, n))) + "\\n")
        sys.stdout.flush()
asyncio.run(main())
"""


@pytest.mark.parametrize("answers", [30, 61, 200])
def test_what_was_answered_is_there_after_kill_9_at_any_point_of_a_move(
    tmp_path: Path, answers: int
) -> None:
    path = tmp_path / "a.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    answered = [int(writer.stdout.readline()) for _ in range(answers)]
    writer.kill()
    answered += [int(line) for line in writer.stdout if line.endswith("\n")]
    writer.stdout.close()
    writer.wait()
    with closing(sqlite3.connect(path)) as connection:
        kept = [n for (n,) in connection.execute("SELECT n FROM page ORDER BY n")]

    assert answered == list(range(1, len(answered) + 1))
    assert kept[: len(answered)] == answered
