"""
How fast are thresholds, and how large? `python -m bench.match_threshold`.

In process, on one core, events as the matcher gives them. Beside each figure stands a
naive loop over the same events in the same run: for the sliding count a deque per
key, for the tumbling count and the sum a dictionary per window.
"""

import gc
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.threshold import ThresholdPattern, compile_threshold
from oncue.core.pattern.operator import Arrival, Operator

EVENTS: Final = 200_000
KEYS: Final = 1_000
ROUNDS: Final = 3
LIVE_KEYS: Final = 1_000_000
EVENTS_PER_KEY: Final = 2
WINDOW_MS: Final = 60_000
NEEDED: Final = 5


def main() -> None:
    """Print the figures."""
    if sys.argv[1:2] == ["--memory"]:
        _write(f"{megabytes_of_live_keys(sys.argv[2]):.0f}")
        return
    in_order = arrivals(jitter_ms=0)
    jittered = arrivals(jitter_ms=3_000)
    rows: list[tuple[str, dict[str, Json], Callable[[Sequence[Arrival]], int]]] = [
        ("sliding count >= 5", {}, naive_sliding),
        ("sliding distinct >= 5", {"measure": "distinct", "of": "event.data.v"}, naive_sliding),
        ("sliding avg >= 0.9", {"measure": "avg", "of": "event.data.v", "value": 0.9}, naive_sum),
        ("sliding count < 1", {"operator": "<", "value": 1}, naive_sliding),
        ("tumbling count >= 5", {"window_type": "tumbling"}, naive_tumbling),
        ("tumbling sum >= 5", {"window_type": "tumbling", "measure": "sum", "of": "event.data.v"},
         naive_sum),
    ]  # fmt: skip
    for name, fields, naive in rows:
        for order, given in (("in order", in_order), ("3 s of jitter", jittered)):
            rate = events_per_second(lambda given=given, fields=fields: play(fields, given))  # type: ignore[misc]  # bound at once
            floor = events_per_second(lambda given=given, naive=naive: naive(given))  # type: ignore[misc]  # bound at once
            _say(f"{name}, {order}", rate, f"{rate / floor:.2f} of a naive loop ({floor:,.0f}/s)")
    for kind in ("sliding", "tumbling"):
        command = [sys.executable, "-m", "bench.match_threshold", "--memory", kind]
        size = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        _write(f"{f'{LIVE_KEYS:,} live keys, {kind}':42} {size.strip():>12} MB")


def arrivals(jitter_ms: int) -> list[Arrival]:
    """Return events of the keys, a few of which have most; those of one key are minutes apart."""
    draw = random.Random(7)  # noqa: S311 a load, and no secret
    now, found = 1_767_225_600_000, []
    for offset in range(EVENTS):
        now += 1 + draw.randrange(99)
        key = draw.randrange(KEYS // 5) if draw.random() < 0.8 else draw.randrange(KEYS)
        late = draw.randrange(jitter_ms) if jitter_ms else 0
        found.append(_arrival(f'["k{key:05d}"]', now - late, offset, now))
    return found


def _arrival(key: str, time_ms: int, offset: int, now_ms: int) -> Arrival:
    data: dict[str, Json] = {"v": offset % 97 / 97}
    event = Event(offset, now_ms, "e", "api", "order.paid", None, time_ms, data, {})
    return Arrival(key, 1, event, {"event": {"data": data}}, now_ms - 3_000)


def threshold(fields: dict[str, Json]) -> Operator:
    """Return the operator of a threshold."""
    document: dict[str, Json] = {
        "type": "threshold", "event": "order.paid", "by": ["event.subject"],
        "window": "1m", "value": NEEDED, "limits": {"max_keys": 2 * LIVE_KEYS},
    }  # fmt: skip
    pattern = ThresholdPattern.model_validate(document | fields)
    return compile_threshold(pattern, "pattern").operator()


def play(fields: dict[str, Json], given: Sequence[Arrival]) -> int:
    """Return how many hits there are."""
    operator, hits = threshold(fields), 0
    for arrival in given:
        due = operator.deadline()
        if due is not None and due <= arrival.watermark_ms:
            hits += sum(1 for _ in operator.advance(arrival.watermark_ms))
        hits += len(operator.admit(arrival))
    return hits


def naive_sliding(given: Sequence[Arrival]) -> int:
    """Count with the times of each key in a deque."""
    kept: dict[str, deque[int]] = defaultdict(deque)
    hits = 0
    for arrival in given:
        times, now = kept[arrival.key], arrival.event.time_ms
        times.append(now)
        while times[0] <= now - WINDOW_MS:
            times.popleft()
        hits += len(times) >= NEEDED
    return hits


def naive_tumbling(given: Sequence[Arrival]) -> int:
    """Count in a dictionary of windows."""
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for arrival in given:
        counts[arrival.key, arrival.event.time_ms // WINDOW_MS] += 1
    return sum(count >= NEEDED for count in counts.values())


def naive_sum(given: Sequence[Arrival]) -> int:
    """Add up in a dictionary of windows."""
    sums: dict[tuple[str, int], float] = defaultdict(float)
    for arrival in given:
        data = arrival.event.data
        assert isinstance(data, dict)
        sums[arrival.key, arrival.event.time_ms // WINDOW_MS] += data["v"]
    return sum(total >= NEEDED for total in sums.values())


def events_per_second(run: Callable[[], int]) -> float:
    """Return the median over some rounds, without the collector as the matcher runs."""
    rates = []
    gc.collect()
    gc.disable()
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        run()
        rates.append(EVENTS / (time.perf_counter() - begin))
    gc.enable()
    return statistics.median(rates)


def megabytes_of_live_keys(kind: str) -> float:
    """Return by how much the process grows with the keys; the events themselves are let go."""
    operator = threshold({} if kind == "sliding" else {"window_type": "tumbling"})
    before = _resident_mb()
    now = 1_767_225_600_000
    for number in range(LIVE_KEYS * EVENTS_PER_KEY):
        key = f'["user-{number % LIVE_KEYS:07d}"]'
        operator.admit(_arrival(key, now + number // 100, number, now + number // 100))
    assert len(operator.states()["known"]) == LIVE_KEYS
    return _resident_mb() - before


def _resident_mb() -> float:
    # The largest size so far would be that of the process that began this one.
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _say(name: str, rate: float, beside: str) -> None:
    _write(f"{name:42} {rate:>12,.0f}/s  {beside}")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
