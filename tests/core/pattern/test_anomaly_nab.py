"""The score of the Numenta Anomaly Benchmark, at points where it is known, and our page of it."""

from math import e

import pytest

from bench import nab
from bench.nab import Profile, normalised, score

STANDARD = Profile("standard", found=1.0, missed=1.0, false=0.11)
ROWS = 1_000
WINDOW = (500, 599)


def worth(position: float) -> float:
    return 2 / (1 + e ** (5 * position)) - 1


@pytest.mark.parametrize(
    ("found", "windows", "expected"),
    [
        pytest.param([500], [WINDOW], 1.0, id="at the begin of a window it is worth all"),
        pytest.param(
            [599], [WINDOW], worth(-0.01) / worth(-1), id="at its end next to nothing, but not less"
        ),
        pytest.param(
            [550], [WINDOW], worth(-0.5) / worth(-1), id="in the middle it is still worth most"
        ),
        pytest.param([550, 500], [WINDOW], 1.0, id="the first in a window counts alone"),
        pytest.param([], [WINDOW], -1.0, id="a window without one costs"),
        pytest.param(
            [500, 600],
            [WINDOW],
            1 + 0.11 * worth(1 / 99),
            id="right after a window it costs little",
        ),
        pytest.param(
            [500, 698], [WINDOW], 1 + 0.11 * worth(1), id="a window's length later nearly all"
        ),
        pytest.param([500, 999], [WINDOW], 1 - 0.11, id="far after a window it costs all"),
        pytest.param([300, 500], [WINDOW], 1 - 0.11, id="before the first window, too"),
        pytest.param([149, 500], [WINDOW], 1.0, id="while learning nothing costs"),
        pytest.param([300, 400], [], -0.22, id="without windows each costs all"),
        pytest.param([500], [WINDOW, (700, 799)], 0.0, id="one found and one missed cancel out"),
    ],
)
def test_the_sum_of_a_series(found: list[int], windows: list[nab.Window], expected: float) -> None:
    assert score(found, ROWS, windows, STANDARD) == pytest.approx(expected, abs=1e-12)


def test_long_series_have_750_rows_to_learn() -> None:
    assert score([749], 20_000, [], STANDARD) == 0
    assert score([750], 20_000, [], STANDARD) == -0.11


@pytest.mark.parametrize("profile", [STANDARD, Profile("few misses", 1.0, 2.0, 0.11)])
def test_nothing_is_0_and_the_perfect_is_100(profile: Profile) -> None:
    windows = [WINDOW, (700, 799)]

    assert normalised([score([], ROWS, windows, profile)], 2, profile) == 0
    assert normalised([score([500, 700], ROWS, windows, profile)], 2, profile) == 100


def test_detections_too_near_to_another_are_left_out() -> None:
    assert nab.with_cooldown([1, 2, 201, 202, 300, 403]) == [1, 202, 403]


def test_the_table_goes_between_its_marks() -> None:
    page = f"before\n{nab.BEGIN}old\n{nab.END}after\n"

    assert nab.with_table(page, "fresh\n") == f"before\n{nab.BEGIN}fresh\n{nab.END}after\n"


def test_the_page_says_what_was_measured_and_the_default_is_ahead() -> None:
    if not nab.SERIES.is_dir():
        pytest.skip("the series of the benchmark are not part of the repository")
    found = nab.results(nab.SERIES, {nab.DEFAULT: nab.OURS[nab.DEFAULT], **nab.BASELINES})
    page = nab.PAGE.read_text("utf-8")

    assert [name for name, values in found.items() if nab.line(name, values) not in page] == []
    default = found.pop(nab.DEFAULT)
    assert [name for name, values in found.items() if values[0] >= default[0]] == []
    assert len(found) == 2 * len(nab.BASELINES)
