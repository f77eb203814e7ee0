"""Instants and durations as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.instants import format_instant, parse_duration, parse_instant


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [
        pytest.param("1970-01-01T00:00:00Z", 0, id="the epoch"),
        pytest.param("2026-11-23T06:32:00.123Z", 1_795_415_520_123, id="milliseconds"),
        pytest.param("2026-11-23T08:32:00.1239+02:00", 1_795_415_520_123, id="finer is cut off"),
        pytest.param("2026-11-23t06:32:00.123z", 1_795_415_520_123, id="lower case"),
        pytest.param("1969-12-31T23:59:59.9999Z", -1, id="before the epoch, cut downwards"),
        pytest.param("0001-01-01T00:00:00Z", -62_135_596_800_000, id="the first year"),
    ],
)
def test_an_instant_is_read_to_the_millisecond(text: str, instant_ms: int) -> None:
    assert parse_instant(text) == instant_ms


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-23", "2026-11-23T06:32:00", "2026-11-23T06:32Z", "20261123T063200Z",
     "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-W48-1T00:00:00Z",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-00:01", "2026-11-23T06:32:00+2:00", "0001-01-01T00:00:00+00:01x", "٢٠٢٦-11-23T06:32:00Z"],
)  # fmt: skip
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an instant such as"):
        parse_instant(text)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_an_instant_is_read_as_it_was_written(instant_ms: int) -> None:
    assert parse_instant(format_instant(instant_ms)) == instant_ms


@pytest.mark.parametrize(
    ("instant_ms", "text"),
    [
        pytest.param(-62_135_596_800_001, "0001-01-01T00:00:00.000Z", id="a window before year 1"),
        pytest.param(253_402_300_800_000, "9999-12-31T23:59:59.999Z", id="a deadline after 9999"),
    ],
)
def test_an_instant_that_cannot_be_written_is_the_first_or_last_that_can(
    instant_ms: int, text: str
) -> None:
    assert format_instant(instant_ms) == text


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("0s", 0), ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("24h", 86_400_000),
     ("7d", 604_800_000), ("1.5h", 5_400_000), ("0.001s", 1)],
)  # fmt: skip
def test_a_duration_is_read_in_milliseconds(text: str, duration_ms: int) -> None:
    assert parse_duration(text) == duration_ms


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "5", "5 m", "-5m", "1h30m", "m", "5w", "1e3s", "9999999999d", "٥m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)
