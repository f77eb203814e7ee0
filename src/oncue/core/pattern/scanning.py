"""
What patterns cost that an index cannot tell apart, and how much of it an account may have.

A predicate with no equality, `in`, prefix or range is asked about every event of its types.
It is counted in the units of `expression.budget`: a comparison or a node of an expression is
one. What is spent on one event is bounded; at the bound, an event takes about 100 µs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import Problem
from oncue.core.expression.tree import Comprehension, Invoke, Node, children
from oncue.core.globs import compile_glob
from oncue.core.pattern.selection import Selection

MAX_SCAN_UNITS: Final = 2_000
"""For one event, over all patterns of an account."""
# How many members a list is taken to have, and how much a regular expression is taken to read.
_MEMBERS: Final = 16
_REGEX_UNITS: Final = 32

ADVICE: Final = (
    "compare a field with a constant, so that an index can find the pattern, such as"
    ' "event.data.kind == \'a\'" or "conditions": {"kind": "a"} (equality, in, prefix, range)'
)


def cost_of(selection: Selection) -> int:
    """Return the units that asking a selector about one event is taken to cost."""
    units = 1 + (selection.conditions.count if selection.conditions else 0)
    units += selection.wanted.units if selection.wanted else 0
    return units + (_cost(selection.where.tree) if selection.where else 0)


def excess(present: Iterable[Selection], added: Iterable[Selection], path: str) -> Problem | None:
    """Return what is wrong if `added`, which stand at `path`, would make one event cost too much."""
    more = [_Scan.of(selection) for selection in added if selection.cost_class == "scan"]
    if not more:
        return None
    scans = [*(_Scan.of(one) for one in present if one.cost_class == "scan"), *more]
    for watched in dict.fromkeys(glob for scan in more for glob in scan.globs):
        fits = compile_glob(watched) if "*" in watched else None
        units = sum(scan.units for scan in scans if scan.may_meet(watched, fits))
        if units > MAX_SCAN_UNITS:
            return Problem(
                path,
                f"expected all predicates that no index can find to cost at most {MAX_SCAN_UNITS}"
                f" units for an event of {watched!r}, got {units}: {ADVICE}",
            )
    return None


@dataclass(frozen=True, slots=True)
class _Scan:
    units: int
    globs: tuple[str, ...]
    fits: tuple[Callable[[str], bool], ...]

    @classmethod
    def of(cls, selection: Selection) -> "_Scan":
        fits = tuple(compile_glob(glob) for glob in selection.globs if "*" in glob)
        return cls(cost_of(selection), selection.globs, fits)

    def may_meet(self, watched: str, fits: Callable[[str], bool] | None) -> bool:
        """Return whether an event of a type, or of a glob that `fits` knows, may reach it."""
        if fits is None:
            return watched in self.globs or any(is_fit(watched) for is_fit in self.fits)
        # Two globs may have types in common that nobody has seen yet.
        return bool(self.fits) or any(map(fits, self.globs))


def _cost(node: Node) -> int:
    inner = sum(map(_cost, children(node)))
    if isinstance(node, Comprehension):
        return 1 + inner * _MEMBERS
    if isinstance(node, Invoke) and node.function.name.startswith(("matches", "regex.")):
        return inner + _REGEX_UNITS
    return 1 + inner
