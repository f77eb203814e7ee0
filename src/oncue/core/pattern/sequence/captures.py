"""
What a condition may know of earlier steps, and nothing more of it is kept.

    where: event.data.total > a.data.min     reads ("a", "data", "min")
    kept of an event taken by `a`:           {"data": {"min": …}}

A step that takes one event is that event, or null where it took none; one that repeats is
the list of its events.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from oncue.core.json_text import Json
from oncue.core.pattern.nfa.partial import Taken, events_of

Tree: TypeAlias = Mapping[str, "Tree"] | None
"""Which members of an object are kept; None keeps it whole."""


@dataclass(frozen=True, slots=True)
class Captures:
    """The steps that conditions read: by number, their names and what of them is kept."""

    names: Mapping[int, str]
    lists: frozenset[int]
    kept: Mapping[int, Tree]

    def views(self, view: Json, bits: int) -> dict[int, Json]:
        """Return what is kept of an event by each of the steps that it satisfies."""
        return {
            number: pick(view, tree) for number, tree in self.kept.items() if bits >> number & 1
        }

    def values(self, event: Json, taken: Taken | None) -> dict[str, Json]:
        """Return what conditions read: the event, and the steps taken before."""
        values: dict[str, Json] = {"event": event}
        lists: dict[str, list[Json]] = {}
        for number in self.kept:
            name = self.names[number]
            if number in self.lists:
                values[name] = lists[name] = []
            else:
                values[name] = None
        for each in events_of(taken):
            if each.step in self.lists and each.step in self.kept:
                lists[self.names[each.step]].append(each.view)
            elif each.step in self.kept:
                values[self.names[each.step]] = each.view
        return values


def compile_captures(
    names: Mapping[int, str], lists: Iterable[int], reads: Iterable[Sequence[str]]
) -> Captures:
    """Return what is kept so that all of `reads` can be answered."""
    paths: dict[str, list[Sequence[str]]] = {}
    for root, *path in reads:
        paths.setdefault(root, []).append(path)
    kept = {number: _tree(paths[name]) for number, name in names.items() if name in paths}
    return Captures(names, frozenset(lists), kept)


def pick(value: Json, tree: Tree) -> Json:
    """
    Return the members that `tree` names.

    >>> pick({"data": {"a": 1, "b": 2}, "id": "x"}, {"data": {"a": None}})
    {'data': {'a': 1}}
    """
    if tree is None or not isinstance(value, Mapping):
        return value
    return {name: pick(value[name], inner) for name, inner in tree.items() if name in value}


def _tree(paths: Sequence[Sequence[str]]) -> Tree:
    if any(not path for path in paths):
        return None
    inner: dict[str, list[Sequence[str]]] = {}
    for name, *rest in paths:
        inner.setdefault(name, []).append(rest)
    return {name: _tree(rests) for name, rests in inner.items()}
