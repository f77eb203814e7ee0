"""
Where events of a type go: to a leaf of those that name it, and one of those whose globs fit.

Two leaves, so that a change of a glob over everything touches one leaf and not that of each
type. Types come from outside without limit: what is remembered of them is bounded, but for
those that some pattern names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.own_events import compile_watched
from oncue.core.pattern.indexing.leaf import Candidate, Leaf, merged
from oncue.core.pattern.indexing.probing import Admitted, Hit

_MAX_REMEMBERED_TYPES: Final = 10_000

_Watchers: TypeAlias = dict[int, Candidate]


class Routes:
    """Routes by type, found when they are first asked for."""

    def __init__(self) -> None:
        self.known: dict[str, Admitted] = {}
        """By type, what gives the slots that admit an event."""
        self._exact: dict[str, _Watchers] = {}
        self._by_glob: dict[str, _Watchers] = {}
        self._fits: dict[str, Callable[[str], bool]] = {}
        self._leaves: WeakValueDictionary[tuple[tuple[int, int], ...], Leaf] = WeakValueDictionary()

    @property
    def globs(self) -> tuple[str, ...]:
        """All types and globs that are watched, sorted."""
        return tuple(sorted([*self._exact, *self._by_glob]))

    @property
    def leaves(self) -> Iterable[Leaf]:
        """All leaves that some route goes to."""
        return self._leaves.values()

    def watching(self, event_type: str) -> tuple[_Watchers, _Watchers]:
        """Return the selectors that name a type, and the others whose globs fit it."""
        exact = self._exact.get(event_type, {})
        by_glob: _Watchers = {}
        for glob, watchers in self._by_glob.items():
            if self._fits[glob](event_type):
                by_glob |= watchers
        for order in exact.keys() & by_glob.keys():
            del by_glob[order]
        return exact, by_glob

    def find(self, event_type: str) -> Admitted:
        """Return where events of a type go, and remember it."""
        if len(self.known) >= _MAX_REMEMBERED_TYPES + len(self._exact):
            for unnamed in self.known.keys() - self._exact.keys():
                del self.known[unnamed]
        leaves = [self._leaf(watchers) for watchers in self.watching(event_type) if watchers]
        route = self.known[event_type] = leaves[0].admitted if len(leaves) == 1 else _all_of(leaves)
        return route

    def watch(self, glob: str, candidate: Candidate) -> None:
        """Let events of a type or glob go to a selector, too."""
        if "*" in glob and glob not in self._fits:
            self._fits[glob] = compile_watched(glob)
        self._named(glob).setdefault(glob, {})[candidate[0]] = candidate

    def unwatch(self, glob: str, candidate: Candidate) -> None:
        """Let events of a type or glob no longer go to a selector."""
        named = self._named(glob)
        named[glob].pop(candidate[0], None)
        if not named[glob]:
            del named[glob]
            self._fits.pop(glob, None)

    def let_go(self, globs: Iterable[str]) -> None:
        """Forget the routes of all types that some of the globs fit."""
        names = set(globs)
        fits = [self._fits[glob] for glob in names if "*" in glob]
        for known in list(self.known) if fits else names & self.known.keys():
            if known in names or any(fit(known) for fit in fits):
                del self.known[known]

    def _named(self, glob: str) -> dict[str, _Watchers]:
        return self._by_glob if "*" in glob else self._exact

    def _leaf(self, watchers: _Watchers) -> Leaf:
        candidates = sorted(watchers.values())
        # A leaf keeps its selections alive, so that none of their ids is given to another.
        known = tuple((order, id(selection)) for order, _, _, selection in candidates)
        leaf = self._leaves.get(known)
        if leaf is None:
            leaf = self._leaves[known] = Leaf(candidates)
        return leaf


def _all_of(leaves: Sequence[Leaf]) -> Admitted:
    places = {slot: place for leaf in leaves for slot, place in leaf.places.items()}

    def admitted(event: Event, values: Mapping[str, Json] | None) -> Sequence[Hit]:
        found = [hit for leaf in leaves for hit in leaf.admitted(event, values)]
        return merged(sorted(found, key=lambda hit: places[hit[0]])) if found else ()

    return admitted
