"""
Bans: elements that end what is open when their event comes before the next element.

    a, not n, b?, c      n before b or c: over      n after b, before c: no matter

A repeating element may be done with its first event, so the ban after it holds from then on.

A ban is no state of its own. The states of the elements after it, up to the first one
that is needed, proceed to a stop; once one of them took its event, the ban is lifted.
"""

from collections.abc import Sequence
from dataclasses import replace

from oncue.core.pattern.nfa.elements import Contiguity, Element
from oncue.core.pattern.nfa.signals import has
from oncue.core.pattern.nfa.states import Action, Sort, State


class Bans:
    """The bans of some elements, and the stops that they lead to."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._elements = elements
        self._stops: dict[int, State] = {}

    def before(self, position: int) -> list[int]:
        """Return the numbers of those that hold while an element is waited for, nearest first."""
        numbers: list[int] = []
        for element in reversed(self._elements[:position]):
            if _is_lasting(element):
                numbers.append(element.number)
            elif not element.is_optional:
                break
        return numbers

    def add_stops(self, position: int, state: State) -> None:
        """Let a state of the element stop at what is banned before it."""
        for number in self.before(position):
            state.proceed(self.stop(number), has(number))

    def add_next_stop(self, position: int, state: State) -> None:
        """Let a repeating state stop at what is banned after it."""
        following = self._elements[position + 1 : position + 2]
        if following and _is_lasting(following[0]):
            number = following[0].number
            state.proceed(self.stop(number), has(number))

    def lift(self, position: int, sink: State) -> State:
        """Return `sink` as it is once an optional element took an event: earlier bans are over."""
        numbers = self.before(position)
        if not numbers or not self._elements[position].is_optional:
            return sink
        copy = State(sink.sort, sink.position, waits_for=sink.waits_for, clocks=list(sink.clocks))
        for edge in sink.edges:
            target = edge.target
            if edge.action is not Action.PROCEED:
                copy.edges.append(replace(edge, target=copy if target is sink else target))
            elif target.sort is not Sort.STOP:
                copy.edges.append(replace(edge, target=self.lift(position, target)))
            elif target.ban not in numbers:
                copy.edges.append(replace(edge))
        return copy

    def stop(self, number: int) -> State:
        """Return the stop of a ban."""
        if number not in self._stops:
            self._stops[number] = State(Sort.STOP, -1, ban=number)
        return self._stops[number]


def _is_lasting(element: Element) -> bool:
    return element.is_ban and element.contiguity is not Contiguity.STRICT
