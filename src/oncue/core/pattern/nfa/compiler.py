"""
From elements to a graph of states, from the last element to the first.

The construction follows the facts of Flink CEP 2.3 (NFACompiler), so that the
combinations and their order are the same:

    element          states
    one event        ●──take──▶ sink            (relaxed: ignores what it cannot take)
    optional         ●──take──▶ sink   ●──proceed──▶ sink   ●──ignore──▶ ○──take──▶ sink
    {min,max}        a chain of the above; the links past `min` may proceed
    {min,}           a chain, then ◉──take──▶ ◉   ◉──proceed──▶ sink   ◉──ignore──▶ ○
    ban (`not`)      no state: the states after it proceed to a stop
    ban, strict      ●──proceed──▶ sink or stop
    wait             ●──ignore──▶ ●, stops at its event, and a clock leads to the sink

`○` is a state that only waits on: without it each ignored event would open one more
branch. With combinations a greedy element is made so by what follows it, as in Flink: the
edges of its sink never take what it could have taken. Else the graph knows no greed, and
what is run prefers the greedy branch, see `graph`.
"""

from collections.abc import Sequence
from dataclasses import replace

from oncue.core.pattern.nfa.bans import Bans
from oncue.core.pattern.nfa.elements import Contiguity, Element, Need
from oncue.core.pattern.nfa.groups import all_members, any_member
from oncue.core.pattern.nfa.signals import Condition, always, both, has, negated
from oncue.core.pattern.nfa.states import Action, Clock, Edge, Since, Sort, State


def build(
    elements: Sequence[Element], within_ms: int | None, *, is_eager: bool
) -> tuple[State, dict[int, State]]:
    """
    Return the first state of the graph of `elements`, and that of each by its position.

    `is_eager` is for combinations: a match completes as soon as it can, and what is greedy or
    banned at the end is as in Flink.
    """
    return _Builder(elements, within_ms, is_eager=is_eager).build()


class _Builder:
    def __init__(
        self, elements: Sequence[Element], within_ms: int | None, *, is_eager: bool
    ) -> None:
        self._elements = (
            elements if is_eager else [replace(each, is_greedy=False) for each in elements]
        )
        self._within_ms = within_ms
        self._is_eager = is_eager
        self._bans = Bans(elements)
        self._before_greedy: dict[State, State] = {}

    def build(self) -> tuple[State, dict[int, State]]:
        sink = State(Sort.FINAL, len(self._elements))
        entries: dict[int, State] = {}
        for position in range(len(self._elements) - 1, -1, -1):
            sink = entries[position] = self._before(position, sink)
        return sink, entries

    def _before(self, position: int, sink: State) -> State:
        element = self._elements[position]
        if element.is_ban:
            if element.contiguity is Contiguity.STRICT:
                return self._strict_ban(position, sink)
            if sink.sort is Sort.FINAL and self._within_ms is not None:
                return self._wait(position, Clock(Since.START, self._within_ms, sink))
            # It ends what the states before it and after it keep open.
            return sink
        state = self._convert(position, element, sink)
        if not element.members:
            self._bans.add_stops(position, state)
            self._stop_waiting(position, state)
        return state

    def _convert(self, position: int, element: Element, sink: State) -> State:
        if element.is_wait:
            assert element.within_ms is not None
            return self._wait(position, Clock(Since.ENTERED, element.within_ms, sink))
        if element.need is Need.ALL:
            return all_members(
                position, element, sink, self._bans.stop, self._bans.before(position)
            )
        if element.need is Need.ANY:
            return any_member(position, element, sink, self._bans.stop, self._bans.before(position))
        if element.is_loop:
            looping = self._loop(position, element, self._bans.lift(position, sink))
            return self._times(position, element, looping, sink)
        if element.is_repeated:
            return self._times(position, element, sink, sink)
        ignore = _ignored(element.contiguity, element)
        return self._single(
            position, sink, sink, (has(element.number), ignore), is_optional=element.is_optional
        )

    def _strict_ban(self, position: int, sink: State) -> State:
        number = self._elements[position].number
        state = State(Sort.NORMAL, position)
        if sink.sort is Sort.FINAL:
            state.ignore(sink, negated(has(number)))
            if self._within_ms is not None and not self._is_eager:
                state.clocks.append(Clock(Since.START, self._within_ms, sink))
        else:
            state.proceed(sink, negated(has(number)))
            state.clocks += sink.clocks
        state.proceed(self._bans.stop(number), has(number))
        return state

    def _wait(self, position: int, clock: Clock) -> State:
        number = self._elements[position].number
        state = State(Sort.NORMAL, position)
        state.proceed(self._bans.stop(number), has(number))
        state.ignore(state, negated(has(number)))
        state.clocks.append(clock)
        if clock.since is Since.START:
            self._bans.add_stops(position, state)
        return state

    def _loop(self, position: int, element: Element, sink: State) -> State:
        plain = has(element.number)
        take, ignore = _conditions(element)
        state = State(Sort.NORMAL, position)
        if element.is_greedy:
            self._proceed_greedily(state, sink, element)
            sink.yield_to(plain)
        else:
            state.proceed(sink, always)
        state.take(state, take, element.number)
        self._bans.add_next_stop(position, state)
        if ignore is not None:
            waiting = State(Sort.NORMAL, position, waits_for=state)
            waiting.take(state, take, element.number)
            waiting.ignore(waiting, ignore)
            state.ignore(waiting, ignore)
            self._bans.add_next_stop(position, waiting)
        return state

    def _proceed_greedily(self, state: State, sink: State, element: Element) -> None:
        if element.until is None:
            state.proceed(sink, always)
            return
        ends = has(element.until)
        # The event that ends the loop is not its own any more: what follows may take it.
        untouched = self._before_greedy.setdefault(sink, _copied(sink))
        state.proceed(untouched, ends)
        state.proceed(sink, negated(ends))

    def _times(self, position: int, element: Element, last: State, sink: State) -> State:
        take, inner_ignore = _conditions(element)
        most = element.least if element.most is None else element.most
        if element.is_greedy and most != element.least:
            if element.until is not None:
                self._before_greedy.setdefault(sink, _copied(sink))
            sink.yield_to(take)
        for _ in range(element.least, most):
            last = self._single(position, last, sink, (take, inner_ignore), is_optional=True)
            self._stop_between(position, last)
        for _ in range(element.least - 1):
            last = self._single(position, last, sink, (take, inner_ignore), is_optional=False)
            self._stop_between(position, last)
        ignore = _ignored(element.contiguity, element)
        return self._single(position, last, sink, (take, ignore), is_optional=element.is_optional)

    def _single(
        self,
        position: int,
        sink: State,
        beyond: State,
        conditions: tuple[Condition, Condition | None],
        *,
        is_optional: bool,
    ) -> State:
        """Return a state that takes one event to `sink`, or proceeds `beyond`."""
        element = self._elements[position]
        take, ignore = conditions
        state = State(Sort.NORMAL, position)
        free = self._bans.lift(position, sink)
        state.take(free, take, element.number)
        if is_optional:
            if element.is_greedy and element.until is not None:
                self._proceed_greedily(state, beyond, element)
            else:
                state.proceed(beyond, always)
        if ignore is not None:
            waiting = state
            if is_optional:
                waiting = State(Sort.NORMAL, position, waits_for=state)
                waiting.take(free, take, element.number)
                waiting.ignore(waiting, ignore)
            state.ignore(waiting, ignore)
        return state

    def _stop_between(self, position: int, state: State) -> None:
        """Let what is between two repetitions stop at the ban after their element."""
        self._bans.add_next_stop(position, state)
        if self._is_eager:
            # In Flink what waits on stops at the bans before the element instead.
            self._stop_waiting(position, state)
            return
        for edge in state.edges:
            if edge.action is Action.IGNORE and edge.target.waits_for is state:
                self._bans.add_next_stop(position, edge.target)

    def _stop_waiting(self, position: int, state: State) -> None:
        """Let what waits on for the first event of an element stop at the bans before it."""
        for edge in state.edges:
            if edge.action is Action.IGNORE and edge.target.waits_for is state:
                self._bans.add_stops(position, edge.target)


def _conditions(element: Element) -> tuple[Condition, Condition | None]:
    """Return when a repetition is taken and when an event between two is passed over."""
    take, ignore = has(element.number), _ignored(element.inner, element)
    if element.until is None:
        return take, ignore
    goes_on = negated(has(element.until))
    return both(goes_on, take), ignore and both(goes_on, ignore)


def _ignored(contiguity: Contiguity, element: Element) -> Condition | None:
    if contiguity is Contiguity.STRICT:
        return None
    return always if contiguity is Contiguity.ANY else negated(has(element.number))


def _copied(state: State) -> State:
    copy = State(state.sort, state.position, state.ban, clocks=list(state.clocks))
    copy.edges = [
        Edge(
            edge.action,
            copy if edge.target is state else edge.target,
            edge.condition,
            edge.step,
        )
        for edge in state.edges
    ]
    return copy
