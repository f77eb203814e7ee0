"""One account's patterns side by side: what goes wrong in one of them concerns no other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.operator import Arrival, Hit, Operator
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.records import Tick
from tests.core.pattern.test_determinism import BEGAN_MS, Sent, begin, pattern_of, records


class Broken(Operator):
    """Has a bug: it raises on every event, or when its time comes."""

    def __init__(self, due_ms: int | None = None) -> None:
        super().__init__()
        self._due_ms = due_ms

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        raise ZeroDivisionError("a bug")

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        if self._due_ms is not None and watermark_ms >= self._due_ms:
            raise ZeroDivisionError("a bug in time")
        yield from ()

    def deadline(self) -> int | None:
        return self._due_ms

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        pass

    def describe(self, key: str) -> Mapping[str, Json]:
        return {}

    def states(self) -> Mapping[str, Keyed[Any]]:
        return {}

    def restored(self) -> None:
        pass


def broken(due_ms: int | None = None) -> ActivePattern:
    """A pattern like any other, with a bug in what looks at its events."""
    active = replace(pattern_of("count"), id="pat_broken")
    looking = replace(active.plan.looking, operator=lambda: Broken(due_ms))
    return replace(active, plan=replace(active.plan, looking=looking))


def watching(*patterns: ActivePattern) -> Matcher:
    matcher = begin(["count"])
    for pattern in patterns:
        matcher.put(pattern, BEGAN_MS)
    return matcher


THREE = [Sent(100, 0, "a", "x", 1)] * 3


def test_what_much_time_reveals_is_told_in_parts() -> None:
    telling: Json = {
        "type": "threshold", "event": "b", "by": ["event.subject"], "operator": "<", "value": 1,
        "window": "6s", "window_type": "tumbling",
    }  # fmt: skip
    active = parse_pattern({"name": "telling", "pattern": telling}).named("pat_t", 1, 1, None)
    at_once, in_parts = watching(active), watching(active)
    first, last = records([Sent(100, 0, "b", "x", 1), Sent(60_000, 0, "b", "y", 1)])
    found = [*at_once.fold(first), *at_once.fold(last)]

    before = in_parts.fold(first)
    parts = [list(part) for part in in_parts.reveal(last)]
    revealed = [finding for part in parts for finding in part]
    again = [*before, *revealed, *in_parts.fold(last)]
    assert [finding.hit for finding in again] == [finding.hit for finding in found]
    assert len(found) == 9
    assert max(map(len, parts)) == 1


def test_a_bug_in_one_pattern_is_kept_with_its_reason_and_stops_no_other() -> None:
    matcher = watching(broken())
    found = [finding for record in records(THREE) for finding in matcher.fold(record)]

    assert [finding.pattern.id for finding in found] == ["pat_count"]
    failures = [(one.pattern.id, one.offset, one.in_row) for one in matcher.take_failures()]
    assert failures == [("pat_broken", offset, offset) for offset in (1, 2, 3)]
    assert list(matcher.take_failures()) == []


@pytest.mark.parametrize("is_first", [True, False])
def test_a_bug_in_what_time_brings_is_met_once_and_others_go_on(*, is_first: bool) -> None:
    silent = pattern_of("absence")
    patterns = [broken(BEGAN_MS + 5_000), silent]
    matcher = watching(*(patterns if is_first else reversed(patterns)))
    for record in records(THREE[:1]):
        matcher.fold(record)
    found = matcher.fold(Tick(2, BEGAN_MS + 10_000))
    found += matcher.fold(Tick(3, BEGAN_MS + 20_000))

    assert [finding.pattern.id for finding in found] == [silent.id]
    reasons = [failure.reason for failure in matcher.take_failures()]
    assert reasons.count("ZeroDivisionError: a bug in time") == 1


def test_a_pattern_that_was_dropped_sees_and_does_nothing_more() -> None:
    matcher = watching()
    first, second, third = records(THREE)
    matcher.fold(first)
    matcher.fold(second)
    matcher.drop("pat_count")

    assert matcher.fold(third) == []
    assert matcher.agenda.next_due_ms() is None
    assert not matcher.is_timed
