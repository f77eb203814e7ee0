"""What a sequence finds in a few events, sentence by sentence."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Note
from oncue.core.pattern.sequence.operator import SequenceOperator
from oncue.core.pattern.sequence.plan import SequencePlan
from tests.core.pattern.sequence.driving import (
    Found,
    arrival_of,
    compiled,
    drive,
    found,
    make_events,
    make_sequence,
    run,
)
from tests.make import make_event

B_REPEATS: dict[str, Json] = {"as": "b", "event": "b", "times": {"min": 1}}
NOT_B: dict[str, Json] = {"as": "b", "event": "b", "not": True}
NOT_B_200: Json = {**NOT_B, "within": "200ms"}
NOT_A_300: Json = {"as": "a", "event": "a", "not": True, "within": "300ms"}


@pytest.mark.parametrize(
    ("document", "events", "expected"),
    [
        pytest.param(
            make_sequence("a", "b", "c"),
            "axbc",
            [("matched", 300, {"a": [0], "b": [2], "c": [3]})],
            id="steps follow each other with others between",
        ),
        pytest.param(
            make_sequence("a", "b"),
            "aab",
            [("matched", 200, {"a": [0], "b": [2]})],
            id="while a start is open no other begins",
        ),
        pytest.param(
            make_sequence("a", "b", overlap="each", after_match="no_skip"),
            "aab",
            [
                ("matched", 200, {"a": [0], "b": [2]}),
                ("matched", 200, {"a": [1], "b": [2]}),
            ],
            id="each start has its own match, in the order of starts",
        ),
        pytest.param(
            make_sequence("a", "b", overlap="each"),
            "aab",
            [("matched", 200, {"a": [0], "b": [2]})],
            id="a match drops what began before its last event",
        ),
        pytest.param(
            make_sequence("a", "b", overlap="last"),
            "aab",
            [("matched", 200, {"a": [1], "b": [2]})],
            id="a new start replaces the open one",
        ),
        pytest.param(
            make_sequence("a", "b", within="200ms"),
            "axb",
            [],
            id="the last event comes before the time is over, not with its end",
        ),
        pytest.param(
            make_sequence("a", NOT_B),
            "aa",
            [("absent", 1000, {"a": [0]}), ("absent", 1100, {"a": [1]})],
            id="each start has its own absence",
        ),
        pytest.param(
            make_sequence("a", NOT_B),
            "ab",
            [],
            id="what comes is not absent",
        ),
        pytest.param(
            make_sequence("a", NOT_B, within="100ms"),
            "ab",
            [("absent", 100, {"a": [0]})],
            id="what comes with the deadline does not cancel it",
        ),
        pytest.param(
            make_sequence("a", NOT_B, overlap="last"),
            "aaa",
            [("absent", 1200, {"a": [2]})],
            id="a dead man's switch waits from the last event on",
        ),
        pytest.param(
            make_sequence("a", B_REPEATS),
            "abb",
            [("matched", 1000, {"a": [0], "b": [1, 2]})],
            id="a last step that repeats completes with the deadline",
        ),
        pytest.param(
            make_sequence("a", B_REPEATS, "c"),
            "abbc",
            [("matched", 300, {"a": [0], "b": [1, 2], "c": [3]})],
            id="a step that repeats takes all it can",
        ),
        pytest.param(
            make_sequence("a", {**B_REPEATS, "times": {"min": 1, "max": 2}}),
            "abbb",
            [("matched", 200, {"a": [0], "b": [1, 2]})],
            id="a last step that repeats completes with its maximum",
        ),
        pytest.param(
            make_sequence("a", {**B_REPEATS, "until": "event.data.stop == true"}, scope="all"),
            "abbS",
            [("matched", 300, {"a": [0], "b": [1, 2]})],
            id="a last step that repeats completes with its until",
        ),
        pytest.param(
            make_sequence("a", {**B_REPEATS, "contiguity": "strict"}, scope="all"),
            "abbxb",
            [("matched", 300, {"a": [0], "b": [1, 2]})],
            id="a last step that repeats completes with the event that breaks it",
        ),
        pytest.param(
            make_sequence("a", B_REPEATS, {"as": "c", "event": "c", "optional": True}),
            "abbc",
            [("matched", 300, {"a": [0], "b": [1, 2], "c": [3]})],
            id="a step that repeats completes with the event of the next one",
        ),
        pytest.param(
            make_sequence("a", {**B_REPEATS, "greedy": False}),
            "abb",
            [("matched", 100, {"a": [0], "b": [1]})],
            id="a last step that is not greedy completes with its minimum",
        ),
        pytest.param(
            make_sequence("a", {"as": "b", "event": "b", "optional": True}),
            "a",
            [("matched", 1000, {"a": [0]})],
            id="a last step that is optional is waited for",
        ),
        pytest.param(
            make_sequence("a", {"as": "b", "event": "b", "optional": True}, "c"),
            "abc",
            [("matched", 200, {"a": [0], "b": [1], "c": [2]})],
            id="of several branches that with most events counts",
        ),
        pytest.param(
            make_sequence("a", {"as": "b", "event": "b", "contiguity": "strict"}),
            "axbab",
            [
                ("matched", 200, {"a": [0], "b": [2]}),
                ("matched", 400, {"a": [3], "b": [4]}),
            ],
            id="strict is among the events of the steps",
        ),
        pytest.param(
            make_sequence("a", {"as": "b", "event": "b", "contiguity": "strict"}, scope="all"),
            "axbab",
            [("matched", 400, {"a": [3], "b": [4]})],
            id="strict may be among all events",
        ),
        pytest.param(
            make_sequence("a", {"as": "b", "event": "b", "within": "150ms"}, "c"),
            "axbabc",
            [("matched", 500, {"a": [3], "b": [4], "c": [5]})],
            id="a step has a time of its own, from the step before",
        ),
        pytest.param(
            make_sequence("a", {**B_REPEATS, "times": 2, "within": "150ms"}),
            "abb",
            [],
            id="the time of a step is that of all its events",
        ),
        pytest.param(
            make_sequence("a", NOT_B, "c"),
            "abcac",
            [("matched", 400, {"a": [3], "c": [4]})],
            id="what must stay away ends what is open until the next step",
        ),
        pytest.param(
            make_sequence("a", NOT_B_200, "c"),
            "acxc",
            [("matched", 300, {"a": [0], "c": [3]})],
            id="what must stay away for a time lets the sequence go on after it",
        ),
        pytest.param(
            make_sequence("a", NOT_B_200),
            "axb",
            [("absent", 200, {"a": [0]})],
            id="what stays away for a time completes the sequence, within the whole time",
        ),
        pytest.param(
            make_sequence(NOT_A_300, "c"),
            "xcacxxxc",
            [("matched", 700, {"c": [7]})],
            id="what must stay away first is waited for anew when it comes",
        ),
        pytest.param(
            make_sequence(NOT_A_300, "c"),
            "xxxcxc",
            [("matched", 300, {"c": [3]})],
            id="what stayed away long enough counts once",
        ),
        pytest.param(
            make_sequence(NOT_A_300, "c"),
            "xxxac",
            [],
            id="what stayed away is over when it comes before the next step",
        ),
        pytest.param(
            make_sequence({"as": "a", "event": "a", "not": True}, within="250ms"),
            "axxxxaxxxxx",
            [("absent", 250, {}), ("absent", 750, {})],
            id="silence is told once, and again only after another event",
        ),
        pytest.param(
            make_sequence(NOT_A_300, "c", overlap="each", after_match="no_skip"),
            "xxxxxxxc",
            [("matched", 700, {"c": [7]}), ("matched", 700, {"c": [7]})],
            id="each silence may count on its own",
        ),
        pytest.param(
            make_sequence("a", {"all": ["B", "C"]}),
            "acxb",
            [("matched", 300, {"a": [0], "b": [3], "c": [1]})],
            id="of a group all may be needed, in any order",
        ),
        pytest.param(
            make_sequence("a", {"any": ["B", "C"]}),
            "axcb",
            [("matched", 200, {"a": [0], "c": [2]})],
            id="of a group one may be needed",
        ),
        pytest.param(
            make_sequence("a", {"all": [NOT_B, "C"]}),
            "abcac",
            [("matched", 400, {"a": [3], "c": [4]})],
            id="of a group some may have to stay away",
        ),
        pytest.param(
            make_sequence("a", {"all": [NOT_B_200, "C"]}),
            "ac",
            [("absent", 200, {"a": [0], "c": [1]})],
            id="a group completes when what must stay away has done so",
        ),
        pytest.param(
            make_sequence("a", {"any": [NOT_B_200, "C"]}),
            "abxx",
            [],
            id="what comes is no longer waited for in a group, and nothing is left",
        ),
        pytest.param(
            make_sequence("a", "b", on_timeout="emit"),
            "a",
            [("timeout", 1000, {"a": [0]})],
            id="what runs out of time may be told",
        ),
        pytest.param(
            make_sequence("a", "a2", "b", overlap="each", after_match={"skip_to_first": "a2"}),
            "aAAb",
            [
                ("matched", 300, {"a": [0], "a2": [1], "b": [3]}),
                ("matched", 300, {"a": [1], "a2": [2], "b": [3]}),
            ],
            id="after a match the next may begin with an event of it",
        ),
        pytest.param(
            make_sequence(
                "a",
                {"as": "b", "event": "b", "contiguity": "any"},
                emit_all=True,
                after_match="no_skip",
            ),
            "abb",
            [
                ("matched", 100, {"a": [0], "b": [1]}),
                ("matched", 200, {"a": [0], "b": [2]}),
            ],
            id="every combination may be told",
        ),
    ],
)
def test_what_a_sequence_finds(
    document: dict[str, Json], events: str, expected: list[Found]
) -> None:
    assert run(document, make_events(events)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            [("a", {"n": 3}), ("b", {"n": 3}), ("b", {"n": 4})],
            [("matched", 200, {"a": [0], "b": [2]})],
            id="a condition reads an earlier step",
        ),
        pytest.param(
            [("a", {"m": 3}), ("b", {"n": 4})],
            [],
            id="an error is no match",
        ),
    ],
)
def test_conditions_over_earlier_steps(data: list[tuple[str, Json]], expected: list[Found]) -> None:
    step: Json = {"as": "b", "event": "b", "where": "event.data.n > a.data.n"}
    events = [
        make_event(offset=place, type=type_, time_ms=place * 100, subject="", data=each)
        for place, (type_, each) in enumerate(data)
    ]

    assert run(make_sequence("a", step), events) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("size(b) == 0 || event.data.n > b.last.data.n", [0, 1, 2]),
        ("event.data.n > a.data.n && (size(b) == 0 || event.data.n > b[0].data.n)", [0, 1, 2, 3]),
        (
            "b.all(each, each.data.n < event.data.n) && b.map(each, each.data.n).sum() < 3",
            [0, 1, 2],
        ),
    ],
)
def test_a_step_that_repeats_reads_its_own_events(where: str, expected: list[int]) -> None:
    step: Json = {
        "as": "b",
        "event": "b",
        "where": where,
        "times": {"min": 1, "contiguity": "strict"},
    }
    numbers = [0, 1, 3, 2]
    events = [
        make_event(offset=place, type="ab"[place > 0], time_ms=place, subject="", data={"n": n})
        for place, n in enumerate(numbers)
    ]

    [(_, _, bindings)] = run(make_sequence("a", step), events)

    assert [*bindings["a"], *bindings["b"]] == expected


def test_errors_in_conditions_are_counted() -> None:
    sequence = compiled(make_sequence("a", {"as": "b", "event": "b", "where": "a.data.n > 1"}))
    operator = sequence.operator()
    hits = list(drive(operator, sequence, make_events("ab")))

    assert (hits, operator.counts) == ([], {"where_errors": 1})


def test_of_what_is_kept_only_what_conditions_read_is_saved() -> None:
    step: Json = {"as": "b", "event": "b", "where": "event.data.n > a.data.n"}
    sequence = compiled(make_sequence("a", step))
    operator = sequence.operator()
    event = make_event(type="a", subject="", data={"n": 1, "secret": 2})
    list(drive(operator, sequence, [event]))
    [(_, _, _, saved)] = operator.states()["keys"].rows()
    assert isinstance(saved, Mapping)

    assert saved["events"] == [[-1, 0, 1, 1, {"data": {"n": 1}}]]


def test_declared_keys_are_missed_though_nothing_of_them_came() -> None:
    step: Json = {"as": "a", "event": "a", "not": True}
    sequence = compiled(make_sequence(step, by=["event.subject"]))
    operator = sequence.operator()
    operator.begin(5_000, ["y", "x"])

    assert operator.deadline() == 6_000
    assert [(hit.key, hit.time_ms) for hit in operator.advance(10_000)] == [
        ("x", 6_000),
        ("y", 6_000),
    ]
    assert operator.deadline() is None


@pytest.mark.parametrize(
    ("events", "notes"),
    [("axbb", [Note.STARTED, Note.IGNORED, Note.ADVANCED, Note.ADVANCED]), ("b", [Note.IGNORED])],
)
def test_what_became_of_each_event(events: str, notes: list[Note]) -> None:
    sequence = compiled(make_sequence("a", B_REPEATS, "x2", scope="all"))
    operator = sequence.operator()
    seen: list[Note | None] = []
    for event in make_events(events):
        list(drive(operator, sequence, [event]))
        seen.append(operator.last_note)

    assert seen == notes


def test_an_event_ahead_of_the_watermark_ends_nothing() -> None:
    sequence = compiled(make_sequence("a", NOT_B))
    operator = sequence.operator()
    ahead = make_event(offset=1, type="b", time_ms=5_000, subject="")
    hits = list(drive(operator, sequence, [make_event(type="a", time_ms=0, subject="")]))
    arrival = arrival_of(sequence, ahead, 100)
    assert arrival is not None

    assert (hits, operator.admit(arrival)) == ([], ())
    assert [hit.time_ms for hit in operator.advance(1_000)] == [1_000]


@pytest.mark.parametrize(
    ("time_ms", "offset", "is_absent"),
    [(999, 2, True), (1_000, 2, False), (1_001, 2, False)],
    ids=["earlier than the first event", "at the same instant, after it", "later"],
)
def test_what_follows_is_later_in_time_and_offset(
    time_ms: int,
    offset: int,
    is_absent: bool,  # noqa: FBT001 a column of the table
) -> None:
    first = make_event(offset=1, type="a", time_ms=1_000, subject="")
    second = make_event(offset=offset, type="b", time_ms=time_ms, subject="")

    assert bool(run(make_sequence("a", NOT_B), [first, second])) is is_absent


def test_of_too_many_partial_matches_the_oldest_is_dropped() -> None:
    document = make_sequence(
        "a", "b", overlap="each", after_match="no_skip", limits={"max_partials_per_key": 2}
    )
    sequence = compiled(document)
    operator = sequence.operator()
    hits = list(drive(operator, sequence, make_events("aaab")))

    assert [found(hit)[2]["a"] for hit in hits] == [[1], [2]]
    assert operator.counts == {"partials_dropped": 1}


def test_of_too_many_keys_the_one_longest_without_an_event_is_forgotten() -> None:
    sequence = compiled(make_sequence("a", "b", by=["event.subject"], limits={"max_keys": 1}))
    operator = sequence.operator()
    events = [
        make_event(offset=place, type=type_, time_ms=place, subject=key)
        for place, (type_, key) in enumerate([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")])
    ]

    assert [hit.key for hit in drive(operator, sequence, events)] == ["y"]
    assert operator.counts == {"keys_forgotten": 1}
    assert operator.deadline() is None


def test_people_are_told_how_far_it_has_come() -> None:
    sequence = compiled(make_sequence("a", "b", "c"))
    operator = sequence.operator()
    list(drive(operator, sequence, make_events("ab")))

    assert operator.describe("")["nearest"] == {
        "text": "2 of 3 steps; waiting for 'c' until 1970-01-01T00:00:01.000Z",
        "started_at": "1970-01-01T00:00:00.000Z",
        "waiting_for": ["c"],
        "until": "1970-01-01T00:00:01.000Z",
        "events": [{"step": "a", "offset": 0}, {"step": "b", "offset": 1}],
    }
    assert operator.describe("other") == {"partials": 0, "nearest": None}


def test_an_exception_leaves_the_key_as_it_was() -> None:
    step: Json = {"as": "b", "event": "b", "where": "event.data.n > a.data.n"}
    sequence = compiled(make_sequence("a", step, "c"))
    assert isinstance(sequence.plan, SequencePlan)

    def fail(_: Mapping[str, object]) -> object:
        raise RecursionError("the stack is full")

    wheres = sequence.plan.wheres
    broken = {bit: replace(where, evaluate=fail) for bit, where in wheres.steps.items()}
    plan = replace(sequence.plan, wheres=replace(wheres, steps=broken))
    operator = SequenceOperator(plan)
    list(drive(operator, sequence, make_events("a")))
    before = operator.states()["keys"].rows(), operator.deadline()
    arrival = arrival_of(sequence, make_events("ab")[1], 100)
    assert arrival is not None
    with pytest.raises(RecursionError):
        operator.admit(arrival)

    assert (operator.states()["keys"].rows(), operator.deadline()) == before


def test_matches_that_have_all_in_common_are_rows_of_their_own() -> None:
    sequence = compiled(make_sequence(NOT_A_300, "c", overlap="each", after_match="no_skip"))
    operator = sequence.operator()
    operator.begin(0, [])

    assert [hit.row for hit in drive(operator, sequence, make_events("xxxxxxxc"))] == [0, 1]
