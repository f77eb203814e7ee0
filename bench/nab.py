"""
How well anomalies are found in the series of the Numenta Anomaly Benchmark.

The score is that of Lavin and Ahmad, "Evaluating Real-time Anomaly Detection
Algorithms" (2015). A detection inside a labelled window earns up to 1, more the
earlier it comes; only the first in a window counts. One outside costs, less if it
comes soon after a window. A window without detection costs, too:

    s(y) = 2 / (1 + e^(5y)) - 1        y: -1 at a window's begin, 0 at its end, above 0 after it

    score = 100 * (sum - sum of a detector that finds nothing)
                / (sum of a perfect one - sum of one that finds nothing)

The first 15 % of a series, at most 750 rows, are for learning: nothing found in them counts.

Three detectors stand beside ours, each as its authors or every textbook has it.
"""

import csv
import json
import sys
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, sqrt
from pathlib import Path
from statistics import fmean, pstdev
from typing import Final, TypeAlias

from oncue.core.event import Event
from oncue.core.instants import parse_instant
from oncue.core.pattern.anomaly.ranked import median, spread_by_mad
from oncue.core.pattern.kinds.anomaly import AnomalyPattern, compile_anomaly
from oncue.core.pattern.kinds.shared import Cooldown
from oncue.core.pattern.operator import Arrival

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "explanation" / "anomalies.md"
SERIES: Final = ROOT / ".." / "shared" / "cases" / "nab"
BEGIN, END = "<!-- make nab -->\n", "<!-- end -->\n"

PROBATION: Final = 0.15
MAX_PROBATION: Final = 5_000
COOLDOWN: Final = 200

Window: TypeAlias = tuple[int, int]
"""The first and the last row of a labelled anomaly."""
Detector: TypeAlias = Callable[[Sequence[int], Sequence[float]], list[int]]
"""From times and values to the rows at which an anomaly is announced."""


@dataclass(frozen=True, slots=True)
class Series:
    """One file: when, how much, and where people say that something was wrong."""

    name: str
    times_ms: Sequence[int]
    values: Sequence[float]
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class Profile:
    """What finding, missing and false alarms are worth to somebody."""

    name: str
    found: float
    missed: float
    false: float


def read_series(folder: Path) -> list[Series]:
    """Return the series of a folder as the benchmark lays it out."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text("utf-8"))
    return [_read(folder / "data" / name, name, spans) for name, spans in sorted(labels.items())]


def read_profiles(folder: Path) -> list[Profile]:
    """Return the benchmark's profiles."""
    costs = json.loads((folder / "profiles.json").read_text("utf-8"))
    return [
        Profile(name, cost["tpWeight"], cost["fnWeight"], cost["fpWeight"])
        for name, cost in ((name, each["CostMatrix"]) for name, each in costs.items())
    ]


def _read(path: Path, name: str, spans: Iterable[tuple[str, str]]) -> Series:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(_instant(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    times = [time for time, _ in rows]
    windows = [
        (bisect_left(times, _instant(first)), bisect_right(times, _instant(last)) - 1)
        for first, last in spans
    ]
    return Series(name, times, [value for _, value in rows], windows)


def _instant(text: str) -> int:
    return parse_instant(f"{text}Z")


def sigmoid(position: float) -> float:
    """Return what a detection is worth by its place: before the end of a window below 0."""
    return -1.0 if position > 3 else 2 / (1 + exp(5 * position)) - 1


def score(found: Iterable[int], rows: int, windows: Sequence[Window], profile: Profile) -> float:
    """Return the sum of one series."""
    probation = min(int(PROBATION * rows), int(PROBATION * MAX_PROBATION))
    hit: set[Window] = set()
    total = 0.0
    for row in sorted(row for row in found if row >= probation):
        window = next((each for each in windows if each[0] <= row <= each[1]), None)
        if window is None:
            total += profile.false * _false(row, windows)
        elif window not in hit:
            hit.add(window)
            first, last = window
            position = -(last - row + 1) / (last - first + 1)
            total += profile.found * sigmoid(position) / sigmoid(-1)
    return total - profile.missed * (len(windows) - len(hit))


def _false(row: int, windows: Sequence[Window]) -> float:
    before = [window for window in windows if window[1] < row]
    if not before:
        return -1.0
    first, last = before[-1]
    return sigmoid((row - last) / (last - first))


def normalised(sums: Iterable[float], windows: int, profile: Profile) -> float:
    """Return the score: 0 is to find nothing, 100 to find all at once and nothing else."""
    nothing, perfect = -profile.missed * windows, profile.found * windows
    return 100 * (sum(sums) - nothing) / (perfect - nothing)


def scores(
    detected: Iterable[Iterable[int]], all_series: Sequence[Series], profiles: Sequence[Profile]
) -> list[float]:
    """Return the score by each profile of what was detected in each series."""
    found = [sorted(rows) for rows in detected]
    windows = sum(len(each.windows) for each in all_series)
    return [
        normalised(
            (
                score(rows, len(each.values), each.windows, profile)
                for rows, each in zip(found, all_series, strict=True)
            ),
            windows,
            profile,
        )
        for profile in profiles
    ]


def ours(**changes: object) -> Detector:
    """Return a pattern as a detector: its operator, and its cooldown as the matcher applies it."""
    pattern = AnomalyPattern.model_validate(
        {"type": "anomaly", "event": "sample", "value": "event.data.value"} | changes
    )
    plan = compile_anomaly(pattern, "pattern")
    assert isinstance(pattern.cooldown, Cooldown)
    quiet = pattern.cooldown.samples
    assert quiet is not None

    def detect(times_ms: Sequence[int], values: Sequence[float]) -> list[int]:
        operator = plan.operator()
        hits = [
            row
            for row, arrival in enumerate(_arrivals(times_ms, values))
            if operator.admit(arrival)
        ]
        return with_cooldown(hits, quiet)

    return detect


def _arrivals(times_ms: Sequence[int], values: Sequence[float]) -> Iterator[Arrival]:
    for row, (time_ms, value) in enumerate(zip(times_ms, values, strict=True)):
        data = {"value": value}
        event = Event(row, time_ms, f"{row}", "nab", "sample", None, time_ms, data, {})
        yield Arrival("", 1, event, {}, time_ms)


def with_cooldown(found: Iterable[int], samples: int = COOLDOWN) -> list[int]:
    """Return the detections without those that come within so many rows of another."""
    kept: list[int] = []
    for row in found:
        if not kept or row - kept[-1] > samples:
            kept.append(row)
    return kept


def windowed_gaussian(_times_ms: Sequence[int], values: Sequence[float]) -> list[int]:
    """
    Detect what a normal distribution over the last 6 400 values makes next to impossible.

    NAB's own baseline with its published settings: the window moves in steps of 100,
    and a detection is a tail probability that leaves nothing of 1 in 64-bit floats.
    """
    return [row for row, tail in enumerate(gaussian_tails(values)) if 1 - tail == 1]


def gaussian_tails(values: Sequence[float], size: int = 6_400, step: int = 100) -> Iterator[float]:
    """Yield, of each value, how probable one as far out was before it was seen."""
    window: list[float] = []
    waiting: list[float] = []
    mean = moment = deviation = 0.0
    for value in values:
        yield 0.5 * erfc(abs(value - mean) / (deviation or 1e-6) / sqrt(2)) if window else 1.0
        if len(window) < size:
            window.append(value)
            before, mean = mean, mean + (value - mean) / len(window)
            moment += (value - before) * (value - mean)
            deviation = sqrt(moment / len(window))
            continue
        waiting.append(value)
        if len(waiting) == step:
            window, waiting = window[step:] + waiting, []
            mean, deviation = fmean(window), pstdev(window)


def best_gaussian(
    all_series: Sequence[Series], profiles: Sequence[Profile], samples: int
) -> list[float]:
    """
    Return the windowed Gaussian's scores with the one threshold that suits the labels best.

    NAB chooses thresholds so; it takes the labels, which nobody has beforehand.
    """
    tails = [list(gaussian_tails(each.values)) for each in all_series]
    return [
        max(each) for each in zip(*_by_threshold(tails, all_series, profiles, samples), strict=True)
    ]


def _by_threshold(
    tails: Sequence[Sequence[float]],
    all_series: Sequence[Series],
    profiles: Sequence[Profile],
    samples: int,
) -> Iterator[list[float]]:
    for exponent in range(1, 17):
        limit = 10.0**-exponent
        found = [[row for row, tail in enumerate(each) if tail <= limit] for each in tails]
        yield scores((with_cooldown(rows, samples) for rows in found), all_series, profiles)


def three_sigma(_times_ms: Sequence[int], values: Sequence[float]) -> list[int]:
    """Detect what is over three standard deviations from the mean of the last 1 000 values."""
    window: deque[float] = deque()
    total = squares = 0.0
    found: list[int] = []
    for row, value in enumerate(values):
        if len(window) > 1:
            mean = total / len(window)
            variance = squares / len(window) - mean * mean
            if abs(value - mean) > 3 * sqrt(max(variance, 0.0)) > 0:
                found.append(row)
        if len(window) == 1_000:
            oldest = window.popleft()
            total -= oldest
            squares -= oldest * oldest
        window.append(value)
        total += value
        squares += value * value
    return found


def median_deviation(_times_ms: Sequence[int], values: Sequence[float]) -> list[int]:
    """
    Detect a modified z-score above 3.5 among the last 1 000 values.

    The rule of Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993).
    """
    window: deque[float] = deque()
    ranks: list[float] = []
    found: list[int] = []
    for row, value in enumerate(values):
        if len(window) > 1 and abs(value - median(ranks)) > 3.5 * spread_by_mad(ranks) > 0:
            found.append(row)
        if len(window) == 1_000:
            del ranks[bisect_left(ranks, window.popleft())]
        window.append(value)
        insort(ranks, value)
    return found


BASELINES: Final[dict[str, Detector]] = {
    "windowed Gaussian": windowed_gaussian,
    "3-sigma rule": three_sigma,
    "MAD rule": median_deviation,
}
DEFAULT: Final = "**default** (`ewma`)"
DAY: Final = {"method": "seasonal", "season": {"period": "1d", "buckets": 24}}
WEEK: Final = {"method": "seasonal", "season": {"period": "1w", "buckets": 168}}
OURS: Final[dict[str, Detector]] = {
    DEFAULT: ours(),
    "`zscore`": ours(method="zscore"),
    "`mad`": ours(method="mad"),
    "`iqr`": ours(method="iqr"),
    "`seasonal`, a day of 24": ours(**DAY),
    "`seasonal`, a week of 168": ours(**WEEK),
}


def results(folder: Path, detectors: Mapping[str, Detector]) -> dict[str, list[float]]:
    """Return each detector's score by profile, over all series with the same settings."""
    all_series, profiles = read_series(folder), read_profiles(folder)
    found: dict[str, list[float]] = {}
    for name, detect in detectors.items():
        detected = [detect(each.times_ms, each.values) for each in all_series]
        found[name] = scores(detected, all_series, profiles)
        if name in BASELINES:
            cooled = [with_cooldown(rows) for rows in detected]
            found[f"{name}, {COOLDOWN} samples apart"] = scores(cooled, all_series, profiles)
    return found


def tuned(folder: Path) -> dict[str, list[float]]:
    """Return what the windowed Gaussian could score, had somebody known the labels."""
    all_series, profiles = read_series(folder), read_profiles(folder)
    name = "windowed Gaussian, best threshold afterwards"
    return {
        name: best_gaussian(all_series, profiles, 0),
        f"{name}, {COOLDOWN} samples apart": best_gaussian(all_series, profiles, COOLDOWN),
    }


def line(name: str, values: Iterable[float]) -> str:
    """Return the line of a detector in the table."""
    return f"| {name} | {' | '.join(f'{each:.1f}' for each in values)} |\n"


def table(found: Mapping[str, Sequence[float]]) -> str:
    """Return scores as a table of the page."""
    head = "| detector | standard | few false alarms | few misses |\n|---|---:|---:|---:|\n"
    return head + "".join(line(name, values) for name, values in found.items())


def with_table(page: str, text: str) -> str:
    """Return a page with `text` between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{text}{END}{after}"


def main() -> None:
    """Measure, and write the table into the page."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SERIES
    text = table(results(folder, OURS | BASELINES) | tuned(folder))
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), text), "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
