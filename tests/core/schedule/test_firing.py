"""What fires now, and what was missed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.instants import parse_instant
from oncue.core.schedule.cron import Cron, Every
from oncue.core.schedule.firing import (
    GRACE_MS,
    MAX_AT_ONCE,
    MAX_CATCH_UP,
    MAX_MISSED,
    Firing,
    Misfire,
    plan_firing,
    upcoming,
)

MINUTE_MS = 60_000
NOON = parse_instant("2026-11-23T12:00:00Z")
EACH_MINUTE = Cron("* * * * *", "UTC")


def minutes(*numbers: int) -> tuple[int, ...]:
    return tuple(NOON + number * MINUTE_MS for number in numbers)


@pytest.mark.parametrize(
    ("misfire", "late_ms", "expected"),
    [
        pytest.param(
            Misfire.SKIP, 4, Firing(minutes(0), 0, *minutes(1)), id="in time, whatever the policy"
        ),
        pytest.param(
            Misfire.SKIP,
            GRACE_MS,
            Firing(minutes(0, 1), 0, *minutes(2)),
            id="a minute late is in time, and so is the next one",
        ),
        pytest.param(
            Misfire.SKIP,
            5 * MINUTE_MS + 1,
            Firing(minutes(5), 5, *minutes(6)),
            id="skip: what was missed never fires",
        ),
        pytest.param(
            Misfire.FIRE_ONCE,
            5 * MINUTE_MS + 1,
            Firing(minutes(5), 5, *minutes(6)),
            id="fire_once: the newest stands for all",
        ),
        pytest.param(
            Misfire.FIRE_ALL,
            5 * MINUTE_MS + 1,
            Firing(minutes(0, 1, 2, 3, 4, 5), 0, *minutes(6)),
            id="fire_all: all of them, in their order",
        ),
    ],
)
def test_what_fires(misfire: Misfire, late_ms: int, expected: Firing) -> None:
    assert plan_firing(EACH_MINUTE, NOON, NOON + late_ms, misfire) == expected


def test_skip_and_fire_once_differ_where_nothing_is_in_time() -> None:
    daily = Cron("0 12 * * *", "UTC")
    tomorrow = NOON + 86_400_000

    assert plan_firing(daily, NOON, NOON + 3_600_000, Misfire.SKIP) == Firing((), 1, tomorrow)
    assert plan_firing(daily, NOON, NOON + 3_600_000, Misfire.FIRE_ONCE) == Firing(
        (NOON,), 0, tomorrow
    )


def test_of_too_many_the_newest_are_made_up_for_in_parts() -> None:
    now = NOON + 5_000 * MINUTE_MS
    fired: list[int] = []
    missed, next_ms = 0, NOON
    while next_ms <= now:
        firing = plan_firing(EACH_MINUTE, next_ms, now, Misfire.FIRE_ALL)
        assert len(firing.ticks) <= MAX_AT_ONCE
        fired += firing.ticks
        missed += firing.missed
        assert firing.next_ms is not None
        next_ms = firing.next_ms

    assert fired == [NOON + n * MINUTE_MS for n in range(5_001 - MAX_CATCH_UP, 5_001)]
    assert missed == MAX_MISSED  # as many or more


@given(
    st.sampled_from(Misfire),
    st.integers(1_000, 10**7),
    st.lists(st.integers(0, 10**7), max_size=30),
)
def test_each_tick_is_decided_once_whenever_one_looks(
    misfire: Misfire, period: int, steps: list[int]
) -> None:
    every = Every(period, NOON)
    next_ms, now = NOON + period, NOON
    fired: list[int] = []
    missed = 0
    for step in steps:
        now += step
        while next_ms <= now:
            firing = plan_firing(every, next_ms, now, misfire)
            assert firing.next_ms is not None
            fired += firing.ticks
            missed += firing.missed
            next_ms = firing.next_ms

    due = [*range(NOON + period, now + 1, period)]
    assert fired == sorted(set(fired))
    assert set(fired) <= set(due)
    assert len(due) - len(fired) >= missed >= min(len(due) - len(fired), MAX_MISSED)
    assert next_ms == (due[-1] if due else NOON) + period


def test_what_comes_next() -> None:
    assert upcoming(EACH_MINUTE, NOON, 3) == [*minutes(0, 1, 2)]
    assert upcoming(EACH_MINUTE, None, 3) == []
