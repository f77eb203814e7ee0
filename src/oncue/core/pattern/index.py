"""
Which patterns can an event touch?

Found by its type, exactly or by glob, so that the cost of an event depends on
the patterns that can match it and not on those that there are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from oncue.core.event import Event
from oncue.core.globs import compile_glob
from oncue.core.json_text import Json
from oncue.core.pattern.selection import Selection

T = TypeVar("T")

# Types come from outside without limit: what is remembered of them is bounded.
_MAX_REMEMBERED_TYPES: Final = 10_000


class TypeIndex(Generic[T]):
    """Finds those that watch a type among many that each watch some types and globs."""

    def __init__(self, watchers: Iterable[tuple[T, tuple[str, ...]]]) -> None:
        self._order: dict[T, int] = {}
        self._by_type: dict[str, list[T]] = {}
        self._by_glob: list[tuple[Callable[[str], bool], T]] = []
        self._found: dict[str, tuple[T, ...]] = {}
        for watcher, globs in watchers:
            self._order[watcher] = len(self._order)
            for glob in globs:
                if "*" in glob:
                    self._by_glob.append((compile_glob(glob), watcher))
                else:
                    self._by_type.setdefault(glob, []).append(watcher)

    def watching(self, event_type: str) -> tuple[T, ...]:
        """Return those that watch a type, in the order given."""
        found = self._found.get(event_type)
        return self._find(event_type) if found is None else found

    def _find(self, event_type: str) -> tuple[T, ...]:
        exact = self._by_type.get(event_type, [])
        globs = [watcher for is_match, watcher in self._by_glob if is_match(event_type)]
        found = tuple(sorted({*exact, *globs}, key=self._order.__getitem__))
        if len(self._found) >= _MAX_REMEMBERED_TYPES:
            self._found.clear()
        self._found[event_type] = found
        return found


class PatternIndex:
    """
    Finds the patterns that admit an event among many.

    A pattern is known by its slot, and has one or more selectors.
    """

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()
        """Evaluations of `where` that ended in an error, by slot."""
        self._selections: dict[str, tuple[Selection, ...]] = {}
        self._by_type: TypeIndex[str] = TypeIndex([])

    def put(self, slot: str, selections: Sequence[Selection]) -> None:
        """Let a slot have these selectors, in place of those it had."""
        self._selections[slot] = tuple(selections)
        self._build()

    def drop(self, slot: str) -> None:
        """Forget a slot."""
        if self._selections.pop(slot, None) is not None:
            self._build()

    @property
    def globs(self) -> tuple[str, ...]:
        """All types and globs that are watched, sorted."""
        return tuple(sorted({g for s in self._selections.values() for one in s for g in one.globs}))

    def watching(self, event_type: str) -> tuple[str, ...]:
        """Return the slots that watch a type, in the order in which they were first put."""
        return self._by_type.watching(event_type)

    def admitted(self, event: Event, values: Mapping[str, Json]) -> Sequence[tuple[str, int]]:
        """Return the slots that admit an event, in order, each with the bit set of its selectors."""
        found: list[tuple[str, int]] = []
        for slot in self.watching(event.type):
            bits = 0
            for number, selection in enumerate(self._selections[slot]):
                if any(compile_glob(glob)(event.type) for glob in selection.globs):
                    refusal = selection.refusal(event, values)
                    if refusal is None:
                        bits |= 1 << number
                    elif refusal.error:
                        self.errors[slot] += 1
            if bits:
                found.append((slot, bits))
        return found

    def _build(self) -> None:
        self._by_type = TypeIndex(
            (slot, tuple(glob for one in selections for glob in one.globs))
            for slot, selections in self._selections.items()
        )
