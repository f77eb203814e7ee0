"""Anomalies: which values are hits, with what score, and what is learnt of them."""

import json
import re
from collections.abc import Iterable, Sequence

import pytest
from pydantic import ValidationError

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.anomaly import (
    AnomalyPattern,
    Season,
    compile_anomaly,
    ms_of,
    samples_of,
)
from oncue.core.pattern.kinds.shared import Cooldown
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from tests.architecture.rules import ROOT
from tests.make import make_event

MINUTE = 60_000


def make_pattern(**changes: object) -> AnomalyPattern:
    fields: dict[str, object] = {
        "type": "anomaly",
        "event": "api.request",
        "value": "event.data.ms",
        "min_samples": 4,
        "cooldown": None,
    }
    return AnomalyPattern.model_validate(fields | changes)


def make_operator(**changes: object) -> Operator:
    return compile_anomaly(make_pattern(**changes), "pattern").operator()


def make_arrival(offset: int, value: Json, *, key: str = "", time_ms: int | None = None) -> Arrival:
    at_ms = offset * MINUTE if time_ms is None else time_ms
    event = make_event(
        offset=offset, time_ms=at_ms, received_at_ms=offset * MINUTE, data={"ms": value}
    )
    return Arrival(key, 1, event, {"event": event.view()}, min(at_ms, event.received_at_ms))


def hits_of(operator: Operator, values: Iterable[Json]) -> list[Hit]:
    return [
        hit
        for offset, value in enumerate(values)
        for hit in operator.admit(make_arrival(offset, value))
    ]


def offsets_of(hits: Sequence[Hit]) -> list[int]:
    return [hit.bindings[0][1][0] for hit in hits]


FOUR = [10, 12, 10, 12]


@pytest.mark.parametrize(
    ("changes", "values", "expected"),
    [
        pytest.param({}, [*FOUR, 11, 90], [5], id="a value far from the others is a hit"),
        pytest.param({}, [10, 12, 10, 900], [], id="the first values only teach"),
        pytest.param({}, [*FOUR, 13], [], id="a value within the threshold is none"),
        pytest.param(
            {"min_scale": {"rel": 0.1}}, [10, 10, 10, 10, 15], [4], id="at the threshold it is one"
        ),
        pytest.param({"direction": "up"}, [*FOUR, -90], [], id="down is no hit where up is asked"),
        pytest.param({"direction": "up"}, [*FOUR, 90], [4], id="up is a hit where up is asked"),
        pytest.param({"direction": "down"}, [*FOUR, 90], [], id="up is no hit where down is asked"),
        pytest.param({"direction": "down"}, [*FOUR, -90], [4], id="down is one where it is asked"),
        pytest.param({}, [5, 5, 5, 5, 5.5], [4], id="a constant series has the floor as its scale"),
        pytest.param({}, [5, 5, 5, 5, 5.2], [], id="within the floor nothing is far"),
        pytest.param({}, [0, 0, 0, 0, 0, 1], [5], id="after nothing but zeros all else is far"),
        pytest.param(
            {"min_scale": {"abs": 1}}, [0, 0, 0, 0, 4], [], id="an absolute floor holds at zero"
        ),
        pytest.param(
            {"threshold": 200}, [*FOUR, 90], [], id="a threshold of one's own takes its place"
        ),
        pytest.param({"sensitivity": "low"}, [*FOUR, 18], [], id="low needs seven spreads"),
        pytest.param({"sensitivity": "high"}, [*FOUR, 16], [4], id="high needs three and a half"),
        pytest.param({"sensitivity": 4.0}, [*FOUR, 16], [4], id="or so many as are given"),
    ],
)
def test_which_values_are_hits(
    changes: dict[str, object], values: list[Json], expected: list[int]
) -> None:
    assert offsets_of(hits_of(make_operator(**changes), values)) == expected


def test_a_hit_says_what_was_expected() -> None:
    (hit,) = hits_of(make_operator(), [5, 5, 5, 5, 6])

    assert hit == Hit(
        kind=Kind.ANOMALY,
        key="",
        time_ms=4 * MINUTE,
        bindings=(("", (4,)),),
        event_count=1,
        values={"actual": 6.0, "expected": 5.0, "scale": 0.05, "n": 4, "threshold": 5.0},
        score=20.0,
    )


def test_zero_is_zero_whatever_its_sign() -> None:
    (hit,) = hits_of(make_operator(), [5, 6, 5, 6, -0.0])

    assert repr(hit.values["actual"]) == "0.0"


@pytest.mark.parametrize(
    "value", [None, True, "12", [], {}, 10**200, 1e200], ids=lambda value: f"{value!r:.10}"
)
def test_what_is_no_number_is_counted_and_teaches_nothing(value: Json) -> None:
    operator, other = make_operator(), make_operator()
    values = [10, 12, value, 10, 12, 30]

    assert len(hits_of(operator, values)) == 1
    assert operator.counts == {"without_value": 1}
    hits_of(other, [each for each in values if each != value])
    assert operator.describe("") == other.describe("")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [(4, False)], id="a run of anomalies is one hit"),
        pytest.param(
            {"cooldown": "10m"},
            [(4, False), (5, True), (6, True)],
            id="with a cooldown the rest of the run are repeats",
        ),
        pytest.param(
            {"rearm": "every"},
            [(4, False), (5, False), (6, False)],
            id="every makes each a hit of its own",
        ),
    ],
)
def test_a_run_of_anomalies(changes: dict[str, object], expected: list[tuple[int, bool]]) -> None:
    hits = hits_of(make_operator(learn="freeze", **changes), [*FOUR, 90, 91, 92, 11])

    assert [(hit.bindings[0][1][0], hit.is_repeat) for hit in hits] == expected


def test_a_value_that_is_normal_ends_the_run() -> None:
    hits = hits_of(make_operator(learn="freeze"), [*FOUR, 90, 11, 90])

    assert offsets_of(hits) == [4, 6]


def test_keys_do_not_know_of_each_other() -> None:
    operator = make_operator()
    for offset, value in enumerate(FOUR):
        operator.admit(make_arrival(offset, value, key='["a"]'))

    assert operator.admit(make_arrival(9, 900, key='["b"]')) == ()
    assert operator.last_note is Note.LEARNING
    assert len(operator.admit(make_arrival(10, 900, key='["a"]'))) == 1


def test_the_note_says_what_became_of_a_value() -> None:
    operator = make_operator()
    notes: list[Note | None] = []
    for offset, value in enumerate([*FOUR, 11, None]):
        operator.admit(make_arrival(offset, value))
        notes.append(operator.last_note)

    assert notes == [*[Note.LEARNING] * 4, Note.COUNTED, Note.IGNORED]


def test_the_keys_longest_without_a_value_are_forgotten() -> None:
    operator = make_operator(limits={"max_keys": 2, "key_ttl": "10m"})
    for offset, key in enumerate(["a", "b", "c"]):
        operator.admit(make_arrival(offset, 1, key=key))

    assert [key for key, _ in operator.states()["series"].items()] == ["b", "c"]
    assert operator.counts == {"keys_forgotten": 1}


def test_a_key_begins_anew_after_its_time_to_live() -> None:
    operator = make_operator(limits={"key_ttl": "10m"})
    hits_of(operator, FOUR)
    operator.admit(make_arrival(12, 900, key="b"))
    operator.admit(make_arrival(13, 900))

    assert operator.describe("")["n"] == 1


def test_a_fast_clock_does_not_stop_the_time_of_its_key() -> None:
    operator = make_operator(method="zscore", window="5m")
    operator.admit(make_arrival(0, 10, time_ms=10**12))
    for minute in range(1, 20):
        operator.admit(make_arrival(minute, 10 + minute % 2))

    assert operator.describe("")["expected"] == pytest.approx(10.6)


METHODS: list[dict[str, object]] = [
    {"method": "ewma", "half_life": 3},
    {"method": "ewma", "half_life": "3m"},
    {"method": "zscore", "window": 6},
    {"method": "zscore", "window": "6m"},
    {"method": "mad", "window": 6},
    {"method": "iqr", "window": "6m"},
    {"method": "seasonal", "season": {"period": "4m", "buckets": 2}},
]


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("place", [1, 5, 8, 13])
def test_a_state_read_back_goes_on_as_before(method: dict[str, object], place: int) -> None:
    values: list[Json] = [10, 12, 10.5, 12, 11, 90, 91, 0.1, -3, 4, 5, 6, 10, 1e3, 10, 11.25, 9]
    operator = make_operator(cooldown="1m", **method)
    restored = make_operator(cooldown="1m", **method)
    before = hits_of(operator, values[:place])
    saved = json.loads(json.dumps(operator.states()["series"].rows()))
    restored.states()["series"].load(saved)
    restored.restored()

    rest = [make_arrival(place + n, value) for n, value in enumerate(values[place:])]
    assert [restored.admit(each) for each in rest] == [operator.admit(each) for each in rest]
    assert restored.states()["series"].rows() == operator.states()["series"].rows()
    assert len(before) < len(values)


STEADY = [10, 12, 10, 12, 10, 12, 10, 12]


@pytest.mark.parametrize(
    ("changes", "values", "expected"),
    [
        pytest.param(
            {"half_life": 138},
            [*STEADY * 20, 90, *STEADY, 90],
            [160, 169],
            id="an outlier does not hide the next of its size",
        ),
        pytest.param(
            {"half_life": 138},
            [*STEADY * 20, 1e6, *STEADY, 90],
            [160],
            id="always: what is learnt of a huge one hides a lesser one",
        ),
        pytest.param(
            {"half_life": 138, "learn": "winsorize"},
            [*STEADY * 20, 1e6, *STEADY, 90],
            [160, 169],
            id="winsorize: a huge outlier teaches no more than one at the threshold",
        ),
        pytest.param(
            {"half_life": 138, "learn": "freeze"},
            [*STEADY * 20, 1e6, *STEADY, 30],
            [160, 169],
            id="freeze: it teaches nothing",
        ),
        pytest.param(
            {"method": "mad", "window": 16, "min_scale": {"abs": 1}},
            [*STEADY * 20, 1e6, 1e7, 11, 90],
            [160, 161, 163],
            id="mad: a few wild values in the window move nothing",
        ),
        pytest.param(
            {"method": "iqr", "window": 16},
            [*STEADY * 20, 1e6, 1e7, 11, 90],
            [160, 161, 163],
            id="iqr: a few wild values in the window move nothing",
        ),
        pytest.param(
            {"half_life": 138},
            [*STEADY * 20, *[90] * 60],
            [160, 161, 162, 163, 164],
            id="always: a level that stays is soon what is expected",
        ),
        pytest.param(
            {"learn": "freeze", "min_samples": 5},
            [*STEADY, *[90] * 12, 10],
            [8, 9, 10, 11, 12, 20],
            id="freeze: after so many far values the key begins anew with the last of them",
        ),
        pytest.param(
            {"learn": "winsorize"},
            [0, 0, 0, 0, 0, 7, 7, 7],
            [5],
            id="winsorize: where there is no scale a value is learnt as it is",
        ),
        pytest.param(
            {"direction": "up", "learn": "freeze"},
            [*STEADY, -90, 50],
            [9],
            id="freeze: what is far in the other direction is not learnt either",
        ),
    ],
)
def test_what_is_learnt_of_an_anomaly(
    changes: dict[str, object], values: list[Json], expected: list[int]
) -> None:
    assert offsets_of(hits_of(make_operator(rearm="every", **changes), values)) == expected


def test_after_ten_half_lives_without_values_a_key_learns_anew() -> None:
    operator = make_operator(half_life="1m")
    notes: list[Note | None] = []
    for minute, value in [*enumerate(STEADY), (17, 11), (28, 500), (29, 500), (30, 500), (31, 500)]:
        operator.admit(make_arrival(minute, value))
        notes.append(operator.last_note)

    assert notes == [*[Note.LEARNING] * 4, *[Note.COUNTED] * 5, *[Note.LEARNING] * 4]


def test_a_window_that_ran_empty_learns_anew() -> None:
    operator = make_operator(method="zscore", window="10m")
    notes: list[Note | None] = []
    for minute, value in [*enumerate(STEADY), (17, 11), (18, 11)]:
        operator.admit(make_arrival(minute, value))
        notes.append(operator.last_note)

    assert notes == [*[Note.LEARNING] * 4, *[Note.COUNTED] * 4, *[Note.LEARNING] * 2]


def test_values_out_of_order_are_taken_as_they_come() -> None:
    operator = make_operator(half_life="1m")
    found = [operator.admit(make_arrival(minute, 10)) for minute in (5, 3, 4, 1, 9)]

    assert found == [()] * 5
    assert operator.describe("") == {
        "n": 5, "learning": 0, "expected": 10.0, "spread": 0.0, "is_anomalous": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "path", "part"),
    [
        ({"window": 100}, "window", "zscore, mad or iqr"),
        ({"method": "mad", "window": 1}, "window", "2 to 100000"),
        ({"method": "mad", "window": 200_000}, "window", "2 to 100000"),
        ({"method": "iqr", "half_life": 10}, "half_life", "ewma or seasonal"),
        ({"method": "seasonal"}, "season", "a season"),
        ({"season": {"period": "1d", "buckets": 24}}, "season", "the method 'seasonal'"),
        ({"emit": "early"}, "emit", "'final'"),
        ({"late": {"action": "amend"}}, "late.action", "'drop'"),
        ({"late": {"allowed": "1m"}}, "late.allowed", "'watermark.delay'"),
        ({"rearm": "reset"}, "rearm", "'edge' or 'every'"),
        ({"threshold": 4, "sensitivity": "low"}, "threshold", "either"),
        ({"keys": [["a"]], "by": ["event.subject"]}, "keys", "a measure over windows"),
        ({"value": {"measure": "count", "of": "1", "window": "1m"}}, "value.of", "counts events"),
        ({"value": {"measure": "avg", "window": "1m"}}, "value.of", "a value for 'avg'"),
        ({"value": {"measure": "count", "window": "1m"}, "keys": ["a"]}, "keys", "'by'"),
        ({"value": "event.data."}, "value", "expected"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    changes: dict[str, object], path: str, part: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_anomaly(make_pattern(**changes), "pattern")

    assert [(problem.path, part in problem.message) for problem in caught.value.problems] == [
        (f"pattern.{path}", True)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"half_life": 0}, {"half_life": True}, {"half_life": "0s"}, {"half_life": 1.5},
        {"window": "1000"}, {"sensitivity": "lo"}, {"sensitivity": 0}, {"sensitivity": True},
        {"threshold": 0}, {"threshold": float("inf")}, {"min_samples": 1},
        {"min_scale": {"rel": -0.1}}, {"min_scale": {"abs": float("nan")}},
        {"season": {"period": "0w", "buckets": 2}}, {"season": {"period": "1d", "buckets": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_what_means_nothing_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make_pattern(**changes)


def test_values_and_times_are_told_apart() -> None:
    pattern = make_pattern(half_life=10, window="10m")

    assert (samples_of(pattern.half_life), ms_of(pattern.half_life)) == (10, None)
    assert (samples_of(pattern.window), ms_of(pattern.window)) == (None, 600_000)
    assert pattern.model_dump(mode="json")["window"] == "10m"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0),
        ({"half_life": "1m"}, 10 * MINUTE),
        ({"method": "mad", "window": "1m"}, MINUTE),
        ({"method": "mad"}, 0),
        ({"method": "mad", "value": {"measure": "count", "window": "1m"}}, 1_000 * MINUTE),
        ({"half_life": 5, "value": {"measure": "count", "window": "1m"}}, 50 * MINUTE),
        ({"method": "seasonal", "season": {"period": "2m", "buckets": 2}}, 80 * MINUTE),
        (
            {"method": "seasonal", "season": {"period": "2m", "buckets": 2}, "half_life": "1m"},
            10 * MINUTE,
        ),
    ],
    ids=str,
)
def test_how_far_back_values_count(changes: dict[str, object], expected: int) -> None:
    assert compile_anomaly(make_pattern(**changes), "pattern").reach_ms == expected


def test_the_examples_of_the_page_are_patterns() -> None:
    page = (ROOT / "docs" / "explanation" / "anomalies.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (season,) = re.findall(r'`"season": (.*?)`', page, re.DOTALL)
    (measure,) = re.findall(r'^`({"measure".*?})`', page, re.MULTILINE)
    pattern = AnomalyPattern.model_validate_json(example)

    assert compile_anomaly(pattern, "pattern").sorts
    compile_anomaly(make_pattern(method="seasonal", season=json.loads(season)), "pattern")
    compile_anomaly(make_pattern(value=json.loads(measure)), "pattern")


def test_the_cooldown_is_200_values_unless_another_or_none_is_given() -> None:
    assert make_pattern(cooldown=None).cooldown is None
    assert AnomalyPattern.model_validate(
        {"type": "anomaly", "event": "a", "value": "event.data.ms"}
    ).cooldown == Cooldown(samples=200)


def test_a_season_may_be_told_in_weeks() -> None:
    assert Season.model_validate({"period": "2w", "buckets": 2}).period == 14 * 86_400_000
