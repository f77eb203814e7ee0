"""
The whole of matching on one core: JSON bytes in, a thousand patterns of all kinds, an fsynced log.

60 % event, 25 % threshold, 10 % sequence and 5 % anomaly patterns over 50 types.
Printed beside it: what each part costs alone, and a naive loop over all
patterns in the same run.

    python -m bench.match_mixed [--events 200000] [--patterns 1000]
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from oncue.core.event import Event, IncomingEvent, parse_event
from oncue.core.json_text import Json, encode_json, parse_json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.seen import Seen
from oncue.system import settle_memory

TYPES = [f"type-{n}.happened" for n in range(50)]
COUNTRIES = ["DE", "AT", "CH", "FR", "US", "GB", "IT", "ES"]
BATCH = 1_000
START_MS = 1_767_225_600_000


def documents(count: int, chance: random.Random) -> Iterator[dict[str, Json]]:
    """Yield patterns in the mix, as users would write them."""
    kinds = ("event",) * 12 + ("threshold",) * 5 + ("sequence",) * 2 + ("anomaly",)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield {"name": f"p-{number}", "pattern": _CONDITIONS[kind](chance)}


def _selector(chance: random.Random) -> dict[str, Json]:
    return {
        "event": chance.choice(TYPES),
        "conditions": {
            "country": [chance.choice(COUNTRIES)],
            "amount": [{"numeric": [">", chance.randrange(500, 990)]}],
        },
    }


def _event(chance: random.Random) -> dict[str, Json]:
    return {"type": "event", **_selector(chance)}


def _threshold(chance: random.Random) -> dict[str, Json]:
    return {
        "type": "threshold",
        **_selector(chance),
        "by": ["event.subject"],
        "value": 5,
        "window": "5m",
    }


def _sequence(chance: random.Random) -> dict[str, Json]:
    first, second = _selector(chance), _selector(chance)
    return {
        "type": "sequence",
        "by": ["event.subject"],
        "within": "10m",
        "steps": [{"as": "a", **first}, {"as": "b", **second}],
    }


def _anomaly(chance: random.Random) -> dict[str, Json]:
    return {
        "type": "anomaly",
        **_selector(chance),
        "by": ["event.subject"],
        "value": "event.data.latency",
    }


_CONDITIONS = {
    "event": _event,
    "threshold": _threshold,
    "sequence": _sequence,
    "anomaly": _anomaly,
}


def bodies(count: int, chance: random.Random) -> list[bytes]:
    """Return events as they come over HTTP."""
    return [
        encode_json(
            {
                "type": chance.choice(TYPES),
                "id": f"e-{number}",
                "source": "bench",
                "subject": f"user-{chance.randrange(5_000)}",
                "data": {
                    "country": chance.choice(COUNTRIES),
                    "amount": chance.randrange(1_000),
                    "latency": chance.random() * 100,
                },
            }
        )
        for number in range(count)
    ]


def active(count: int, chance: random.Random) -> list[ActivePattern]:
    """Return the patterns, ready to match."""
    return [
        parse_pattern(document).named(f"pat_{number}", 1, 1, None)
        for number, document in enumerate(documents(count, chance))
    ]


def accepted(incoming: IncomingEvent, offset: int) -> Event:
    """Return an event as the log would give it."""
    now = START_MS + offset * 5
    return Event(
        offset,
        now,
        incoming.id,
        incoming.source,
        incoming.type,
        incoming.subject,
        now,
        incoming.data,
        incoming.attributes,
    )


class Pipeline:
    """Bytes to events, events to an fsynced file, events to findings."""

    def __init__(self, patterns: Sequence[ActivePattern], log: Path) -> None:
        self.matcher = Matcher()
        for pattern in patterns:
            self.matcher.put(pattern, START_MS)
        self._descriptor = os.open(log, os.O_CREAT | os.O_WRONLY)
        self.found = 0
        self.seconds = dict.fromkeys(("decode", "append", "match"), 0.0)

    def run(self, batches: Sequence[Sequence[bytes]]) -> None:
        """Take batches, one after the other."""
        offset = 0
        for batch in batches:
            began = time.perf_counter()
            values = parse_json(b"[" + b",".join(batch) + b"]")
            assert isinstance(values, list)
            events = [
                accepted(parse_event(value, str), offset + place)
                for place, value in enumerate(values, 1)
            ]
            decoded = time.perf_counter()
            os.write(self._descriptor, msgspec.msgpack.encode(events))
            os.fsync(self._descriptor)
            appended = time.perf_counter()
            fold = self.matcher.fold
            for event in events:
                self.found += len(fold(event))
            matched = time.perf_counter()
            offset += len(batch)
            self.seconds["decode"] += decoded - began
            self.seconds["append"] += appended - decoded
            self.seconds["match"] += matched - appended


def naive(patterns: Sequence[ActivePattern], events: Sequence[Event]) -> float:
    """Return events/s of asking every selector of every pattern."""
    began = time.perf_counter()
    for event in events:
        seen = Seen(event)
        for pattern in patterns:
            for selection in pattern.plan.looking.selections:
                if event.type in selection.globs:
                    selection.admits(event, seen)
    return len(events) / (time.perf_counter() - began)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--patterns", type=int, default=1_000)
    given = parser.parse_args()
    chance = random.Random(20261125)  # noqa: S311 a load, not a secret
    patterns = active(given.patterns, chance)
    lines = bodies(given.events, chance)
    batches = [lines[at : at + BATCH] for at in range(0, len(lines), BATCH)]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(patterns, Path(folder) / "log.bin")
        settle_memory()
        pipeline.run(batches)
    total = sum(pipeline.seconds.values())
    assert pipeline.matcher.take_failures() == []
    out = sys.stdout.write
    out(f"{given.patterns} patterns, {given.events} events, {pipeline.found} matches\n")
    out(f"  all      {given.events / total:>12,.0f} events/s\n")
    for name, seconds in pipeline.seconds.items():
        out(f"  {name:<8} {given.events / seconds:>12,.0f} events/s, {seconds / total:.0%}\n")
    sample = [
        accepted(parse_event(parse_json(line), str), offset)
        for offset, line in enumerate(lines[:2_000], 1)
    ]
    rate = naive(patterns, sample)
    matching = given.events / pipeline.seconds["match"]
    out(f"  naive    {rate:>12,.0f} events/s: matching is {matching / rate:.1f} times as fast\n")


if __name__ == "__main__":
    main()
