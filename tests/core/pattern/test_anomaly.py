"""Anomalies: which values are hits, with what score, and what is learnt of them."""

import json
from collections.abc import Iterable, Sequence

import pytest

from oncue.core.json_text import Json
from oncue.core.pattern.kinds.anomaly import AnomalyPattern, compile_anomaly
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
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
    event = make_event(offset=offset, time_ms=at_ms, data={"ms": value})
    return Arrival(key, 1, event, {"event": event.view()}, at_ms)


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
    assert list(operator.advance(11 * MINUTE)) == []
    assert [key for key, _ in operator.states()["series"].items()] == ["c"]
    assert operator.counts == {"keys_forgotten": 2}


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
