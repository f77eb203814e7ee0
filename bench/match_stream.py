"""
Three questions over one stream, each exact: a filter, a count per key and minute, a sequence per key.

The stream and the expected answers are made by a seeded generator (`stream_cases.py`), which
writes `events_N.jsonl` and `expected_N.json`; with jitter the events are out of order.

    python -m bench.match_stream FOLDER N [JITTER_MS]
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest, Found
from oncue.core.pattern.plan import ActivePattern
from oncue.system import settle_memory


def patterns(delay_ms: int) -> list[ActivePattern]:
    """Return the three questions as users would ask them."""
    watermark: Json = {"delay": f"{delay_ms}ms"}
    conditions: list[dict[str, Json]] = [
        {"type": "event", "event": "order.created", "where": "event.data.value > 500.0"},
        {
            "type": "threshold",
            "event": "*",
            "by": ["event.subject"],
            "value": 3,
            "window": "1m",
            "window_type": "tumbling",
            "watermark": watermark,
        },
        {
            "type": "sequence",
            "by": ["event.subject"],
            "within": "10m",
            "overlap": "each",
            "emit": "final",
            "watermark": watermark,
            "steps": [
                {"as": "created", "event": "order.created"},
                {"as": "paid", "event": "order.paid"},
            ],
        },
    ]
    return [
        parse_pattern({"name": f"q-{place}", "pattern": condition}).named(
            f"pat_{place}", 1, 1, None
        )
        for place, condition in enumerate(conditions)
    ]


def events(path: Path) -> Iterator[Event]:
    """Yield the events of a file; each arrives when the latest of all so far happened."""
    now = 0
    with path.open(encoding="utf-8") as lines:
        for offset, line in enumerate(lines, 1):
            row = json.loads(line)
            now = max(now, row["ts"])
            yield Event(
                offset,
                now,
                row["id"],
                "bench",
                row["type"],
                row["key"],
                row["ts"],
                {"value": row["value"]},
                {},
            )


def lines(found: Sequence[Found], ids: Sequence[str]) -> list[list[str]]:
    """Return the answers to each question as the generator spells them."""
    answers: list[list[str]] = [[], [], []]
    for one in found:
        key = json.loads(one.hit.key)[0] if one.hit.key else ""
        bound = [ids[offset] for _, offsets in one.hit.bindings for offset in offsets]
        if one.pattern == 0:
            answers[0].append(bound[0])
        elif one.pattern == 1:
            assert one.hit.window
            answers[1].append(f"{key},{one.hit.window[0]},{one.hit.event_count}")
        else:
            answers[2].append(f"{key},{bound[0]},{bound[1]}")
    return answers


def digest(answer: Sequence[str]) -> str:
    """Return what stands for an answer in the file of expected ones."""
    return hashlib.sha256("".join(f"{line}\n" for line in sorted(answer)).encode()).hexdigest()


def run(asked: Sequence[ActivePattern], stream: Sequence[Event]) -> tuple[list[Found], float]:
    """Return what was found, and events/s."""
    backtest = Backtest(asked, stream[0].time_ms)
    found: list[Found] = []
    began = time.perf_counter()
    for event in stream:
        found += backtest.fold(event)
    for more in backtest.run_on(None):
        found += more
    return found, len(stream) / (time.perf_counter() - began)


def main() -> int:
    """Measure, compare, and print."""
    folder, count, jitter = Path(sys.argv[1]), sys.argv[2], int((*sys.argv[3:], "0")[0])
    suffix = f"{count}_j{jitter}" if jitter else count
    expected: dict[str, Any] = json.loads((folder / f"expected_{suffix}.json").read_text())
    stream = list(events(folder / f"events_{suffix}.jsonl"))
    ids = ["", *(event.id for event in stream)]
    settle_memory()
    is_right = True
    for place, name in enumerate(("a_filter", "b_tumble", "c_match")):
        asked = patterns(jitter)
        found, rate = run([asked[place]], stream)
        answer = lines([replaced(one, place) for one in found], ids)[place]
        equal = digest(answer) == expected[name]["sha256"]
        is_right &= equal
        verdict = "equal" if equal else f"DIFFERS, {expected[name]['count']} expected"
        sys.stdout.write(f"{name:<9} {len(answer):>8} rows, {verdict}, {rate:>10,.0f} events/s\n")
    return 0 if is_right else 1


def replaced(one: Found, place: int) -> Found:
    """Return a match under the number of its question."""
    return Found(place, one.hit, one.number, one.suppressed, one.detected_at_ms)


if __name__ == "__main__":
    sys.exit(main())
