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

    The code of a predicate is made when it is first a candidate: most patterns of a type never
    are between two changes.
    """

    __slots__ = (
        *("__weakref__", "_asked", "_errors", "_grower", "_repeats", "_selections"),
        *("admitted", "places"),
    )

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.places = {slot: order for order, slot, *_ in candidates}
        """Numbers that order the slots."""
        self._errors: Counter[str] = Counter()
        self._selections = [selection for *_, selection in candidates]
        self._asked: list[tuple[Decides | None, Hit]] = [
            (None, (slot, bit)) for _, slot, bit, _ in candidates
        ]
        self._repeats = len(self.places) < len(candidates)
        entries = [Entry(n, selection.accesses) for n, selection in enumerate(self._selections)]
        self._grower = Grower(entries, self._decide)
        self.admitted: Admitted = self._grower.admitted
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
        asked = self._asked
        for number in numbers:
            decides, hit = asked[number]
            if decides is None:
                decides = self._selections[number].decides
                asked[number] = decides, hit
            try:
                if decides(event, values):
                    admitted.append(hit)
            except EvaluationError:
                self._errors[hit[0]] += 1
        return merged(admitted) if self._repeats else admitted

    def take_errors(self) -> Counter[str]:
        """Return the errors of `where` by slot since this was asked last."""
        taken, self._errors = self._errors, Counter()
        unmet = self._grower.unmet
        if any(unmet):
            for place, numbers in enumerate(self._grower.failing):
                for number in numbers:
                    taken[self._asked[number][1][0]] += unmet[place]
                unmet[place] = 0
        return +taken


def merged(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits in the same order with one for each slot."""
    bits: dict[str, int] = {}
    for slot, bit in hits:
        bits[slot] = bits.get(slot, 0) | bit
    return list(bits.items())
