"""A leaf of the index: the selectors that watch the same types."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.indexing.layout import Entry
from oncue.core.pattern.indexing.probing import Admitted, Grower, Hit
from oncue.core.pattern.predicate import Decides
from oncue.core.pattern.seen import Seen
from oncue.core.pattern.selection import Selection

Candidate: TypeAlias = tuple[int, str, int, Selection]
"""The order of a selector among all, its slot, its bit among those of the slot, and itself."""


class Leaf:
    """
    Some selectors, in order.

    Its code is made when the first event comes, and that of a predicate when it is first a
    candidate: most patterns of a type never are between two changes.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.errors: Counter[str] = Counter()
        self._hits: list[Hit] = [(slot, bit) for _, slot, bit, _ in candidates]
        self._selections = [selection for *_, selection in candidates]
        self._deciders: list[Decides] = [self._first(n) for n in range(len(candidates))]
        self._repeats = len({slot for slot, _ in self._hits}) < len(candidates)
        self._grower: Grower | None = None
        self.admitted: Admitted = self._grow
        """Gives the slots that admit an event, in order."""

    def _decide(
        self, event: Event, values: Mapping[str, Json] | None, numbers: list[int]
    ) -> Sequence[Hit]:
        if len(numbers) > 1:
            # Elements of arrays and the ways of a `$or` find one twice.
            numbers = sorted(set(numbers))
        if values is None:
            values = Seen(event)
        admitted: list[Hit] = []
        deciders = self._deciders
        for number in numbers:
            try:
                if deciders[number](event, values):
                    admitted.append(self._hits[number])
            except EvaluationError:
                self.errors[self._hits[number][0]] += 1
        return merged(admitted) if self._repeats else admitted

    def take_errors(self) -> Counter[str]:
        """Return the errors of `where` by slot since this was asked last."""
        taken, self.errors = self.errors, Counter()
        if self._grower:
            unmet = self._grower.unmet
            for place, numbers in enumerate(self._grower.failing):
                if unmet[place]:
                    for number in numbers:
                        taken[self._hits[number][0]] += unmet[place]
                    unmet[place] = 0
        return taken

    def _grow(self, event: Event, values: Mapping[str, Json] | None) -> Sequence[Hit]:
        entries = [Entry(n, selection.accesses) for n, selection in enumerate(self._selections)]
        self._grower = Grower(entries, self._decide)
        self.admitted = self._grower.admitted
        return self.admitted(event, values)

    def _first(self, number: int) -> Decides:
        def decides(event: Event, values: Mapping[str, Json]) -> bool:
            made = self._deciders[number] = self._selections[number].decides
            return made(event, values)

        return decides


def merged(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits in the same order with one for each slot."""
    bits: dict[str, int] = {}
    for slot, bit in hits:
        bits[slot] = bits.get(slot, 0) | bit
    return list(bits.items())
