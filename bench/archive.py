"""
What the archive weighs, and how long it takes to answer.

    python -m bench.archive [--events 1000000]
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from oncue.core.event import IncomingEvent
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.engine.backtests import Backtests, Stored
from oncue.ports import EventQuestion
from oncue.store.query.pool import QueryPool
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock

ACCOUNT = "acc_bench"
DAYS = 30
DAY_MS = 86_400_000
BATCH = 1_000
TYPES = ("page.viewed", "order.made", "order.paid", "order.sent", "order.returned", "login.failed")
PATTERN: dict[str, Json] = {
    "type": "threshold",
    "event": "login.failed",
    "by": ["event.subject"],
    "value": 5,
    "window": "10m",
}


def events(count: int, began_ms: int) -> Iterator[IncomingEvent]:
    """Yield events of a month, of a twentieth as many subjects, a few of which are busy."""
    chance = random.Random(7)  # noqa: S311 the same events each time
    step = DAYS * DAY_MS / count
    subjects = count // 20 + 1
    for number in range(count):
        data: Json = {
            "amount": round(chance.random() * 500, 2),
            "plan": chance.choice(["free", "pro", "enterprise"]),
            "email": f"user-{chance.randrange(subjects)}@example.com",
            "items": [{"sku": f"s-{chance.randrange(1_000)}", "count": chance.randrange(1, 5)}],
        }
        time_ms = began_ms + int(number * step)
        yield IncomingEvent(
            f"evt_{time_ms:012x}{chance.getrandbits(64):016x}", "shop",
            TYPES[int(chance.random() ** 2 * len(TYPES))],
            f"user-{int(chance.random() ** 3 * subjects)}", time_ms, data, {},
        )  # fmt: skip


def say(line: str) -> None:
    """Tell a figure as soon as there is one."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def size(folder: Path, part: str) -> int:
    """Return the bytes of files."""
    return sum(path.stat().st_size for path in folder.rglob(part))


async def fill(log: SqliteEventLog, clock: VirtualClock, count: int) -> None:
    """Append all events at the times that they tell."""
    coming = events(count, clock.now_ms())
    while batch := list(islice(coming, BATCH)):
        clock.advance(max((batch[0].time_ms or 0) - clock.now_ms(), 0))
        await log.append(ACCOUNT, batch)
    await log.segments.drop(0, {})


async def ask(log: SqliteEventLog, folder: Path, sql: str) -> tuple[float, int]:
    """Return the median of three seconds, and how many rows there were."""
    times, count = [], 0
    async with QueryPool(log.past.all_rows, folder / "queries") as pool:
        await pool.ask(ACCOUNT, EventQuestion("SELECT 1"))
        await asyncio.sleep(2)
        for _ in range(3):
            began = time.perf_counter()
            count = (await pool.ask(ACCOUNT, EventQuestion(sql))).count
            times.append(time.perf_counter() - began)
            await asyncio.sleep(2)
    return sorted(times)[1], count


async def backtest(log: SqliteEventLog, clock: VirtualClock) -> tuple[float, int]:
    """Return the seconds that a backtest over everything took, and the matches."""
    pattern = parse_pattern({"name": "logins", "pattern": PATTERN}).named("pat_b", 1, 1, None)
    stored = Stored(0, 2**60, clock.now_ms(), 0)
    began = time.perf_counter()
    found = 0
    document: Json = {"name": "logins", "pattern": PATTERN}
    async for told in Backtests(log).over_log(ACCOUNT, [pattern], [document], stored, 50):
        if not isinstance(told, int):
            found = told.counts[0]
    return time.perf_counter() - began, found


async def archive(log: SqliteEventLog) -> float:
    """Return the seconds that it took to archive all that is due."""
    began = time.perf_counter()
    while await log.segments.archive_due():
        pass
    return time.perf_counter() - began


async def measure(folder: Path, count: int) -> None:
    """Tell the figures."""
    clock = VirtualClock()
    log = SqliteEventLog(folder / "log", clock, dedupe_window_ms=DAY_MS)
    began = time.perf_counter()
    await fill(log, clock, count)
    say(f"appended {count:,} events in {time.perf_counter() - began:.1f} s")
    hot = size(folder / "log", "*.db")
    took = await archive(log)
    archived = size(folder / "archive", "*.parquet")
    say(f"archived in {took:.1f} s: {count / took:,.0f} events/s")
    say(f"log {hot >> 20} MiB, archive {archived >> 20} MiB: {hot / archived:.1f} times smaller")
    clock.advance(2 * DAY_MS)
    for _ in range(2):
        await log.segments.drop(0, {ACCOUNT: log.head(ACCOUNT)})
        await archive(log)
    say(f"left in the log: {size(folder / 'log', '*.db') >> 20} MiB")
    last = log.last_arrival_ms() / 1_000 - DAY_MS / 1_000
    for what, sql in (
        ("count by type", "SELECT type, count(*) FROM events GROUP BY type"),
        (
            "one subject's last day",
            f"SELECT * FROM events WHERE subject = 'user-7' AND time > to_timestamp({last})",
        ),
        ("sum of a path", "SELECT sum(data.amount) FROM events WHERE type = 'order.paid'"),
    ):
        seconds, rows = await ask(log, folder, sql)
        say(f"{what}: {seconds * 1_000:,.0f} ms, {rows} rows")
    seconds, found = await backtest(log, clock)
    say(f"backtest: {count / seconds:,.0f} events/s, {found} matches")
    await log.close()


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), arguments.events))


if __name__ == "__main__":
    main()
