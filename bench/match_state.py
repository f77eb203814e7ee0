"""
A million live keys: what they weigh, how long a checkpoint holds up matching, how fast it is read.

    python -m bench.match_state [--keys 1000000]
"""

import argparse
import asyncio
import gc
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.saving import Part, Save, restore
from oncue.store.checkpoints import FileCheckpoints

START_MS = 1_767_225_600_000
KEYS_PER_PART = 1_000
ACCOUNT = "acc_bench"


def pattern(keys: int) -> ActivePattern:
    """Return five events of a key within a day."""
    condition: dict[str, Json] = {
        "type": "threshold",
        "event": "order.paid",
        "by": ["event.subject"],
        "value": 5,
        "window": "24h",
        "limits": {"max_keys": keys},
    }
    parsed = parse_pattern({"name": "keys", "pattern": condition})
    return parsed.named("pat_keys", 1, 1, None)


def event(offset: int, key: int) -> Event:
    """Return an event of a key."""
    now = START_MS + offset
    return Event(offset, now, f"e-{offset}", "bench", "order.paid", f"user-{key}", now, None, {})


def resident_mb() -> float:
    """Return the memory that the process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def save(matcher: Matcher, offset: int, folder: Path) -> list[float]:
    """
    Write a checkpoint while events come, and return for how long its begin and each part held them up.

    Of processor time: what others do on the machine does not count.
    """
    pauses: list[float] = []
    began = time.process_time()
    under_way = Save(matcher, offset)
    pauses.append(time.process_time() - began)

    async def parts() -> AsyncIterator[Part]:
        number = offset
        while True:
            began = time.thread_time()
            part = under_way.next_part(KEYS_PER_PART)
            pauses.append(time.thread_time() - began)
            if part is None:
                return
            for _ in range(100):
                number += 1
                matcher.fold(event(number, number))
            yield part

    await FileCheckpoints(folder).write(ACCOUNT, under_way.head, parts())
    return pauses


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    keys = parser.parse_args().keys
    out = sys.stdout.write
    before = resident_mb()
    matcher = Matcher()
    active = pattern(2 * keys)
    matcher.put(active, START_MS)
    began = time.perf_counter()
    for offset in range(1, keys + 1):
        matcher.fold(event(offset, offset))
    filled = time.perf_counter() - began
    out(f"{keys:,} keys in {filled:.1f} s, {resident_mb() - before:,.0f} MB\n")
    # As the server does: what lives long is not looked at again and again.
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        pauses = asyncio.run(save(matcher, keys, Path(folder)))
        took = time.perf_counter() - began
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.jsonl")) / 2**20
        begin, *parts = (seconds * 1e3 for seconds in pauses)
        out(f"checkpoint: {took:.1f} s, {size:,.0f} MB; ")
        out(f"its begin takes {begin:.0f} ms, its longest part {max(parts):.0f} ms\n")
        del matcher
        began = time.perf_counter()
        found = asyncio.run(FileCheckpoints(Path(folder)).load(ACCOUNT, keys))
        assert found is not None
        again = restore(*found, [active])
        out(f"read back: {time.perf_counter() - began:.1f} s\n")
        assert len(again.watches[active.id].memory.states()["matched"]) == 0


if __name__ == "__main__":
    main()
