"""Where windows begin and end, by the clocks of a zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.instants import format_instant, parse_instant
from oncue.core.pattern.threshold.grids import DAY_MS, grid_of

HOUR_MS = 3_600_000
BERLIN = ZoneInfo("Europe/Berlin")


def spans(size_ms: int, slide_ms: int | None, zone: str | None, instant: str) -> list[str]:
    grid = grid_of(size_ms, slide_ms, ZoneInfo(zone) if zone else None)
    return [
        "/".join(format_instant(each).removesuffix(":00.000Z") for each in span)
        for span in grid.around(parse_instant(instant))
    ]


@pytest.mark.parametrize(
    ("size_ms", "slide_ms", "zone", "instant", "expected"),
    [
        pytest.param(
            HOUR_MS, None, None, "2026-03-29T01:30:00Z",
            ["2026-03-29T01:00/2026-03-29T02:00"], id="an hour",
        ),
        pytest.param(
            HOUR_MS, None, "Asia/Kolkata", "2026-03-29T01:20:00Z",
            ["2026-03-29T01:00/2026-03-29T02:00"], id="less than a day is the same in all zones",
        ),
        pytest.param(
            DAY_MS, None, None, "2026-03-29T12:00:00Z",
            ["2026-03-29T00:00/2026-03-30T00:00"], id="a day of UTC",
        ),
        pytest.param(
            DAY_MS, None, "Europe/Berlin", "2026-03-29T12:00:00Z",
            ["2026-03-28T23:00/2026-03-29T22:00"], id="the day in spring has 23 hours",
        ),
        pytest.param(
            DAY_MS, None, "Europe/Berlin", "2026-10-25T12:00:00Z",
            ["2026-10-24T22:00/2026-10-25T23:00"], id="the day in autumn has 25",
        ),
        pytest.param(
            DAY_MS, None, "Europe/Berlin", "2026-10-24T21:59:59.999Z",
            ["2026-10-23T22:00/2026-10-24T22:00"], id="the last moment before midnight",
        ),
        pytest.param(
            7 * DAY_MS, None, "Europe/Berlin", "2026-04-01T00:00:00Z",
            ["2026-03-29T22:00/2026-04-05T22:00"], id="a week begins on Monday",
        ),
        pytest.param(
            7 * DAY_MS, None, None, "2026-04-01T00:00:00Z",
            ["2026-03-26T00:00/2026-04-02T00:00"], id="without a zone, on a Thursday as 1970 did",
        ),
        pytest.param(
            2 * DAY_MS, DAY_MS, "Europe/Berlin", "2026-03-29T12:00:00Z",
            ["2026-03-27T23:00/2026-03-29T22:00", "2026-03-28T23:00/2026-03-30T22:00"],
            id="days that overlap",
        ),
        pytest.param(
            DAY_MS, None, "America/Sao_Paulo", "2018-11-04T12:00:00Z",
            ["2018-11-04T03:00/2018-11-05T02:00"], id="a day without a midnight begins at one",
        ),
        pytest.param(
            10, 4, None, "1970-01-01T00:00:00.011Z",
            ["1970-01-01T00:00:00.004Z/1970-01-01T00:00:00.014Z",
             "1970-01-01T00:00:00.008Z/1970-01-01T00:00:00.018Z"],
            id="a length that the distance does not divide",
        ),
    ],
)  # fmt: skip
def test_spans_around_an_instant(
    size_ms: int, slide_ms: int | None, zone: str | None, instant: str, expected: list[str]
) -> None:
    assert spans(size_ms, slide_ms, zone, instant) == expected


ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Tehran",
]


@given(
    zone=st.sampled_from(ZONES),
    instant=st.integers(-(10**12), 2 * 10**12),
    days=st.integers(1, 9),
    slide=st.integers(1, 9),
)
def test_spans_are_whole_days_around_the_instant(
    zone: str, instant: int, days: int, slide: int
) -> None:
    slide = min(slide, days)
    grid = grid_of(days * DAY_MS, slide * DAY_MS, ZoneInfo(zone))
    around = grid.around(instant)

    assert all(start <= instant < end for start, end in around)
    assert len(around) in (days // slide, -(-days // slide))
    for start, end in around:
        first, last = (_date(each, zone) for each in (start, end))
        assert last - first == timedelta(days=days)
        following = grid.after((start, end))
        assert _date(following[0], zone) - first == timedelta(days=slide)
    assert grid.beginning_from(instant)[0] >= instant
    assert grid.beginning_from(around[0][0]) == around[0]


def _date(instant_ms: int, zone: str) -> date:
    return datetime.fromtimestamp(instant_ms / 1_000, UTC).astimezone(ZoneInfo(zone)).date()


@given(instant=st.integers(-200, 200), size=st.integers(1, 30), slide=st.integers(1, 30))
def test_even_spans_are_all_that_are_around(instant: int, size: int, slide: int) -> None:
    slide = min(size, slide)
    grid = grid_of(size, slide, None)

    expected = [
        (start, start + size)
        for start in range(-slide * 300, 300)
        if start % slide == 0 and start <= instant < start + size
    ]
    assert grid.around(instant) == expected
    assert grid.beginning_from(instant)[0] in range(instant, instant + slide)


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_beyond_the_calendar_days_are_those_of_utc(instant: str) -> None:
    assert len(grid_of(DAY_MS, None, BERLIN).around(parse_instant(instant))) == 1
