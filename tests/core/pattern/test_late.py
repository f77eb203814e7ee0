"""Windows that take late events: once they are over, or before they are told."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings

from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.operator import Hit
from oncue.core.pattern.records import Tick
from oncue.core.pattern.watch import Watch
from tests.core.pattern.test_determinism import BEGAN_MS, MATCHES, STREAMS, Sent, records

ALLOWED: Final[Json] = {"allowed": "6s"}
WINDOWS: Final[dict[str, dict[str, Json]]] = {
    "threshold": {
        "type": "threshold", "event": "*", "by": ["event.subject"], "measure": "sum",
        "of": "event.data.n", "value": 1, "window": "4s", "window_type": "tumbling",
    },
    "silence": {
        "type": "threshold", "event": "*", "by": ["event.subject"], "operator": "<", "value": 2,
        "window": "4s", "window_type": "tumbling",
    },
    "session": {
        "type": "threshold", "event": "*", "by": ["event.subject"], "value": 2, "gap": "3s",
        "window_type": "session",
    },
    "sql": {
        "type": "sql", "query": "SELECT subject, SUM(data.n) AS s FROM events"
        " GROUP BY subject, HOP(time, INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
    },
    "matches": {
        "type": "sql", "query":
        f"SELECT COUNT(*) AS n FROM {MATCHES} GROUP BY TUMBLE(t, INTERVAL '4' SECOND)",
    },
}  # fmt: skip


def matched(
    pattern: Json, sent: Sequence[Sent], *, runs_on: bool = True
) -> tuple[list[Hit], Watch]:
    parsed = parse_pattern({"name": "late", "pattern": pattern})
    matcher = Matcher()
    watch = matcher.put(parsed.named("pat_late", 1, 1, None), BEGAN_MS)
    log = records(sent)
    found = [one for record in log for one in matcher.fold(record)]
    for _ in range(100 if runs_on else 0):
        tick_ms = matcher.agenda.next_tick_ms()
        if tick_ms is None:
            break
        found += matcher.fold(Tick(len(log), tick_ms))
    assert matcher.take_failures() == []
    return [one.hit for one in found], watch


@pytest.mark.parametrize("name", sorted(WINDOWS))
@settings(max_examples=60, deadline=None)
@given(sent=STREAMS)
def test_windows_that_are_told_once_wait_for_late_events(name: str, sent: list[Sent]) -> None:
    pattern = WINDOWS[name]
    waiting, watch = matched({**pattern, "late": ALLOWED}, sent)
    delayed, other = matched({**pattern, "watermark": {"delay": "6s"}}, sent)

    assert waiting == delayed
    assert watch.stats() == other.stats()


def test_a_window_is_told_when_it_takes_no_more() -> None:
    pattern: Json = {**WINDOWS["sql"], "late": ALLOWED}
    # The window from 1000 s to 1006 s takes events until event time is 1012 s.
    in_time = [Sent(1_000, 0, "a", "x", 1), Sent(10_500, 10_000, "a", "x", 2)]
    too_late = [*in_time, Sent(500, 0, "a", "y", 0), Sent(0, 10_500, "a", "x", 4)]

    open_, _ = matched(pattern, in_time, runs_on=False)
    told, watch = matched(pattern, too_late, runs_on=False)

    assert open_ == []
    assert [(hit.window, hit.values["s"], hit.revision) for hit in told] == [
        ((BEGAN_MS, BEGAN_MS + 6_000), 3, 0)
    ]
    assert watch.stats()["late"] == 1
