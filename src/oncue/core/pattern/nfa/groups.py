"""
Groups: all members in any order, or one of them.

    all: [a, b]      ∅ ──a──▶ {a} ──b──▶ sink        the states are the sets of members
                     ∅ ──b──▶ {b} ──a──▶ sink        that are there already
    any: [a, wait b] ∅ ──a──▶ sink                   the states are the sets of waits
                     ∅ ──clock of b──▶ sink          that can no longer be met
                     ∅ ──event b──▶ {b} ──a──▶ sink

The clocks of a group run from when it was entered. An event serves one member; where it
fits several, each is tried.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from oncue.core.pattern.nfa.elements import Contiguity, Element
from oncue.core.pattern.nfa.signals import (
    Condition,
    always,
    has,
    has_any,
    mask_of,
    negated,
)
from oncue.core.pattern.nfa.states import Clock, Since, Sort, State

Stop = Callable[[int], State]


def all_members(
    position: int, group: Element, sink: State, stop: Stop, bans: Sequence[int]
) -> State:
    """Return the first state of a group all of whose members are needed."""
    members = {member.number: member for member in group.members}
    needed = frozenset(number for number, member in members.items() if not member.is_ban)
    states: dict[frozenset[int], State] = {}

    def state_of(there: frozenset[int]) -> State:
        if there == needed:
            return sink
        if there in states:
            return states[there]
        state = states[there] = State(Sort.NORMAL, position)
        missing = [members[number] for number in sorted(needed - there)]
        forbidden = {
            *bans,
            *(number for number, member in members.items() if member.is_ban),
            *(member.number for member in missing if member.is_wait),
        }
        for number in sorted(forbidden):
            state.proceed(stop(number), has(number))
        for member in missing:
            after = state_of(there | {member.number})
            if member.within_ms is not None and member.is_forbidden:
                state.clocks.append(Clock(Since.ENTERED, member.within_ms, after))
            else:
                state.take(after, has(member.number), member.number)
        _pass_over(state, group.contiguity, (m.number for m in missing if not m.is_wait))
        return state

    return state_of(frozenset())


def any_member(
    position: int, group: Element, sink: State, stop: Stop, bans: Sequence[int]
) -> State:
    """Return the first state of a group one of whose members is needed."""
    events = [member.number for member in group.members if not member.is_forbidden]
    waits = {member.number: member for member in group.members if member.is_wait}
    states: dict[frozenset[int], State] = {}

    def state_of(missed: frozenset[int]) -> State:
        if missed in states:
            return states[missed]
        state = states[missed] = State(Sort.NORMAL, position)
        for number in bans:
            state.proceed(stop(number), has(number))
        for number in events:
            state.take(sink, has(number), number)
        open_waits = sorted(waits.keys() - missed)
        for number in open_waits:
            within_ms = waits[number].within_ms
            assert within_ms is not None
            state.clocks.append(Clock(Since.ENTERED, within_ms, sink))
        for hit in _subsets(open_waits):
            only_these = _exactly(hit, [*events, *open_waits])
            is_left = bool(events) or len(missed) + len(hit) < len(waits)
            if is_left and group.contiguity is not Contiguity.STRICT:
                state.ignore(state_of(missed | hit), only_these)
            else:
                state.proceed(stop(min(hit)), only_these)
        _pass_over(state, group.contiguity, [*events, *open_waits])
        return state

    return state_of(frozenset())


def _subsets(numbers: Sequence[int]) -> Iterable[frozenset[int]]:
    for size in range(1, len(numbers) + 1):
        yield from map(frozenset, combinations(numbers, size))


def _exactly(hit: frozenset[int], among: Sequence[int]) -> Condition:
    mask, wanted = mask_of(set(among)), mask_of(hit)
    return lambda bits: bits & mask == wanted


def _pass_over(state: State, contiguity: Contiguity, wanted: Iterable[int]) -> None:
    if contiguity is Contiguity.STRICT:
        return
    condition: Condition = always
    if contiguity is Contiguity.RELAXED:
        condition = negated(has_any(mask_of(set(wanted))))
    state.ignore(state, condition)
