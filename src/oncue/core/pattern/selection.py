"""The first operator of every pattern: which events it admits, and under which key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.expression import Expression, compile_expression
from oncue.core.expression.json_values import to_json
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import Conditions, compile_conditions
from oncue.core.pattern.kinds.event import EventPattern

Values: TypeAlias = Mapping[str, Mapping[str, Json]]

ROOTS: Final = ("event",)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is not admitted: the clause, and what went wrong in it."""

    clause: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """A compiled selector."""

    globs: tuple[str, ...]
    source: str | None
    conditions: Conditions | None
    where: Expression | None
    by: tuple[tuple[str, Expression], ...]
    takes_null_keys: bool

    def refusal(self, event: Event, values: Values) -> Refusal | None:
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

    def key(self, values: Values) -> dict[str, Json] | None:
        """Return the key of an event by path; None, if it lacks one and that matters."""
        found: dict[str, Json] = {}
        for path, expression in self.by:
            try:
                found[path] = _canonical(to_json(expression.evaluate(values)))
            except EvaluationError:
                found[path] = None
            if found[path] is None and not self.takes_null_keys:
                return None
        return found


_OTHER_SOURCE: Final = Refusal("source")
_DOES_NOT_HOLD: Final = Refusal("where")


def compile_selection(pattern: EventPattern, path: str) -> Selection:
    """
    Return the selector of a pattern that stands at `path` of its document.

    Raises:
        InvalidInput: with all problems.
    """
    problems: list[Problem] = []

    def expression(text: str, place: str) -> Expression | None:
        try:
            return compile_expression(text, roots=ROOTS, path=place)
        except InvalidInput as exc:
            problems.extend(exc.problems)
            return None

    conditions = None
    if pattern.conditions is not None:
        try:
            conditions = compile_conditions(pattern.conditions, f"{path}.conditions")
        except InvalidInput as exc:
            problems.extend(exc.problems)
    where = expression(pattern.where, f"{path}.where") if pattern.where is not None else None
    compiled = ((text, expression(text, f"{path}.by[{i}]")) for i, text in enumerate(pattern.by))
    by = tuple((text, key) for text, key in compiled if key)
    if problems:
        raise InvalidInput(problems)
    return Selection(
        globs=pattern.globs,
        source=pattern.source,
        conditions=conditions,
        where=where,
        by=by,
        takes_null_keys=pattern.on_missing_key == "null_key",
    )


def _canonical(value: Json) -> Json:
    """Return a value of a key so that equal ones are spelled alike: 1 is 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
