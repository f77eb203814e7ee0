"""
Which patterns can an event touch?

Found by its type, exactly or by glob, so that the cost of an event depends on
the patterns that can match it and not on those that there are.
"""

from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from oncue.core.globs import compile_glob

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
