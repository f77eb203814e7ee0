"""The same log gives the same matches: whatever is saved, restored, ticked or replayed in between."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from oncue.core.pattern.match import match_of
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.records import LogRecord, Tick
from oncue.core.pattern.saving import Head, Part, Save, restore
from oncue.core.pattern.watch import Finding
from tests.core.pattern.rows.driving import row_pattern
from tests.make import make_event

BEGAN_MS = 1_000_000
BY: Json = ["event.subject"]
A_THEN_B: list[Json] = [{"as": "a", "event": "a"}, {"as": "b", "event": "b"}]
MATCHES = (
    "events MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time MEASURES MATCH_ROWTIME() AS t,"
    " LAST(type) AS kind, COUNT(*) AS many PATTERN (A B* C?) WITHIN INTERVAL '8' SECOND"
    " DEFINE B AS data.n >= PREV(data.n), C AS data.n > 6)"
)
PATTERNS: dict[str, dict[str, Json]] = {
    "event": {"type": "event", "event": "*", "where": "event.data.n > 5", "cooldown": "3s"},
    "samples": {"type": "event", "event": "a", "by": BY, "cooldown": {"samples": 2}},
    "count": {"type": "threshold", "event": "a", "by": BY, "value": 3, "window": "5s"},
    "paused": {
        "type": "threshold", "event": "a", "value": 2, "window": "5s", "cooldown": "4s", "by": BY,
    },
    "average": {
        "type": "threshold", "event": "*", "measure": "avg", "of": "event.data.n", "value": 5,
        "window": "4s", "for": "2s", "notify_clear": True, "by": BY,
    },
    "mean": {
        "type": "threshold", "event": "*", "measure": "avg", "of": "event.data.n", "value": 5,
        "window": "4s", "by": BY, "watermark": {"delay": "4s"},
    },
    "silence": {
        "type": "threshold", "event": "b", "by": BY, "operator": "<", "value": 1, "window": "6s",
    },
    "tumbling": {
        "type": "threshold", "event": "*", "by": BY, "measure": "sum", "of": "event.data.n",
        "value": 9, "window": "4s", "window_type": "tumbling",
        "late": {"allowed": "4s", "action": "amend"},
    },
    "hopping": {
        "type": "threshold", "event": "a", "window": "6s", "slide": "2s", "window_type": "hopping",
        "value": 3, "watermark": {"delay": "3s"},
    },
    "session": {
        "type": "threshold", "event": "*", "by": BY, "window_type": "session", "gap": "3s",
        "value": 2,
    },
    "sequence": {"type": "sequence", "by": BY, "within": "8s", "steps": A_THEN_B},
    "each": {"type": "sequence", "within": "8s", "overlap": "each", "steps": A_THEN_B},
    "final": {
        "type": "sequence", "by": BY, "within": "8s", "steps": A_THEN_B, "emit": "final",
        "watermark": {"delay": "4s"},
    },
    "absence": {
        "type": "sequence", "by": BY, "within": "5s",
        "steps": [{"as": "a", "event": "a"}, {"as": "b", "event": "b", "not": True}],
    },
    "heartbeat": {
        "type": "sequence", "within": "5s", "by": BY,
        "steps": [{"as": "a", "event": "a", "not": True}],
    },
    "captures": {
        "type": "sequence", "within": "9s", "emit_all": True, "after_match": "no_skip",
        "steps": [
            {"as": "a", "event": "a", "times": {"min": 1, "max": 3}},
            {"as": "b", "event": "b", "where": "event.data.n > a[0].data.n", "contiguity": "any"},
        ],
    },
    "unordered": {
        "type": "sequence", "by": BY, "within": "6s", "ordered": False, "steps": A_THEN_B,
    },
    "anomaly": {
        "type": "anomaly", "event": "*", "by": BY, "value": "event.data.n", "min_samples": 5,
        "sensitivity": "high", "watermark": {"delay": "2s"},
    },
    "rows": {
        "type": "sql", "query": row_pattern(
            "A B+ C?", "B AS data.n > PREV(data.n), C AS SUM(B.data.n) > 9", within="'8' SECOND",
            partition="PARTITION BY subject",
        ),
    },
    "shown": {
        "type": "sql", "watermark": {"delay": "4s"}, "on_missing_key": "null_key",
        "query": row_pattern(
            "A+? B", "B AS type = 'b'", partition="PARTITION BY subject", within="'9' SECOND",
            rows="ALL ROWS PER MATCH WITH UNMATCHED ROWS", skip="AFTER MATCH SKIP TO NEXT ROW",
        ).replace("ORDER BY time", "ORDER BY time, type DESC"),
    },
    "sql": {"type": "sql", "query": "SELECT data.n AS n FROM events WHERE type = 'a'"},
    "sql-tumble": {
        "type": "sql", "late": {"allowed": "4s", "action": "amend"}, "query":
            "SELECT subject, window_start, SUM(data.n) AS s, MIN(data.n) AS low, AVG(data.n) AS m"
            " FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '4' SECOND))"
            " GROUP BY window_start, window_end, subject HAVING COUNT(*) > 1",
    },
    "sql-session": {
        "type": "sql", "on_missing_key": "null_key", "query":
            "SELECT subject, COUNT(DISTINCT data.n) AS d FROM events"
            " GROUP BY SESSION(time, INTERVAL '3' SECOND), subject",
    },
    "sql-cumulate": {
        "type": "sql", "watermark": {"delay": "3s"}, "query":
            "SELECT COUNT(*) FILTER (WHERE data.n > 5) AS many FROM events"
            " GROUP BY CUMULATE(time, INTERVAL '2' SECOND, INTERVAL '8' SECOND)",
    },
    "sql-top": {
        "type": "sql", "query":
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end"
            " ORDER BY total DESC) AS place FROM (SELECT window_start, window_end, subject,"
            " SUM(data.n) AS total FROM TABLE(HOP(TABLE events, DESCRIPTOR(time),"
            " INTERVAL '2' SECOND, INTERVAL '6' SECOND))"
            " GROUP BY window_start, window_end, subject)) WHERE place <= 1",
    },
    "sql-over": {
        "type": "sql", "watermark": {"delay": "2s"}, "query":
            "SELECT * FROM (SELECT data.n AS n, AVG(data.n) OVER (PARTITION BY subject"
            " ORDER BY time RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW) AS mean,"
            " MAX(data.n) OVER (PARTITION BY subject ORDER BY time ROWS 2 PRECEDING) AS high"
            " FROM events) WHERE n > mean",
    },
    "sql-matches": {
        "type": "sql", "watermark": {"delay": "2s"}, "query":
            "SELECT kind, SUM(many) AS n, HOP_START(t, INTERVAL '2' SECOND, INTERVAL '6' SECOND) AS s"
            f" FROM {MATCHES} GROUP BY kind, HOP(t, INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
    },
    "sql-matches-amended": {
        "type": "sql", "late": {"allowed": "6s", "action": "amend"}, "query":
            f"SELECT COUNT(DISTINCT many) AS n FROM (SELECT * FROM {MATCHES} WHERE many < 9)"
            " GROUP BY TUMBLE(t, INTERVAL '3' SECOND)",
    },
    "sql-matches-top": {
        "type": "sql", "on_missing_key": "null_key", "cooldown": "3s", "query":
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end"
            " ORDER BY n DESC, subject) AS place FROM (SELECT window_start, window_end, subject,"
            " COUNT(*) AS n FROM TABLE(SESSION(TABLE (SELECT subject, t FROM"
            f" {MATCHES.replace('MEASURES', 'MEASURES A.subject AS who,')}) PARTITION BY subject,"
            " DESCRIPTOR(t), INTERVAL '4' SECOND)) GROUP BY window_start, window_end, subject))"
            " WHERE place <= 2",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """An event: how long after the one before it arrived, and how far off its own clock is."""

    later_ms: int
    behind_ms: int
    type: str
    subject: str | None
    n: int


SENT = st.builds(
    Sent,
    later_ms=st.sampled_from([0, 1, 300, 999, 1_000, 1_001, 2_500, 6_000]),
    behind_ms=st.sampled_from([0, 0, 0, 1, 700, 2_000, 3_000, 9_000, -4_000]),
    type=st.sampled_from(["a", "b", "c"]),
    subject=st.sampled_from(["x", "y", None]),
    n=st.integers(0, 12),
)
STREAMS = st.lists(SENT, max_size=40)
NAMES = st.lists(st.sampled_from(sorted(PATTERNS)), min_size=1, max_size=4, unique=True)


def records(sent: Sequence[Sent]) -> list[LogRecord]:
    found: list[LogRecord] = []
    now = BEGAN_MS
    for offset, one in enumerate(sent, 1):
        now += one.later_ms
        event = make_event(
            offset=offset,
            id=f"e-{offset}",
            received_at_ms=now,
            time_ms=now - one.behind_ms,
            type=one.type,
            subject=one.subject,
            data={"n": one.n},
        )
        found.append(event)
    return found


def pattern_of(name: str) -> ActivePattern:
    parsed = parse_pattern({"name": name, "pattern": PATTERNS[name]})
    return parsed.named(f"pat_{name}", 1, 1, None)


def begin(names: Sequence[str]) -> Matcher:
    matcher = Matcher()
    for name in names:
        matcher.put(pattern_of(name), BEGAN_MS)
    return matcher


def run_on(matcher: Matcher, offset: int, until_ms: int = BEGAN_MS + 10_000_000) -> Iterator[Tick]:
    """Let the clock run on; each tick is folded before the next is asked for."""
    for _ in range(200):
        tick_ms = matcher.agenda.next_tick_ms()
        if tick_ms is None or tick_ms > until_ms:
            return
        yield Tick(offset, tick_ms)


def spelled(found: Sequence[tuple[LogRecord, Finding]], log: Sequence[LogRecord]) -> list[str]:
    """Return matches as they are kept, but for when they were seen."""
    events = {record.offset: record for record in log if isinstance(record, Event)}
    lines = []
    for record, finding in found:
        view = match_of(finding, record.received_at_ms, events).view()
        del view["detected_at"]
        lines.append(msgspec.json.encode(view, order="sorted").decode())
    return lines


def folded(names: Sequence[str], log: Sequence[LogRecord]) -> list[str]:
    matcher = begin(names)
    found = [(record, finding) for record in log for finding in matcher.fold(record)]
    for tick in run_on(matcher, len(log)):
        found += ((tick, finding) for finding in matcher.fold(tick))
    assert matcher.take_failures() == []
    return spelled(found, log)


def round_trip(save: Save) -> tuple[Head, list[Part]]:
    """Return a checkpoint as it is read back from JSON."""
    head = msgspec.json.decode(msgspec.json.encode(save.head), type=Head)
    parts: list[Part] = []
    while part := save.next_part(2):
        parts.append(msgspec.json.decode(msgspec.json.encode(part), type=Part))
    return head, parts


def restored(names: Sequence[str], log: Sequence[LogRecord], at: Sequence[int]) -> list[str]:
    """Fold the log with a matcher that is saved and restored before the records `at`."""
    matcher = begin(names)
    found: list[tuple[LogRecord, Finding]] = []
    for place, record in enumerate(log):
        if place in at:
            head, parts = round_trip(Save(matcher, place))
            matcher = restore(head, parts, [pattern_of(name) for name in sorted(names)])
        found += ((record, finding) for finding in matcher.fold(record))
    for tick in run_on(matcher, len(log)):
        found += ((tick, finding) for finding in matcher.fold(tick))
    return spelled(found, log)


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_each_pattern_finds_something_in_some_stream(name: str) -> None:
    chance = random.Random(7)
    types, subjects = ["a", "a", "b"], ["x", "x", "y"]
    sent = [
        Sent(chance.choice([300, 900, 2_000]), 0, chance.choice(types), chance.choice(subjects), n)
        for n in [*chance.choices(range(6, 9), k=60), 99, 12]
    ]

    assert folded([name], records(sent))


def test_what_a_checkpoint_does_not_know_does_not_change_the_order_of_matches() -> None:
    # The second event puts off the end of the session, to the instant of the absence.
    names = ["absence", "session"]
    late, now = Sent(0, 2_000, "a", "x", 0), Sent(0, 0, "a", "x", 0)
    log = records([late, now, Sent(6_000, 0, "a", None, 0)])

    assert restored(names, log, [2]) == folded(names, log)


@settings(max_examples=300, deadline=None)
@given(names=NAMES, sent=STREAMS, at=st.lists(st.integers(0, 40), max_size=3))
def test_what_is_restored_goes_on_as_if_nothing_had_been(
    names: list[str], sent: list[Sent], at: list[int]
) -> None:
    log = records(sent)

    assert restored(names, log, at) == folded(names, log)


@settings(max_examples=150, deadline=None)
@given(names=NAMES, sent=STREAMS, at=st.integers(0, 40), each=st.integers(1, 3))
@example(
    names=["sql-over"],
    # The frame of a key goes on after its state was taken down, and before it is written.
    sent=[
        *(
            Sent(0, 0, "b", "x", 9),
            Sent(1_000, 3_000, "a", "y", 9),
            Sent(1_000, 3_000, "a", "x", 7),
        ),
        *(Sent(0, 700, "c", "x", 1), Sent(2_500, 0, "c", "y", 9), Sent(0, 3_000, "a", "y", 3)),
        *(Sent(0, 0, "b", "y", 9), Sent(1_000, 0, "a", "y", 9), Sent(6_000, 700, "a", "y", 2)),
    ],
    at=8,
    each=3,
)
def test_a_checkpoint_is_of_its_begin_though_matching_goes_on_meanwhile(
    names: list[str], sent: list[Sent], at: int, each: int
) -> None:
    log = records(sent)
    matcher = begin(names)
    for record in log[:at]:
        matcher.fold(record)
    save = Save(matcher, at)
    head = msgspec.json.encode(save.head)
    parts: list[Part] = []
    found: list[tuple[LogRecord, Finding]] = []
    for record in log[at:]:
        if part := save.next_part(each):
            parts.append(msgspec.json.decode(msgspec.json.encode(part), type=Part))
        found += ((record, finding) for finding in matcher.fold(record))
    while part := save.next_part(each):
        parts.append(msgspec.json.decode(msgspec.json.encode(part), type=Part))
    again = restore(
        msgspec.json.decode(head, type=Head), parts, [pattern_of(name) for name in names]
    )
    found_again = [(record, finding) for record in log[at:] for finding in again.fold(record)]

    assert spelled(found_again, log) == spelled(found, log)


@settings(max_examples=300, deadline=None)
@given(names=NAMES, sent=STREAMS, wish=st.lists(st.booleans(), max_size=60))
def test_ticks_make_visible_earlier_what_comes_to_light_anyway(
    names: list[str], sent: list[Sent], wish: list[bool]
) -> None:
    log = records(sent)
    matcher = begin(names)
    found: list[tuple[LogRecord, Finding]] = []
    wishes = iter(wish)
    for record in log:
        for tick in run_on(matcher, record.offset - 1, record.received_at_ms):
            if not next(wishes, False):
                break
            found += ((tick, finding) for finding in matcher.fold(tick))
        found += ((record, finding) for finding in matcher.fold(record))
    for tick in run_on(matcher, len(log)):
        found += ((tick, finding) for finding in matcher.fold(tick))

    assert sorted(spelled(found, log)) == sorted(folded(names, log))


@settings(max_examples=100, deadline=None)
@given(names=NAMES, sent=STREAMS)
def test_a_backtest_finds_what_was_found_live(names: list[str], sent: list[Sent]) -> None:
    log = records(sent)
    patterns = [pattern_of(name) for name in names]
    backtest = Backtest(patterns, BEGAN_MS)
    found = [(record, one) for record in log for one in backtest.fold(record)]
    for ticked in backtest.run_on(BEGAN_MS + 10_000_000):
        found += ((log[-1], one) for one in ticked)
    again = [
        (record, Finding(patterns[one.pattern], one.hit, one.number, one.suppressed))
        for record, one in found
    ]

    assert spelled(again, log)[:200] == folded(names, log)[: len(again)][:200]


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(["final", "mean", "shown"]), sent=STREAMS, seed=st.integers(0, 1_000))
def test_a_shuffle_within_the_delay_changes_nothing_that_is_final(
    name: str, sent: list[Sent], seed: int
) -> None:
    """Each event arrives up to the delay after its time, in another order than the times have."""
    chance = random.Random(seed)
    # Events of one instant are in the order of the log, which the shuffle changes.
    apart = [replace(one, later_ms=max(one.later_ms, 1), behind_ms=0) for one in sent]
    in_time = [record for record in records(apart) if isinstance(record, Event)]
    late = sorted(in_time, key=lambda event: event.time_ms + chance.uniform(0, 3_900))
    arrived, now = [], BEGAN_MS
    for offset, event in enumerate(late, 1):
        now = max(now, event.time_ms)
        arrived.append(msgspec.structs.replace(event, offset=offset, received_at_ms=now))

    assert _found([name], arrived) == _found([name], in_time)


def _found(names: Sequence[str], log: Sequence[Event]) -> list[tuple[Json, ...]]:
    """Return matches by what the ids of their events say, whatever their offsets."""
    matcher = begin(names)
    found = [finding for record in log for finding in matcher.fold(record)]
    for tick in run_on(matcher, len(log)):
        found += matcher.fold(tick)
    ids = {event.offset: event.id for event in log}
    return sorted(
        (
            finding.hit.key,
            finding.hit.time_ms,
            *[ids[o] for _, bound in finding.hit.bindings for o in bound],
        )
        for finding in found
    )
