"""The first operator of every pattern: which events it admits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.expression import Expression, compile_expression
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import Conditions, compile_conditions
from oncue.core.pattern.keys import ROOTS, KeyOf, compile_key
from oncue.core.pattern.kinds.sequence import Step
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.seen import Seen

__all__ = [
    "EVERYTHING",
    "ROOTS",
    "CostClass",
    "KeyOf",
    "Refusal",
    "Seen",
    "Selection",
    "compile_key",
    "compile_selection",
]

CostClass = Literal["indexed", "scan"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is not admitted: the clause, and what went wrong in it."""

    clause: str
    error: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """
    A compiled selector.

    `scan` is the cost class of one that has a predicate and nothing in it that an index
    could ask for.
    """

    globs: tuple[str, ...]
    source: str | None = None
    conditions: Conditions | None = None
    where: Expression | None = None

    @property
    def cost_class(self) -> CostClass:
        """Whether an index finds it by more than the type, where there is more."""
        return "scan" if self.where else "indexed"

    def admits(self, event: Event, values: Mapping[str, Json]) -> bool:
        """Return whether `event`, whose type fits, is admitted."""
        return self.refusal(event, values) is None

    def refusal(self, event: Event, values: Mapping[str, Json]) -> Refusal | None:
        """Return why `event`, whose type fits, is not admitted; None if it is."""
        if self.source is not None and event.source != self.source:
            return _OTHER_SOURCE
        if self.conditions:
            clause = self.conditions.failing(event.data)
            if clause:
                return Refusal(clause)
        if self.where is None:
            return None
        try:
            return None if self.where.evaluate(values) is True else _DOES_NOT_HOLD
        except EvaluationError as exc:
            return Refusal("where", str(exc))


_OTHER_SOURCE: Final = Refusal("source")
_DOES_NOT_HOLD: Final = Refusal("where")

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
            conditions = compile_conditions(selector.conditions, f"{path}.conditions")
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if selector.where is not None:
        try:
            where = compile_expression(selector.where, roots=ROOTS, path=f"{path}.where")
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems)
    return Selection(selector.globs, selector.source, conditions, where)
