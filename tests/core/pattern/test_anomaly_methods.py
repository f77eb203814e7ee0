"""What each method expects, against the formula over the whole history."""

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import fsum, isfinite, sqrt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oncue.core.pattern.anomaly import methods
from oncue.core.pattern.anomaly.decaying import Weighted
from oncue.core.pattern.anomaly.judging import FARTHEST, Judge, Rule
from oncue.core.pattern.anomaly.methods import MakeModel
from oncue.core.pattern.anomaly.model import Expectation, Model
from oncue.core.pattern.anomaly.seasonal import BORROWED, Calendar

Value = tuple[int, float]
History = Sequence[Value]
Naive = Callable[[History, int], Expectation | None]
HOUR = 3_600_000
DAY = 24 * HOUR

NUMBERS = st.one_of(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.integers(-5, 5).map(float),
    st.sampled_from([1e9, 1e9 + 1e-3, -1e-9]),
)
# Some come after one of a later time.
HISTORIES = st.lists(st.tuples(st.integers(-700, 4_000), NUMBERS), min_size=1, max_size=40).map(
    lambda steps: [
        (sum(gap for gap, _ in steps[: n + 1]), value) for n, (_, value) in enumerate(steps)
    ]
)


def in_order(history: History, at_ms: int) -> tuple[History, int]:
    """The history and an instant, where what comes late is as late as the latest before it."""
    times = list(accumulate([*(time for time, _ in history), at_ms], max))
    values = [value for _, value in history]
    return list(zip(times, values, strict=False)), times[-1]


def weighted(values: Sequence[tuple[float, float]]) -> tuple[float, float, float] | None:
    """The weighted mean, the squares around it, and the divisor of reliability weights."""
    if len(values) < 2:
        return None
    total = fsum(weight for weight, _ in values)
    mean = fsum(weight * value for weight, value in values) / total
    moment = fsum(weight * (value - mean) ** 2 for weight, value in values)
    return mean, moment, total - fsum(weight**2 for weight, _ in values) / total


def naive_ewma(half_life: int) -> Naive:
    def expect(history: History, _at_ms: int) -> Expectation | None:
        newest = len(history) - 1
        found = weighted(
            [(2 ** -((newest - n) / half_life), value) for n, (_, value) in enumerate(history)]
        )
        return found and Expectation(found[0], sqrt(found[1] / found[2]))

    return expect


def naive_timed_ewma(half_life_ms: int) -> Naive:
    def expect(history: History, at_ms: int) -> Expectation | None:
        history, at_ms = in_order(history, at_ms)
        alive = list(history)
        for n in range(len(history) - 1, -1, -1):
            following = history[n + 1][0] if n + 1 < len(history) else at_ms
            if following - history[n][0] > 10 * half_life_ms:
                alive = alive[n + 1 :]
                break
        found = weighted(
            [(2 ** ((time - alive[-1][0]) / half_life_ms), value) for time, value in alive]
        )
        return found and Expectation(found[0], sqrt(found[1] / found[2]))

    return expect


def last_of(history: History, at_ms: int, *, size: int | None, span_ms: int | None) -> list[float]:
    if span_ms is not None:
        return [value for time, value in history if at_ms - span_ms < time]
    assert size is not None
    return [value for _, value in history[-size:]]


def naive_window(
    size: int | None, span_ms: int | None, reckon: Callable[[list[float]], Expectation]
) -> Naive:
    def expect(history: History, at_ms: int) -> Expectation | None:
        values = last_of(*in_order(history, at_ms), size=size, span_ms=span_ms)
        return reckon(values) if len(values) >= 2 else None

    return expect


def mean_and_deviation(values: list[float]) -> Expectation:
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)
    return Expectation(float(mean), sqrt(variance))


def median_and_mad(values: list[float]) -> Expectation:
    middle = statistics.median(values)
    spread = statistics.median(abs(value - middle) for value in values)
    return Expectation(middle, spread / statistics.NormalDist().inv_cdf(0.75))


def median_and_iqr(values: list[float]) -> Expectation:
    first, middle, third = statistics.quantiles(values, n=4, method="inclusive")
    return Expectation(middle, (third - first) / (2 * statistics.NormalDist().inv_cdf(0.75)))


def naive_seasonal(period_ms: int, buckets: int, half_life: float) -> Naive:
    def place(at_ms: int) -> tuple[int, int]:
        visit, into = divmod(at_ms - 4 * DAY, period_ms)
        return visit, into * buckets // period_ms

    def expect(history: History, at_ms: int) -> Expectation | None:
        placed = [(*place(time), value) for time, value in history]
        latest = list(accumulate((visit for visit, _, _ in placed), max))
        parts: dict[int, list[tuple[int, float]]] = {}
        moments: list[float] = []
        freedoms: list[float] = []
        for now, (visit, bucket, value) in zip(latest, placed, strict=True):
            part = parts.setdefault(bucket, [])
            before = list(part)
            part.append((max([visit, *(each for each, _ in part)]), value))
            if before:
                share = 2 ** -((latest[-1] - now) / half_life)
                around = (value - mean_of(before, half_life)) * (value - mean_of(part, half_life))
                # A mean of equal values is off by its rounding; the exact product is never below 0.
                moments.append(share * max(0.0, around))
                freedoms.append(share)
        mine = parts.get(place(at_ms)[1], [])
        found = weighted([(2 ** ((v - mine[-1][0]) / half_life), x) for v, x in mine])
        if found is None:
            return None
        mean, moment, freedom = found
        pooled = fsum(moments) / fsum(freedoms)
        return Expectation(mean, sqrt((moment + BORROWED * pooled) / (freedom + BORROWED)))

    return expect


def mean_of(visits: Sequence[tuple[int, float]], half_life: float) -> float:
    weights = [2 ** ((visit - visits[-1][0]) / half_life) for visit, _ in visits]
    return fsum(w * x for w, (_, x) in zip(weights, visits, strict=True)) / fsum(weights)


METHODS: list[tuple[str, MakeModel, Naive]] = [
    ("ewma of values", methods.ewma(3, None), naive_ewma(3)),
    ("ewma of many values", methods.ewma(200, None), naive_ewma(200)),
    ("ewma of time", methods.ewma(None, 2_000), naive_timed_ewma(2_000)),
    ("ewma of little time", methods.ewma(None, 200), naive_timed_ewma(200)),
    ("zscore of values", methods.zscore(7, None, 2), naive_window(7, None, mean_and_deviation)),
    ("zscore of time", methods.zscore(None, 9_000, 2), naive_window(None, 9_000, mean_and_deviation)),
    ("mad of values", methods.mad(8, None, 2), naive_window(8, None, median_and_mad)),
    ("mad of time", methods.mad(None, 9_000, 2), naive_window(None, 9_000, median_and_mad)),
    ("iqr of values", methods.iqr(9, None, 2), naive_window(9, None, median_and_iqr)),
    ("iqr of time", methods.iqr(None, 9_000, 2), naive_window(None, 9_000, median_and_iqr)),
    (
        "seasonal",
        methods.seasonal(Calendar(12_000, 5, ZoneInfo("UTC")), 3),
        naive_seasonal(12_000, 5, 3),
    ),
    (
        "seasonal in short periods",
        methods.seasonal(Calendar(500, 2, ZoneInfo("UTC")), 3),
        naive_seasonal(500, 2, 3),
    ),
]  # fmt: skip
EACH_METHOD = pytest.mark.parametrize(
    ("make", "naive"), [pytest.param(make, naive, id=name) for name, make, naive in METHODS]
)


def expectations(make: MakeModel, history: History) -> Iterator[Expectation | None]:
    """What is expected just before each value but the first."""
    model = make()
    for n, (at_ms, value) in enumerate(history):
        model.pass_time(at_ms)
        if n:
            yield model.expect(at_ms)
        model.learn(value, at_ms)


def is_near(found: Expectation | None, wanted: Expectation | None, size: float) -> bool:
    """Whether both agree to 11 digits of the largest value, the spreads in their squares."""
    if found is None or wanted is None:
        return found is wanted
    return (
        abs(found.expected - wanted.expected) <= 1e-11 * size
        and abs(found.spread**2 - wanted.spread**2) <= 1e-11 * size**2
    )


@EACH_METHOD
@example(history=[(0, 1e9), (500, 1e9), (750, 0.0), (750, 0.0), (1_000, 1e9)])
@given(history=HISTORIES)
def test_the_state_gives_what_the_whole_history_gives(
    make: MakeModel, naive: Naive, history: History
) -> None:
    size = max(1.0, *(abs(value) for _, value in history))
    wrong = [
        (n, found, wanted)
        for n, found in enumerate(expectations(make, history), 1)
        if not is_near(found, wanted := naive(history[:n], history[n][0]), size)
    ]

    assert wrong == []


@given(
    history=st.lists(
        st.tuples(st.floats(-1e9, 1e9), st.floats(0.0, 1.0) | st.floats(0.0, 1e-9)), max_size=8
    )
)
def test_rounding_makes_no_spread_negative(history: list[tuple[float, float]]) -> None:
    sums = Weighted()
    added = [sums.add(value, decay) for value, decay in history]

    assert all(each >= 0.0 for each in (*added, sums.moment))


@pytest.mark.parametrize(
    ("make", "naive"),
    [pytest.param(make, naive, id=name) for name, make, naive in METHODS if "mad" in name],
)
@given(history=HISTORIES)
def test_medians_are_exact(make: MakeModel, naive: Naive, history: History) -> None:
    found = [each and each.expected for each in expectations(make, history)]
    wanted = [naive(history[:n], history[n][0]) for n in range(1, len(history))]

    assert found == [each and each.expected for each in wanted]


@EACH_METHOD
@given(history=HISTORIES, place=st.integers(0, 40))
def test_read_back_at_any_place_it_goes_on_to_the_bit(
    make: MakeModel, naive: Naive, history: History, place: int
) -> None:
    whole, first, second = make(), make(), make()
    learn(whole, history)
    learn(first, history[:place])
    second.take_up(json.loads(json.dumps(first.dump())))
    learn(second, history[place:])
    last_ms = history[-1][0]

    assert repr(second.dump()) == repr(whole.dump())
    assert second.expect(last_ms) == whole.expect(last_ms)


def learn(model: Model, history: History) -> None:
    for at_ms, value in history:
        model.pass_time(at_ms)
        model.learn(value, at_ms)


@EACH_METHOD
@given(
    history=st.lists(
        st.tuples(st.integers(0, 60_000), st.sampled_from([0.0, 5e-324, 1e150, -1e150, 1.0])),
        min_size=1,
        max_size=40,
    )
)
def test_no_number_and_no_order_of_times_breaks_it(
    make: MakeModel, naive: Naive, history: History
) -> None:
    judge = Judge(Rule(5, min_samples=2, floor_rel=0), make)
    series = judge.begin()
    for at_ms, value in history:
        verdict = judge.verdict(series, value, at_ms)
        judge.learn(series, value, at_ms, verdict)

        assert verdict is None or (isfinite(verdict.expected) and 0 <= verdict.score <= FARTHEST)


@EACH_METHOD
def test_a_constant_series_has_no_spread(make: MakeModel, naive: Naive) -> None:
    found = list(expectations(make, [(n * 1_000, 0.1) for n in range(30)]))

    assert [each for each in found[20:] if each is None or each.spread > 1e-15] == []
    assert found[-1] is not None
    assert found[-1].expected == pytest.approx(0.1, rel=1e-15)


def test_a_window_of_values_that_has_turned_over_often_has_not_drifted() -> None:
    model = methods.zscore(100, None, 2)()
    for n in range(20_000):
        model.learn(1e12 if n == 7 else 1e-6 * (n % 10), n)

    expected, spread = mean_and_deviation([1e-6 * (n % 10) for n in range(100)])
    assert model.expect(20_000) == pytest.approx((expected, spread), rel=1e-12)


def test_so_many_values_of_a_time_do_not_judge() -> None:
    model = methods.zscore(None, 10_000, 300)()
    for n in range(9):
        model.learn(float(n), n)
    assert model.expect(9) is None

    model.learn(9.0, 9)
    assert model.expect(9) is not None


@pytest.mark.parametrize(
    ("make", "steps", "expected"),
    [
        pytest.param(
            methods.zscore(None, 10, 2), [0, 5, 14, 24], [False] * 3 + [True], id="an empty window"
        ),
        pytest.param(
            methods.ewma(None, 10), [0, 100, 200, 301], [False] * 3 + [True], id="ten half-lives"
        ),
        pytest.param(
            methods.seasonal(Calendar(10, 2, ZoneInfo("UTC")), 2),
            [0, 200, 400, 610],
            [False] * 3 + [True],
            id="ten half-lives of visits",
        ),
        pytest.param(methods.ewma(3, None), [0, 10**12], [False] * 2, id="never, by number"),
        pytest.param(methods.mad(3, None, 2), [0, 10**12], [False] * 2, id="nor in a window"),
    ],
)
def test_when_nothing_that_counts_is_left(
    make: MakeModel, steps: list[int], expected: list[bool]
) -> None:
    model = make()
    found: list[bool] = []
    for at_ms in steps:
        found.append(model.pass_time(at_ms))
        model.learn(1.0, at_ms)

    assert found == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("Europe/Berlin", "2026-03-29", id="an hour is left out"),
        pytest.param("Europe/Berlin", "2026-10-25", id="an hour comes twice"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", id="half an hour comes twice"),
    ],
)
def test_parts_of_the_day_follow_the_clock_on_the_wall(zone: str, day: str) -> None:
    here = ZoneInfo(zone)
    midnight = datetime.fromisoformat(day).replace(tzinfo=here) - timedelta(days=9)
    start_ms = int(midnight.timestamp() * 1_000)
    model = methods.seasonal(Calendar(DAY, 24, here), 4)()
    found: list[float] = []
    for at_ms in range(start_ms, start_ms + 14 * DAY, HOUR // 2):
        by_the_wall = float(datetime.fromtimestamp(at_ms / 1_000, here).hour)
        expectation = model.expect(at_ms)
        if expectation and at_ms > start_ms + 2 * DAY:
            found.append(expectation.expected - by_the_wall)
        model.learn(by_the_wall, at_ms)

    assert len(found) > 500
    assert set(found) == {0.0}


def test_weeks_begin_on_mondays() -> None:
    calendar = Calendar(7 * DAY, 7, ZoneInfo("Asia/Tokyo"))
    monday = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Tokyo"))
    instants = [int((monday + timedelta(hours=6 * n)).timestamp() * 1_000) for n in range(28)]

    assert [calendar.place(at_ms)[1] for at_ms in instants] == [n // 4 for n in range(28)]
    assert len({calendar.place(at_ms)[0] for at_ms in instants}) == 1


@pytest.mark.parametrize("at_ms", [-62_135_596_800_000, 253_402_300_799_999])
def test_the_ends_of_time_have_a_place(at_ms: int) -> None:
    for zone in ("America/New_York", "Asia/Tokyo"):
        assert 0 <= Calendar(DAY, 24, ZoneInfo(zone)).place(at_ms)[1] < 24


def test_a_part_that_was_never_visited_expects_nothing() -> None:
    model = methods.seasonal(Calendar(DAY, 24, ZoneInfo("UTC")), 4)()
    for day in range(3):
        model.learn(1.0, day * DAY)
    model.learn(1.0, 5 * HOUR + 3 * DAY)

    assert model.expect(4 * DAY) == Expectation(1.0, 0.0)
    assert model.expect(4 * DAY + 5 * HOUR) is None
    assert model.expect(4 * DAY + 6 * HOUR) is None
