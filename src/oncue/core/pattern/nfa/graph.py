"""
The graph as it is run: numbered states, and what follows from a state and an event.

    (state, bits) ──remembered──▶ moves: take with step 3 to state 7, ignore in state 2, …

The outgoing edges of a state, and of all it proceeds to, are looked through once for each
set of bits that occurs; from then on a step of a partial match is one look-up. With twenty
conditions few sets occur, and what is remembered is bounded.

A repeated element that is greedy takes every event that it can: where it does, ways on with
the same past that had given it up are dropped. Among the ways of one state this is decided
here, among the branches of a start by `greedy_at`.

Each state belongs to an element of the pattern. Time spent in an element counts from when
it was *entered*: from the last event of the element before. An edge that was reached by
proceeding enters its element only now, so its time counts from the *last* event.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from oncue.core.pattern.nfa.compiler import build
from oncue.core.pattern.nfa.elements import Element
from oncue.core.pattern.nfa.signals import mask_of
from oncue.core.pattern.nfa.states import Action, Clock, Edge, Since, Sort, State

FINAL: Final = 0
NOTHING: Final = -1
"""The step of a move that takes no event."""

UNGREEDY: Final = 2**31
"""The position of a greedy element where there is none: after all others."""

_MAX_REMEMBERED: Final = 4_096


class Move(NamedTuple):
    """
    One way on: `step` takes the event, or `NOTHING` does.

    `is_entering`: the element of the edge is entered only now. `is_leaving`: the element is
    done, and the next one is entered at the event.
    """

    step: int
    target: int
    is_entering: bool
    is_leaving: bool


class Outcome(NamedTuple):
    """
    What an event makes of a partial match; `is_stopped`: it is over, but for completions.

    `greedy_at` is the position of the greedy element that takes the event, if one does.
    """

    moves: tuple[Move, ...]
    is_stopped: bool
    greedy_at: int


class Timer(NamedTuple):
    """A way on when `after_ms` have passed since an instant of the partial match."""

    since: Since
    after_ms: int
    target: int
    is_leaving: bool


class Graph:
    """The automaton of some elements."""

    def __init__(
        self, elements: Sequence[Element], within_ms: int | None, *, is_eager: bool = False
    ) -> None:
        self.elements = tuple(elements)
        self.within_ms = within_ms
        self._is_eager = is_eager
        first, entries = build(self.elements, within_ms, is_eager=is_eager)
        self._states = list(_reachable(first))
        self._numbers = {state: number for number, state in enumerate(self._states, 1)}
        self._remembered: list[dict[int, Outcome]] = [{} for _ in range(len(self._states) + 1)]
        self.start = self.number_of(first)
        self.entries_again = {
            position: self.number_of(state)
            for position, state in entries.items()
            if self.elements[position].is_again
        }
        """The states to wait in anew once their element was passed, by its position."""
        self.positions = [len(self.elements), *(state.position for state in self._states)]
        self.timers = [(), *(tuple(self._timers(state)) for state in self._states)]
        self.is_accepting = [True, *(self._is_accepting(state) for state in self._states)]
        self.is_held = [False, *(self._is_held(state) for state in self._states)]
        self.bounds = [None, *(self._bound(state) for state in self._states)]
        """When no element can take an event any more: by (since, within) of each that could."""
        self.is_untimed = [
            not timers and bounds is None
            for timers, bounds in zip(self.timers, self.bounds, strict=True)
        ]
        """Whether nothing but the time of the whole pattern ends a state."""
        self.limits = [(), *(tuple(self._limits(state)) for state in self._states)]
        """Which steps (a set of bits) can take events only for so long, and since when."""
        self.wanted = [(), *(tuple(self._wanted(state)) for state in self._states)]
        """The numbers of the steps that may come next."""
        self.bans = mask_of(set(_numbers(self.elements, is_forbidden=True)))

    def number_of(self, state: State) -> int:
        """Return the number of a state; all final ones are one."""
        return FINAL if state.sort is Sort.FINAL else self._numbers[state]

    def outcome(self, state: int, bits: int) -> Outcome:
        """Return what an event makes of a partial match in a state."""
        found = self._remembered[state].get(bits)
        return self._resolve(state, bits) if found is None else found

    def may_start(self, bits: int) -> bool:
        """Return whether an event may be the first of a match."""
        return any(move.step != NOTHING for move in self.outcome(self.start, bits).moves)

    def _resolve(self, state: int, bits: int) -> Outcome:
        origin = self._states[state - 1]
        ways = list(_edges(origin, bits))
        greedy_at = UNGREEDY if self._is_eager else self._greedy_at(ways)
        moves: list[Move] = []
        is_stopped = False
        for source, edge in ways:
            if edge.action is Action.PROCEED:
                is_stopped = True
            elif source.position <= greedy_at:
                moves += self._moves(origin, source, edge, bits)
        if is_stopped:
            moves = [move for move in moves if move.target == FINAL]
        outcome = Outcome(tuple(moves), is_stopped, greedy_at)
        remembered = self._remembered[state]
        if len(remembered) >= _MAX_REMEMBERED:
            remembered.clear()
        remembered[bits] = outcome
        return outcome

    def _greedy_at(self, ways: Sequence[tuple[State, Edge]]) -> int:
        return min(
            (
                source.position
                for source, edge in ways
                if edge.action is Action.TAKE
                and self.elements[source.position].is_greedy
                and self.elements[source.position].is_repeated
            ),
            default=UNGREEDY,
        )

    def _moves(self, origin: State, source: State, edge: Edge, bits: int) -> Iterator[Move]:
        is_entering = source.position != origin.position
        is_leaving = edge.target.position != source.position
        yield Move(edge.step, self.number_of(edge.target), is_entering, is_leaving)
        if self._is_eager and edge.action is Action.TAKE and _ends(edge.target, bits):
            yield Move(edge.step, FINAL, is_entering, is_leaving=True)

    def _timers(self, state: State) -> Iterator[Timer]:
        for source in _closure(state):
            for clock in source.clocks:
                yield Timer(
                    _since(clock, state, source),
                    clock.after_ms,
                    self.number_of(clock.target),
                    clock.target.position != source.position,
                )

    def _is_accepting(self, state: State) -> bool:
        if state.waits_for is not None and self._is_accepting(state.waits_for):
            return True
        return any(source.sort is Sort.FINAL for source in _closure(state))

    def _is_held(self, state: State) -> bool:
        """Whether it could end here, yet an element that wants all it can get may take more."""
        return self._is_accepting(state) and any(
            self.elements[source.position].is_greedy
            for source in _closure(state)
            if any(edge.action is Action.TAKE for edge in source.edges)
        )

    def _wanted(self, state: State) -> list[int]:
        edges = (edge for source in _closure(state) for edge in source.edges)
        return sorted({edge.step for edge in edges if edge.action is Action.TAKE})

    def _limits(self, state: State) -> Iterator[tuple[int, Since, int]]:
        for position in dict.fromkeys(source.position for source in _closure(state)):
            if position < len(self.elements):
                element = self.elements[position]
                if element.within_ms is not None and not element.is_forbidden:
                    mask = mask_of(set(_numbers([element], is_forbidden=False)))
                    since = Since.ENTERED if position == state.position else Since.LAST
                    yield mask, since, element.within_ms

    def _bound(self, state: State) -> tuple[tuple[Since, int], ...] | None:
        bounds: set[tuple[Since, int]] = set()
        for source in _closure(state):
            if source.clocks:
                return None
            if any(edge.action is Action.TAKE for edge in source.edges):
                element = self.elements[source.position]
                if element.within_ms is None:
                    return None
                since = Since.ENTERED if source.position == state.position else Since.LAST
                bounds.add((since, element.within_ms))
        return tuple(sorted(bounds, key=lambda bound: bound[1])) or None


def _numbers(elements: Sequence[Element], *, is_forbidden: bool) -> Iterator[int]:
    for element in elements:
        yield from _numbers(element.members, is_forbidden=is_forbidden)
        if element.is_forbidden is is_forbidden and not element.members:
            yield element.number


def _since(clock: Clock, state: State, source: State) -> Since:
    if clock.since is Since.START or source.position == state.position:
        return clock.since
    return Since.LAST


def _edges(origin: State, bits: int) -> Iterator[tuple[State, Edge]]:
    """Yield what takes or ignores an event, and the ways into a stop, in the order of Flink."""
    waiting = [origin]
    while waiting:
        source = waiting.pop()
        for edge in source.edges:
            if not edge.condition(bits):
                continue
            if edge.action is not Action.PROCEED or edge.target.sort is Sort.STOP:
                yield source, edge
            else:
                waiting.append(edge.target)


def _ends(state: State, bits: int) -> bool:
    """Return whether the event that led here may end the match as well."""
    waiting = [state]
    while waiting:
        for edge in waiting.pop().edges:
            if edge.action is Action.PROCEED and edge.condition(bits):
                if edge.target.sort is Sort.FINAL:
                    return True
                waiting.append(edge.target)
    return False


def _closure(state: State) -> Iterator[State]:
    """Yield a state and all that it may proceed to."""
    seen = {state}
    waiting = [state]
    while waiting:
        source = waiting.pop()
        yield source
        for edge in source.edges:
            target = edge.target
            is_way_on = edge.action is Action.PROCEED and target.sort is not Sort.STOP
            if is_way_on and target not in seen:
                seen.add(target)
                waiting.append(target)


def _reachable(first: State) -> Iterator[State]:
    seen = {first}
    waiting = [first]
    while waiting:
        source = waiting.pop(0)
        if source.sort is Sort.NORMAL:
            yield source
        targets = [edge.target for edge in source.edges]
        for target in [*targets, *(clock.target for clock in source.clocks)]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
