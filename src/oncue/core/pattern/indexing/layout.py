"""
What a leaf of the index asks of an event, and in which order.

    entries ──▶ one probe for each path that is worth a look ──▶ buckets ──▶ the same again
            └─▶ the rest, which no question would make fewer

Each entry stands under one of its accesses. The next path to be asked is the one that saves
most: what the entries under it would cost to evaluate, by the share of events that they will
not be found for, less the look itself.

Invariant: an event that an entry's predicate admits finds it. It may be found more than once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from oncue.core.expression.conjuncts import Conjunct, Equals, StartsWith, Within
from oncue.core.pattern.indexing.access import Access, Path

# What a look costs, in evaluations of a predicate (bench/match_event.py).
_LOOK: Final = 0.2
# The share of events for which a range is taken to hold, by whether it has two ends.
_RANGE_SHARES: Final = {True: 0.35, False: 0.5}


@dataclass(frozen=True, slots=True)
class Entry:
    """A selector in a leaf: its number there, and by what it can still be found."""

    number: int
    accesses: tuple[Access, ...]

    def without(self, access: Access) -> "Entry":
        """Return it as it is below a probe that used one of its accesses."""
        return Entry(self.number, tuple(one for one in self.accesses if one is not access))


@dataclass(slots=True)
class Probe:
    """What is asked of one path: by each conjunct, which entries it finds."""

    path: Path
    found: list[tuple[Conjunct, Entry]] = field(default_factory=list)
    sees_elements: bool = False
    errors: set[tuple[type, int]] = field(default_factory=set)
    """Sort of conjunct and number of those entries whose `where` fails where it is not met."""

    def add(self, entry: Entry, access: Access) -> None:
        """Let it find an entry by those ways of an access that have this path."""
        below = entry.without(access)
        self.found += [(way, below) for way in access.ways if way.path == self.path]
        self.sees_elements |= access.sees_elements
        if access.is_error_elsewhere:
            self.errors |= {(way.__class__, entry.number) for way in access.ways}


def lay_out(entries: Sequence[Entry]) -> tuple[list[Probe], list[int]]:
    """Return the probes for `entries`, and the numbers of those that no probe finds."""
    shares = _Shares(entries)
    by_path: dict[Path, dict[int, tuple[float, Entry, Access]]] = defaultdict(dict)
    saved: dict[Path, float] = defaultdict(float)
    for entry in entries:
        for path, (share, access) in shares.best(entry).items():
            by_path[path][entry.number] = (share, entry, access)
            saved[path] += 1 - share
    probes: dict[Path, Probe] = {}
    open_entries = {entry.number: entry for entry in entries}
    while saved:
        path = max(saved, key=saved.__getitem__)
        if saved.pop(path) <= _LOOK:
            break
        probe = probes[path] = Probe(path)
        for _, entry, access in by_path[path].values():
            if open_entries.pop(entry.number, None):
                probe.add(entry, access)
                for other, (share, _) in shares.best(entry).items():
                    if other in saved:
                        saved[other] -= 1 - share
    rest = [number for number, entry in open_entries.items() if not _spread(entry, probes)]
    return list(probes.values()), rest


def _spread(entry: Entry, probes: dict[Path, Probe]) -> bool:
    """Put an entry under the paths of a `$or`, and return whether that can be done."""
    access = min(
        (access for access in entry.accesses if len(access.paths) > 1),
        key=lambda access: len(access.paths - probes.keys()),
        default=None,
    )
    if access is None:
        return False
    for path in access.paths:
        probes.setdefault(path, Probe(path)).add(entry, access)
    return True


class _Shares:
    """Guesses for which share of events an access finds its entry."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._asked_for: dict[tuple[type, Path], set[object]] = defaultdict(set)
        for entry in entries:
            for access in entry.accesses:
                for way in access.ways:
                    self._asked_for[way.__class__, way.path].update(_asked(way))
        self._best: dict[int, dict[Path, tuple[float, Access]]] = {}

    def best(self, entry: Entry) -> dict[Path, tuple[float, Access]]:
        """Return the best access of an entry for each path that has one all of its own."""
        known = self._best.get(entry.number)
        if known is None:
            known = self._best[entry.number] = {}
            for access in entry.accesses:
                (path, *others) = access.paths
                share = min(1.0, sum(map(self._share, access.ways)))
                if not others and share < known.get(path, (inf, access))[0]:
                    known[path] = share, access
        return known

    def _share(self, way: Conjunct) -> float:
        if isinstance(way, Within):
            return _RANGE_SHARES[way.least != -inf and way.most != inf]
        known = self._asked_for[way.__class__, way.path]
        return len(_asked(way)) / (len(known) + 1)


def _asked(way: Conjunct) -> Collection[object]:
    """Return the values that a conjunct is looked up by; a range has none."""
    if isinstance(way, Equals):
        return way.keys
    return (way.prefix,) if isinstance(way, StartsWith) else ()
