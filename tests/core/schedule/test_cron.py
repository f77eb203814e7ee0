"""When schedules fire: expressions, time zones, and clocks that are set."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oncue.core.instants import format_instant, parse_instant
from oncue.core.schedule.cron import ALIASES, Cron, Every, check_cron
from tests.core.schedule.naive import Fields, walk

DAYS = timedelta(days=3)
# Each around a change of the clocks: by an hour or half of one, at night, at noon UTC, at midnight.
PLACES = [
    ("Europe/Berlin", "2026-03-28T00:00:00Z"),
    ("Europe/Berlin", "2026-10-24T00:00:00Z"),
    ("America/New_York", "2026-03-07T00:00:00Z"),
    ("America/New_York", "2026-10-31T00:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-03T12:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-02T12:00:00Z"),
    ("Africa/Cairo", "2026-04-23T00:00:00Z"),
    ("America/Santiago", "2026-09-05T00:00:00Z"),
    ("America/Santiago", "2026-04-04T00:00:00Z"),
    ("Asia/Kolkata", "2026-12-30T12:00:00Z"),
    ("Africa/Casablanca", "2026-02-14T00:00:00Z"),
    ("UTC", "2026-02-27T00:00:00Z"),
]


@st.composite
def _field(draw: st.DrawFn, least: int, most: int) -> tuple[frozenset[int], str]:
    """Return the numbers that a field names, and the field."""
    everything = range(least, most + 1)
    form = draw(st.sampled_from(["*", "*/", "-", "-/", ",", "1"]))
    if form == "*":
        return frozenset(everything), "*"
    if form == "*/":
        step = draw(st.integers(1, most))
        return frozenset(everything[::step]), f"*/{step}"
    first, last = sorted((draw(st.integers(least, most)), draw(st.integers(least, most))))
    if form == "-":
        return frozenset(range(first, last + 1)), f"{first}-{last}"
    if form == "-/":
        step = draw(st.integers(1, 5))
        assume(first < last)
        return frozenset(range(first, last + 1, step)), f"{first}-{last}/{step}"
    numbers = {first, last} if form == "," else {first}
    return frozenset(numbers), ",".join(map(str, sorted(numbers)))


@st.composite
def _expressions(draw: st.DrawFn) -> Fields:
    fields = [
        draw(_field(least, most))
        # Hours of the night and common months, so that clocks are often set where it fires.
        for least, most in ((0, 59), (0, 6), (1, 31), (1, 12), (0, 7))
    ]
    sets, texts = [numbers for numbers, _ in fields], [text for _, text in fields]
    # A star names all hours to cron.
    if texts[1].startswith("*"):
        step = int(texts[1].partition("/")[2] or 1)
        sets[1] = frozenset(range(0, 24, step))
    minutes, hours, days, months, weekdays = sets
    # What names no day that there ever is, is refused.
    assume(min(days) <= max(monthrange(2024, month)[1] for month in months))
    return Fields(minutes, hours, days, months, weekdays, " ".join(texts))


@given(_expressions(), st.sampled_from(PLACES), st.integers(0, 1_439))
def test_cron_fires_when_the_clock_on_the_wall_says_so(
    fields: Fields, place: tuple[str, str], minutes: int
) -> None:
    zone, begin_text = place
    begin_ms = parse_instant(begin_text) + minutes * 60_000
    begin = datetime.fromtimestamp(begin_ms // 1_000, UTC)
    end = begin + DAYS
    end_ms = begin_ms + DAYS // timedelta(milliseconds=1)
    cron = Cron(fields.text, zone)
    expected = [int(moment.timestamp()) * 1_000 for moment in walk(fields, zone, begin, end)]

    assert [*takewhile(lambda tick: tick <= end_ms, cron.after(begin_ms))] == expected
    assert [*takewhile(lambda tick: tick > begin_ms, cron.upto(end_ms))] == expected[::-1]


@given(st.sampled_from(PLACES), st.integers(0, 172_800_000), _expressions())
def test_it_does_not_matter_from_where_one_looks(
    place: tuple[str, str], further_ms: int, fields: Fields
) -> None:
    zone, begin_text = place
    cron = Cron(fields.text, zone)
    begin_ms = parse_instant(begin_text)
    found = [*islice(cron.after(begin_ms), 50)]
    assume(found)
    middle_ms = min(begin_ms + further_ms, found[-1])

    assert [tick for tick in found if tick > middle_ms] == [
        *takewhile(lambda tick: tick <= found[-1], cron.after(middle_ms))
    ]


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"],
            id="a time that the clocks skip is made up for right after",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"],
            id="a time that the clocks show twice counts once",
        ),
        pytest.param(
            "15,45 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00.000Z", "2026-03-30T00:15:00.000Z"],
            id="several times that they skip are made up for once",
        ),
        pytest.param(
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:10:00Z",
            [
                "2026-10-25T00:30:00.000Z",
                "2026-10-25T01:00:00.000Z",
                "2026-10-25T01:30:00.000Z",
            ],
            id="half hours go on through an hour that comes twice",
        ),
        pytest.param(
            "0 0 * * *",
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            ["2026-04-23T22:00:00.000Z", "2026-04-24T21:00:00.000Z"],
            id="where midnight is skipped, the day begins at one",
        ),
        pytest.param(
            "*/20 30 7 * * MON-FRI",
            "America/New_York",
            "2026-11-20T13:00:00Z",
            ["2026-11-23T12:30:00.000Z", "2026-11-23T12:30:20.000Z"],
            id="six fields begin with seconds",
        ),
        pytest.param(
            "0 9 LW * *",
            "UTC",
            "2026-05-01T00:00:00Z",
            ["2026-05-29T09:00:00.000Z"],
            id="the last day of work in a month",
        ),
        pytest.param(
            "0 0 29 2 *",
            "Europe/Berlin",
            "2096-03-01T00:00:00Z",
            ["2104-02-28T23:00:00.000Z"],
            id="a day that does not come for eight years",
        ),
        pytest.param(
            "@daily",
            "Asia/Tokyo",
            "2026-01-01T00:00:00Z",
            ["2026-01-01T15:00:00.000Z"],
            id="an alias",
        ),
    ],
)
def test_ticks_of_an_expression(text: str, zone: str, after: str, expected: list[str]) -> None:
    ticks = islice(Cron(text, zone).after(parse_instant(after)), len(expected))

    assert [format_instant(tick) for tick in ticks] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60 * * * *", "expected a minute from 0 to 59, got '60' in '60 * * * *'"),
        ("0 24 * * *", "expected an hour from 0 to 23, got '24' in '0 24 * * *'"),
        ("61 0 0 * * *", "expected a second from 0 to 59, got '61' in '61 0 0 * * *'"),
        (
            "0 0 31 2 *",
            "expected a day of month from 1 to 31 that its months have, 'L' or 'LW', "
            "got '31' in '0 0 31 2 *'",
        ),
        ("0 0 1 JANUARY *", "expected a month from 1 to 12, or 'JAN' to 'DEC', got 'JANUARY' in "
         "'0 0 1 JANUARY *'"),
        (
            "0 9 * * MON#6",
            "expected a day of week from 0 to 7, 'SUN' to 'SAT', or such as '5L' and '1#2', "
            "got 'MON#6' in '0 9 * * MON#6'",
        ),
        (
            "* * *",
            "expected 5 fields (minute, hour, day of month, month, day of week), "
            "or 6 with seconds first, got 3 in '* * *'",
        ),
        ("@dayly", f"expected one of {', '.join(ALIASES)}, got '@dayly'; did you mean '@daily'?"),
        ("* " * 200, "expected at most 200 characters, got 400"),
        (
            "0 0 */31 2 MON#5",
            "expected a cron that comes to pass, got '0 0 */31 2 MON#5', which never does",
        ),
    ],
)  # fmt: skip
def test_what_is_no_cron(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        check_cron(text)

    assert str(caught.value) == message


@given(st.text("0123456789*/,-#LW@ MONFEB٣", max_size=30))
def test_any_text_is_a_cron_or_told_why_not(text: str) -> None:
    try:
        check_cron(text)
    except ValueError as exc:
        assert str(exc).startswith("expected")  # noqa: PT017 either way is fine
    else:
        assert next(Cron(text, "Europe/Berlin").after(0)) > 0


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize("text", ["30 2 * * *", "*/7 * * * *"])
def test_at_the_ends_of_the_calendar(text: str, zone: str) -> None:
    cron = Cron(text, zone)
    first, last = parse_instant("0001-01-01T00:00:00Z"), parse_instant("9999-12-31T23:59:59Z")

    assert 0 < next(cron.after(first)) < 86_400_000
    assert [*cron.after(last)] == [*cron.upto(first)] == []
    assert next(cron.upto(last)) > 0


@pytest.mark.parametrize("name", ALIASES)
def test_each_alias_fires_as_often_as_it_says(name: str) -> None:
    first, second = islice(
        Cron(check_cron(name), "UTC").after(parse_instant("2026-01-05T00:00:00Z")), 2
    )

    days = (second - first) / 86_400_000
    assert days == {"@hourly": 1 / 24, "@weekly": 7, "@monthly": 28}.get(
        name, 365 if "l" in name and name != "@daily" and "y" in name else 1
    )


@given(st.integers(1_000, 10**9), st.integers(0, 10**12), st.integers(-(10**10), 10**13))
def test_periods_are_counted_from_their_anchor(period: int, anchor: int, instant: int) -> None:
    every = Every(period, anchor)
    first = next(every.after(instant))

    assert first > max(instant, anchor)
    assert (first - anchor) % period == 0
    assert first - period <= max(instant, anchor)
    assert next(every.upto(first)) == first
    assert next(every.upto(first - 1), anchor) == first - period
