"""The first operator of every pattern: which events it admits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.expression import Checked, Expression, check_expression
from oncue.core.expression.access import refuse_non_bool
from oncue.core.expression.expression import compile_checked
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import Conditions, parse_conditions
from oncue.core.pattern.indexing.access import Access, accesses_of
from oncue.core.pattern.keys import ROOTS, KeyOf, compile_key
from oncue.core.pattern.kinds.sequence import Step
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.predicate import Decides, compile_predicate
from oncue.core.pattern.seen import Seen

__all__ = [
    "EVERYTHING",
    "ROOTS",
    "CostClass",
    "KeyOf",
    "Refusal",
    "Seen",
    "Selection",
    "Wanted",
    "compile_key",
    "compile_selection",
]

CostClass = Literal["indexed", "scan"]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """
    What a statement asks of an event beside its type: all tests are true.

    `accesses` are necessary for that, and `units` is what the tests are taken to cost.
    """

    tests: tuple[Callable[[Event], Json], ...]
    accesses: tuple[Access, ...]
    units: int

    def decides(self, event: Event, _: Mapping[str, Json]) -> bool:
        """Return whether an event is wanted."""
        for test in self.tests:  # noqa: SIM110 with `all` 0.2 µs more (bench/match_sql.py)
            if test(event) is not True:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is not admitted: the clause, and what went wrong in it."""

    clause: str
    error: str | None = None


class Selection:
    """
    A compiled selector.

    `scan` is the cost class of one that has a predicate and nothing in it that an index
    could ask for.
    """

    def __init__(
        self,
        globs: tuple[str, ...],
        source: str | None = None,
        conditions: Conditions | None = None,
        where: Checked | None = None,
        wanted: Wanted | None = None,
    ) -> None:
        self.globs = globs
        self.source = source
        self.conditions = conditions
        self.where = where
        self.wanted = wanted

    @cached_property
    def accesses(self) -> tuple[Access, ...]:
        """By what an index can find it."""
        if self.wanted is not None:
            return self.wanted.accesses
        return accesses_of(self.source, self.conditions, self.where)

    @property
    def cost_class(self) -> CostClass:
        """Whether an index finds it by more than its type, where it asks for more."""
        predicates = (self.conditions, self.where, self.wanted)
        has_predicate = any(predicate is not None for predicate in predicates)
        is_everything = any(not glob.strip("*") for glob in self.globs)
        return "scan" if (has_predicate or is_everything) and not self.accesses else "indexed"

    @cached_property
    def decides(self) -> Decides:
        """What says whether an event, whose type fits, is admitted; it raises as `where` does."""
        if self.wanted is not None:
            return self.wanted.decides
        return compile_predicate(self.source, self.conditions, self.where)

    def admits(self, event: Event, values: Mapping[str, Json]) -> bool:
        """Return whether `event`, whose type fits, is admitted."""
        try:
            return self.decides(event, values)
        except EvaluationError:
            return False

    def refusal(self, event: Event, values: Mapping[str, Json]) -> Refusal | None:
        """Return why `event`, whose type fits, is not admitted; None if it is."""
        if self.source is not None and event.source != self.source:
            return _OTHER_SOURCE
        if self.wanted is not None and not self.wanted.decides(event, values):
            return _NOT_WANTED
        if self.conditions:
            clause = self.conditions.failing(event.data)
            if clause:
                return Refusal(clause)
        if self._where is None:
            return None
        try:
            holds = self._where.evaluate(values)
            if holds is not True and holds is not False:
                refuse_non_bool(holds)
        except EvaluationError as exc:
            return Refusal("where", str(exc))
        return None if holds else _DOES_NOT_HOLD

    @cached_property
    def _where(self) -> Expression | None:
        return compile_checked(self.where) if self.where else None


_OTHER_SOURCE: Final = Refusal("source")
_DOES_NOT_HOLD: Final = Refusal("where")
_NOT_WANTED: Final = Refusal("WHERE")

EVERYTHING: Final = Selection(("*",))
"""Admits every event."""


def compile_selection(selector: Selector | Step, path: str) -> Selection:
    """
    Return the selector that stands at `path` of a document.

    Raises:
        InvalidInput: with all problems.
    """
    problems: list[Problem] = []
    conditions = where = None
    if selector.conditions is not None:
        try:
            conditions = parse_conditions(selector.conditions, f"{path}.conditions")
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if selector.where is not None:
        try:
            where = check_expression(selector.where, roots=ROOTS, path=f"{path}.where")
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems)
    return Selection(selector.globs, selector.source, conditions, where)
