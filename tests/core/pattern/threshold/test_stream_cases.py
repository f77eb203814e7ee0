"""One-minute counts per key over a stream with some disorder: the rows must be exact."""

import random
from collections import Counter

import pytest

from tests.core.pattern.threshold.streams import Player, Sent, plan

MINUTE = 60_000
JITTER = 3_000


def stream(seed: int, count: int) -> list[Sent]:
    """Return events 1 to 99 ms apart; most fall on a few of the keys."""
    draw = random.Random(seed)
    now, sent = 1_767_225_600_000, []
    for _ in range(count):
        now += 1 + draw.randrange(99)
        key = draw.randrange(40) if draw.random() < 0.8 else 40 + draw.randrange(160)
        sent.append(Sent(now, f"k{key:05d}"))
    return sent


def jittered(sent: list[Sent], seed: int) -> list[Sent]:
    draw = random.Random(seed)
    return sorted(sent, key=lambda each: each.time + draw.random() * JITTER)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("delay", "is_jittered"),
    [
        pytest.param(0, False, id="in order"),
        pytest.param(JITTER, False, id="in order, behind the watermark"),
        pytest.param(JITTER, True, id="jitter within the delay"),
    ],
)
def test_counts_per_minute_and_key(seed: int, delay: int, is_jittered: bool) -> None:  # noqa: FBT001 a column of the table
    sent = stream(seed, 6_000)
    received = jittered(sent, seed) if is_jittered else sent
    compiled = plan({"window_type": "tumbling", "window": "1m", "operator": ">=", "value": 3})
    hits = Player(compiled, delay=delay).play(received)

    counted = Counter((each.time // MINUTE * MINUTE, each.key) for each in sent)
    expected = sorted((start + MINUTE, key, n) for (start, key), n in counted.items() if n >= 3)
    assert [(hit.time_ms, hit.key, hit.values["value"]) for hit in hits] == expected
