"""The index finds what asking every selector finds, whatever is put and dropped in between."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.expression.conjuncts import StartsWith
from oncue.core.globs import compile_glob
from oncue.core.json_text import Json
from oncue.core.pattern.index import PatternIndex
from oncue.core.pattern.indexing.access import Access
from oncue.core.pattern.indexing.layout import Entry, Probe
from oncue.core.pattern.indexing.spans import Rows, Span, arrange
from oncue.core.pattern.indexing.tables import fill
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.scanning import cost_of, excess
from oncue.core.pattern.selection import EVERYTHING, Seen, Selection, compile_selection
from tests.core.pattern.random_selectors import (
    TYPES,
    chances,
    is_likely,
    shown,
    some,
    some_event,
    some_selection,
)
from tests.make import make_event


@dataclass
class NaiveIndex:
    """Asks every selector about every event."""

    slots: dict[str, Sequence[Selection]] = field(default_factory=dict)

    def watching(self, event_type: str) -> tuple[str, ...]:
        return tuple(
            slot
            for slot, selections in self.slots.items()
            if any(watches(selection, event_type) for selection in selections)
        )

    def admitted(self, event: Event) -> list[tuple[str, int]]:
        values = {"event": event.view()}
        found = [
            (
                slot,
                sum(
                    1 << number
                    for number, selection in enumerate(selections)
                    if watches(selection, event.type) and selection.refusal(event, values) is None
                ),
            )
            for slot, selections in self.slots.items()
        ]
        return [(slot, bits) for slot, bits in found if bits]


def watches(selection: Selection, event_type: str) -> bool:
    return any(compile_glob(glob)(event_type) for glob in selection.globs)


def make_selection(**fields: Json) -> Selection:
    return compile_selection(Selector.model_validate({"event": "x"} | fields), "pattern")


def put_all(selectors: Sequence[dict[str, Json]]) -> PatternIndex:
    index = PatternIndex()
    for number, fields in enumerate(selectors):
        index.put(f"p{number}", [make_selection(**fields)])
    return index


def slots_of(index: PatternIndex, event: Event) -> list[str]:
    return [slot for slot, _ in index.admitted(event, Seen(event))]


@settings(max_examples=25)
@given(chances)
def test_the_index_finds_what_asking_all_finds(chance: Random) -> None:
    index, naive = PatternIndex(), NaiveIndex()
    for _ in range(4):
        for slot in chance.choices([f"p{number}" for number in range(40)], k=25):
            if is_likely(chance, 0.2):
                index.drop(slot)
                naive.slots.pop(slot, None)
            else:
                naive.slots[slot] = some(chance, 3, partial(some_selection, chance))
                index.put(slot, naive.slots[slot])
        for event in [some_event(chance) for _ in range(25)]:
            found = list(index.admitted(event, Seen(event)))
            expected = naive.admitted(event)

            others = {slot for slot, _ in {*found} ^ {*expected}}
            assert found == expected, [(slot, shown(naive.slots[slot])) for slot in others]

    assert [index.watching(t) for t in TYPES] == [naive.watching(t) for t in TYPES]
    watched = {glob for slot in naive.slots.values() for one in slot for glob in one.globs}
    assert index.globs == tuple(sorted(watched))


def test_slots_come_in_the_order_in_which_they_were_first_put() -> None:
    index = put_all([{}, {"event": "*"}, {"event": ["y", "x"]}, {"event": "x*"}])
    index.put("p0", [make_selection()])
    index.drop("p1")
    index.put("p1", [EVERYTHING])

    assert slots_of(index, make_event(type="x")) == ["p0", "p2", "p3", "p1"]
    assert index.watching("x") == ("p0", "p2", "p3", "p1")
    assert index.watching("z") == ("p1",)


def test_each_selector_of_a_slot_has_its_bit() -> None:
    index = PatternIndex()
    index.put(
        "a",
        [
            make_selection(conditions={"n": 1}),
            make_selection(event="y"),
            make_selection(event="*", where="event.data.n > 0"),
            make_selection(conditions={"n": 2}),
            EVERYTHING,
        ],
    )
    index.put("b", [make_selection(conditions={"n": [1, 2]})])

    assert list(index.admitted(make_event(type="x", data={"n": 1}))) == [("a", 0b10101), ("b", 1)]


def test_nothing_is_made_of_what_expressions_read_where_nobody_asks() -> None:
    index = put_all([{"conditions": {"n": n}} for n in range(10)])
    seen = Seen(make_event(type="x", data={"n": 3}))

    assert index.admitted(seen.event, seen) == [("p3", 1)]
    assert seen._view is None


@pytest.mark.parametrize(
    ("where", "data", "errors"),
    [
        pytest.param("event.data.n > {0}", {}, 30, id="a field is missing"),
        pytest.param("event.data.n > {0}", {"n": "a"}, 30, id="a field is of another kind"),
        pytest.param("event.data.n > {0}", {"n": -1}, 0, id="false is no error"),
        pytest.param("event.data.n == '{0}'", {}, 30, id="equality with what is missing"),
        pytest.param("event.data.n.startsWith('a{0}')", {"n": 1}, 30, id="a number begins with"),
        pytest.param("event.data.n == '3' && event.data.m == {0}", {"n": "3"}, 30, id="the other"),
        pytest.param("has(event.data.n) && event.data.n > {0}", {}, 0, id="has() guards"),
        pytest.param("event.data.?n.orValue(0) > {0} + 1", {}, 0, id="orValue() guards"),
        pytest.param("event.data.n > {0} || true", {}, 0, id="|| may make up for it"),
        pytest.param("event.data.n + 1 > {0}", {}, 30, id="where there is nothing to ask"),
    ],
)
def test_errors_of_where_are_counted_by_slot(where: str, data: Json, errors: int) -> None:
    index = put_all([{"where": where.format(number)} for number in range(30)])
    event = make_event(type="x", data=data)
    index.admitted(event)
    index.admitted(event)
    index.put("p0", [make_selection()])

    assert sum(index.errors.values()) == 2 * errors
    assert index.errors["p0"] == (2 if errors else 0)


def test_a_dropped_slot_has_no_errors() -> None:
    index = put_all([{"where": "event.data.n > 1"}, {"where": "event.data.n > 2"}])
    index.admitted(make_event(type="x", data={}))
    index.drop("p0")

    assert index.errors == {"p1": 1}


def test_a_change_of_some_leaves_the_others_as_they_are() -> None:
    index = put_all([{"event": type_, "conditions": {"n": 1}} for type_ in ("x", "y", "z*")])
    events = [make_event(type=type_, data={"n": 1}) for type_ in ("x", "y", "zz")]
    before = [index._routes.known[e.type] for e in events if index.admitted(e)]
    index.put("more", [make_selection(event="x")])
    after = [index._routes.known[e.type] for e in events if index.admitted(e)]

    assert [old is new for old, new in zip(before, after, strict=True)] == [False, True, True]


def test_a_slot_that_is_put_again_is_what_it_was_put_as_last() -> None:
    index = PatternIndex()
    event = make_event(type="x", data={"n": 1})
    for number in range(50):
        index.put("a", [make_selection(conditions={"n": number % 2})])

        assert slots_of(index, event) == ["a"] * (number % 2)


def test_types_that_the_same_globs_fit_share_a_leaf_and_are_forgotten_in_time() -> None:
    index = put_all([{"event": "*", "conditions": {"n": 1}}, {"event": "known"}])
    known = make_event(type="known", data={"n": 1})
    assert len(index.admitted(known)) == 2
    leaves = {
        index._routes.known[f"t{number}"]
        for number in range(12_000)
        if index.admitted(make_event(type=f"t{number}", data={"n": 1}))
    }

    assert len(leaves) == 1
    assert len(index._routes.known) <= 10_002
    assert "known" in index._routes.known


@pytest.mark.parametrize(
    ("fields", "cost_class"),
    [
        ({}, "indexed"),
        ({"event": "order.*"}, "indexed"),
        ({"event": "*"}, "scan"),
        ({"event": ["x", "**"]}, "scan"),
        ({"event": "*", "source": "web"}, "indexed"),
        ({"event": "*", "conditions": {"a": 1}}, "indexed"),
        ({"conditions": {"a": {"suffix": "x"}}}, "scan"),
        ({"conditions": {"a": {"anything-but": "x"}}}, "scan"),
        ({"conditions": {"a": [1, {"exists": False}]}}, "scan"),
        ({"conditions": {"a": {"prefix": ""}}}, "scan"),
        ({"conditions": {"a": {"wildcard": "*x"}}}, "scan"),
        ({"conditions": {"a": {"wildcard": "x*y"}}}, "indexed"),
        ({"conditions": {"a": {"b": [{"numeric": [">", 1]}, "x"]}}}, "indexed"),
        ({"conditions": {"$or": [{"a": 1}, {"b": {"prefix": "x"}}]}}, "indexed"),
        ({"conditions": {"$or": [{"a": 1}, {"b": {"suffix": "x"}}]}}, "scan"),
        ({"where": "event.data.a == 'x'"}, "indexed"),
        ({"where": "event.data.a.contains('x')"}, "scan"),
        ({"where": "event.time > '2020'"}, "scan"),
        ({"where": "event.ext in ['a', 'b'] && size(event.data.x) > 1"}, "indexed"),
    ],
    ids=str,
)
def test_what_an_index_can_find_is_told(fields: dict[str, Json], cost_class: str) -> None:
    assert make_selection(**fields).cost_class == cost_class


def test_predicates_that_no_index_finds_have_a_budget() -> None:
    scan = make_selection(event=["x", "y"], where="event.data.text.contains('x')")
    present: list[Selection] = []
    while (problem := excess(present, [scan], "pattern.where")) is None:
        present.append(scan)

    assert 100 < len(present) < 1_000
    assert problem.path == "pattern.where"
    assert "expected all predicates that no index can find to cost at most 2000" in problem.message
    assert "event.data.kind == 'a'" in problem.message
    assert excess(present[1:], [scan], "") is None
    assert excess(present, [make_selection(where="event.data.a == 1")], "") is None
    elsewhere = {"event": "z", "where": "event.data.text.contains('x')"}
    assert excess(present, [make_selection(**elsewhere)], "") is None
    for everywhere in ("*", "x*"):
        assert excess(present, [make_selection(**elsewhere | {"event": everywhere})], "")


def test_a_loop_and_a_regular_expression_cost_more() -> None:
    plain, loop, regex = (
        cost_of(make_selection(where=where))
        for where in (
            "event.data.a.contains('x')",
            "event.data.a.exists(x, x.contains('x'))",
            "event.data.a.matches('x')",
        )
    )

    assert plain * 4 < min(loop, regex)


_ends = st.integers(-30, 30).map(float) | st.sampled_from([-inf, inf])


@given(st.lists(st.tuples(_ends, _ends), max_size=80), st.floats(-31, 31) | st.integers(-31, 31))
def test_ranges_that_hold_a_number_are_found(ends: list[tuple[float, float]], value: float) -> None:
    spans = [Span(least, most, number) for number, (least, most) in enumerate(ends)]
    arranged = arrange(spans)
    found: list[int] = []
    if isinstance(arranged, Rows):
        found += arranged.numbers[bisect_right(arranged.bounds, value)]
    else:
        arranged(value, found)

    held = {span.number for span in spans if span.least <= value <= span.most}
    assert held <= set(found)
    assert isinstance(arranged, Rows) is (len(found) == len(held)) or not isinstance(arranged, Rows)


def test_ranges_that_overlap_make_no_square() -> None:
    count = 20_000
    arranged = arrange([Span(float(n), float(n + count), n) for n in range(count)])
    assert not isinstance(arranged, Rows)
    found: list[int] = []
    arranged(count / 2, found)

    assert sorted(found) == list(range(count // 2 + 1))


def test_lists_of_values_make_no_product() -> None:
    letters = [f"v{number}" for number in range(60)]
    fields: Json = dict.fromkeys("abc", letters)
    index = put_all([{"conditions": fields} for _ in range(300)])
    event = make_event(type="x", data={"a": "v1", "b": "v2", "c": "v3"})

    assert len(index.admitted(event)) == 300
    assert not index.admitted(make_event(type="x", data={"a": "v1", "b": "v2", "c": "w"}))


@pytest.mark.parametrize(
    ("conditions", "data", "expected"),
    [
        pytest.param({"a": ["x", "y"]}, {"a": ["x", "y"]}, True, id="two elements"),
        pytest.param({"a": {"b": "x"}}, {"a": [{"b": "y"}, {"b": "x"}]}, True, id="members"),
        pytest.param({"a": {"b": "x"}}, {"a": [{"b": ["y", "x"]}]}, True, id="arrays within"),
        pytest.param({"a": {"b": "x"}}, {"a": [[{"b": "x"}]]}, False, id="an array is no object"),
        pytest.param({"a": "x"}, {"a": [["x"]]}, False, id="nor one of its own elements"),
        pytest.param({"a": {"b": {"prefix": "x"}}}, {"a": {"b": ["xy"]}}, True, id="of text"),
        pytest.param({"a": {"numeric": [">", 1]}}, {"a": ["z", 2]}, True, id="of numbers"),
        pytest.param({"$or": [{"a": "x"}, {"b": "x"}]}, {"a": "x", "b": "x"}, True, id="both"),
    ],
)
def test_an_event_that_is_found_twice_is_admitted_once(
    conditions: Json, data: Json, *, expected: bool
) -> None:
    others: list[dict[str, Json]] = [{"conditions": {"a": f"{n}"}} for n in range(20)]
    index = put_all([{"conditions": conditions}, *others])

    assert list(index.admitted(make_event(type="x", data=data))) == [("p0", 1)] * expected


def test_a_selector_that_watches_a_type_twice_is_asked_once() -> None:
    index = put_all([{"event": ["x", "x*", "*"], "where": "event.data.n + 1 > 2"}])
    index.admitted(make_event(type="x", data={}))

    assert index.errors == {"p0": 1}


@pytest.mark.parametrize("limit", [2**53 + 1, 2**53 + 3, 2**63 - 1, 10**400, -(2**53 + 3)])
def test_long_integers_are_compared_as_the_predicate_does(limit: int) -> None:
    selectors: list[dict[str, Json]] = [
        {"conditions": {"n": [{"numeric": [relation, limit]}]}}
        for relation in ("<", "<=", "=", ">=", ">")
    ]
    selectors += [{"conditions": {"n": limit}}, {"conditions": {"n": [float(2**53), limit]}}]
    if abs(limit) < 2**63:
        selectors += [
            {"where": f"event.data.n {relation} {number}"}
            for relation in ("<", "<=", "==", ">=", ">")
            for number in (str(limit), f"{float(limit)}")
        ]
    index = put_all(selectors)
    naive = NaiveIndex({f"p{n}": [make_selection(**s)] for n, s in enumerate(selectors)})
    near = [limit + step for step in range(-3, 4)]
    for number in [*near, *(float(n) for n in near if abs(n) < 2**70)]:
        event = make_event(type="x", data={"n": number})

        assert list(index.admitted(event)) == naive.admitted(event)


def test_prefixes_of_many_lengths_are_found() -> None:
    text = "abcdefghijklmnopqrst"
    index = put_all([{"conditions": {"n": [{"prefix": text[:length]}]}} for length in range(1, 21)])
    for length in range(22):
        event = make_event(type="x", data={"n": text[:length] + "!"})

        assert slots_of(index, event) == [f"p{n}" for n in range(min(length, 20))]


def test_a_text_is_looked_for_under_few_lengths() -> None:
    probe = Probe(("data", "n"))
    for length in range(1, 30):
        access = Access((StartsWith(("data", "n"), "x" * length),))
        probe.add(Entry(length, (access,)), access)
    tables = fill(probe, lambda entries: tuple(entry.number for entry in entries))

    assert len(tables.prefixes) <= 4
    assert min(tables.prefixes) == 1
