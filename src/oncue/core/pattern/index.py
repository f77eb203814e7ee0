"""
Which patterns can an event touch, and which of them admit it?

        type ──▶ route ──▶ leaves ──▶ probes ──▶ candidates ──▶ predicates ──▶ slots

A pattern is known by its slot, and has one or more selectors. Those that watch a type by its
name share a leaf, and those that watch it by globs share one with all types that the same
globs fit. `indexing` says how a leaf finds candidates: the cost of an event depends on the
patterns that it may touch, not on those that there are.

A leaf is never changed. When a slot is put or dropped, the routes of the types that it
watches are let go, and found again when such an event comes; only leaves that would hold
other selectors than before are made anew.

Invariant: what is found is what evaluating every selector would find. Errors of `where` are
counted where it was evaluated, and where the field by which it is found is missing or of
another kind; there `&&` is taken to fail, though its other side may be false.

Rejected: one structure for all types (most patterns name theirs, so a change would rebuild
what it does not concern), and tables that a loop walks through instead of generated code.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.indexing.leaf import Candidate
from oncue.core.pattern.indexing.routes import Routes
from oncue.core.pattern.selection import Selection

# So many selectors a slot may have.
_MAX_SELECTORS: Final = 2**20


class PatternIndex:
    """Finds the patterns that admit an event among many."""

    def __init__(self) -> None:
        self._slots: dict[str, tuple[Candidate, ...]] = {}
        self._places: dict[str, int] = {}
        self._next_place = 0
        self._routes = Routes()
        self._known = self._routes.known
        self._errors: Counter[str] = Counter()

    def put(self, slot: str, selections: Sequence[Selection]) -> None:
        """Let a slot have these selectors, in place of those it had."""
        self._forget(slot)
        if slot not in self._places:
            self._places[slot] = self._next_place
            self._next_place += 1
        first = self._places[slot] * _MAX_SELECTORS
        candidates = tuple(
            (first + number, slot, 1 << number, selection)
            for number, selection in enumerate(selections)
        )
        self._slots[slot] = candidates
        for candidate in candidates:
            for glob in candidate[-1].globs:
                self._routes.watch(glob, candidate)
        self._let_go(candidates)

    def drop(self, slot: str) -> None:
        """Forget a slot."""
        self._forget(slot)
        self._places.pop(slot, None)
        del self._errors[slot]

    @property
    def globs(self) -> tuple[str, ...]:
        """All types and globs that are watched, sorted."""
        return self._routes.globs

    @property
    def errors(self) -> Counter[str]:
        """How often `where` ended in an error, by slot."""
        for leaf in self._routes.leaves:
            self._errors.update(leaf.take_errors())
        return self._errors

    def watching(self, event_type: str) -> tuple[str, ...]:
        """Return the slots that watch a type, in the order in which they were first put."""
        exact, by_glob = self._routes.watching(event_type)
        ordered = sorted([*exact.values(), *by_glob.values()])
        return tuple(dict.fromkeys(slot for _, slot, *_ in ordered))

    def admitted(
        self, event: Event, values: Mapping[str, Json] | None = None
    ) -> Sequence[tuple[str, int]]:
        """
        Return the slots that admit an event, in order, each with the bit set of its selectors.

        Without `values`, what expressions read is made when it is needed.
        """
        admitted = self._known.get(event.type) or self._routes.find(event.type)
        return admitted(event, values)

    def _forget(self, slot: str) -> None:
        candidates = self._slots.pop(slot, ())
        self._let_go(candidates)
        for candidate in candidates:
            for glob in dict.fromkeys(candidate[-1].globs):
                self._routes.unwatch(glob, candidate)

    def _let_go(self, candidates: Iterable[Candidate]) -> None:
        # What leaves have counted is taken as long as they are there.
        self._errors = self.errors
        self._routes.let_go(glob for *_, selection in candidates for glob in selection.globs)
