"""The automaton finds what an enumeration over the whole history finds."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Hit
from tests.core.pattern.sequence.driving import compiled, drive
from tests.core.pattern.sequence.enumeration import (
    Happening,
    History,
    Path,
    Rule,
    combinations,
    one_per_start,
)
from tests.make import make_event

LETTERS = "abc"
BAN = "n"
CONTIGUITY = st.sampled_from(["strict", "relaxed", "any"])
SETS = st.sampled_from(["a", "b", "c", "ab", "bc", "abc"])
SINGLES = st.builds(Rule, SETS, CONTIGUITY)
BANS = st.builds(Rule, st.just(BAN), st.just("relaxed"), is_ban=st.just(True))


@st.composite
def repeats(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> Rule:
    least = draw(st.integers(1, 2))
    most = least + draw(st.integers(0, 2))
    return Rule(
        draw(SETS), draw(CONTIGUITY), least, most, draw(inner), is_optional=draw(st.booleans())
    )


@st.composite
def rules(draw: st.DrawFn, middles: st.SearchStrategy[Rule]) -> list[Rule]:
    """A first step, some between, and a last one that ends at once."""
    found = [draw(SINGLES)]
    for rule in draw(st.lists(middles, max_size=3)):
        if rule.is_ban and (found[-1].is_ban or found[-1].is_optional):
            continue
        found.append(rule)
    return [*found, draw(SINGLES)]


@st.composite
def happenings(draw: st.DrawFn) -> list[Happening]:
    """Events in the order of time, some at the same instant, some after a gap."""
    letters = draw(st.text(LETTERS + BAN, max_size=9))
    steps = draw(st.lists(st.sampled_from([0, 0, 1, 1, 2, 9]), min_size=9, max_size=9))
    times = [sum(steps[: place + 1]) for place in range(len(letters))]
    return [Happening(letter, at) for letter, at in zip(letters, times, strict=True)]


ALL_RULES = rules(st.one_of(SINGLES, BANS, repeats(CONTIGUITY)))
PLAIN_RULES = rules(st.one_of(SINGLES, BANS, repeats(st.sampled_from(["strict", "relaxed"]))))
WITHIN_MS = st.sampled_from([4, 12, 100])


def document_of(
    steps: Sequence[Rule], within_ms: int, *, is_greedy: bool, **changes: Json
) -> dict[str, Json]:
    return {
        "type": "sequence",
        "steps": [step_of(place, step, is_greedy=is_greedy) for place, step in enumerate(steps)],
        "within": f"{within_ms}ms",
        "scope": "all",
        **changes,
    }


def step_of(place: int, rule: Rule, *, is_greedy: bool) -> dict[str, Json]:
    step: dict[str, Json] = {
        "as": f"s{place}",
        "event": list(rule.letters),
        "contiguity": rule.contiguity,
    }
    if rule.is_ban:
        return {**step, "not": True}
    if rule.most > 1:
        step["times"] = {"min": rule.least, "max": rule.most, "contiguity": rule.inner}
        step["greedy"] = is_greedy
    return {**step, "optional": rule.is_optional}


def hits_of(document: dict[str, Json], events: Sequence[Happening]) -> list[Hit]:
    sequence = compiled(document)
    return list(
        drive(
            sequence.operator(),
            sequence,
            [
                make_event(offset=place, type=each.letter, time_ms=each.time_ms, subject="")
                for place, each in enumerate(events)
            ],
        )
    )


def paths_of(hits: Sequence[Hit]) -> list[Path]:
    return [
        tuple(sorted((int(name[1:]), at) for name, offsets in hit.bindings for at in offsets))
        for hit in hits
    ]


def is_plain(steps: list[Rule]) -> bool:
    """No ban stands beside repetitions: Flink has it hold between them, but not always."""
    return not any(
        (one.is_ban and other.most > 1) or (one.most > 1 and other.is_ban)
        for one, other in pairwise(steps)
    )


@settings(max_examples=150)
@given(ALL_RULES.filter(is_plain), happenings(), WITHIN_MS)
def test_every_combination_is_found(
    steps: list[Rule], events: list[Happening], within_ms: int
) -> None:
    document = document_of(steps, within_ms, is_greedy=False, emit_all=True, after_match="no_skip")
    history = History(steps, events, within_ms, is_greedy=False)

    assert sorted(paths_of(hits_of(document, events))) == combinations(history)


@pytest.mark.parametrize("after_match", ["no_skip", "skip_to_next", "skip_past_last"])
@pytest.mark.parametrize("overlap", ["first", "each", "last"])
@settings(max_examples=50)
@given(PLAIN_RULES, happenings(), WITHIN_MS, st.booleans())
def test_each_start_has_its_one_match(
    overlap: str,
    after_match: str,
    steps: list[Rule],
    events: list[Happening],
    within_ms: int,
    is_greedy: bool,  # noqa: FBT001 hypothesis gives it
) -> None:
    document = document_of(
        steps, within_ms, is_greedy=is_greedy, overlap=overlap, after_match=after_match
    )
    history = History(steps, events, within_ms, is_greedy=is_greedy)

    assert paths_of(hits_of(document, events)) == one_per_start(history, overlap, after_match)
