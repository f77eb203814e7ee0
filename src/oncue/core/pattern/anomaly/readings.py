"""The number that an event carries."""

from collections.abc import Callable
from typing import Final, TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.event import Event
from oncue.core.expression import check_expression, to_json
from oncue.core.expression.compiler import compile_body
from oncue.core.expression.writing import Part
from oncue.core.pattern.keys import ROOTS
from oncue.core.pattern.operator import Values
from oncue.core.pattern.reading import PARAMETERS, read_event, straighten

MAX_NUMBER: Final = 1e150
"""Squares of what is larger have no room among floats."""

Reading: TypeAlias = Callable[[Event, Values], float | None]
"""Gives the number of an event; None where there is none that can be reckoned with."""


def compile_reading(text: str, path: str) -> Reading:
    """
    Return what reads the number that an expression gives, which stands at `path` of a document.

    Raises:
        InvalidInput: no expression, or a name that means nothing.
    """
    tree = straighten(check_expression(text, roots=ROOTS, path=path).tree)

    def write(part: Part) -> None:
        number = part.module.name_constant("number", number_of)
        with read_event(part, [tree]):
            with part.block("try:"):
                part.line(f"found = {part.emit(tree)}")
            part.line("except EvaluationError: return None")
            part.line(f"return {number}(found)")

    reading: Reading
    reading, _ = compile_body("reading", PARAMETERS, write)
    return reading


def number_of(value: object) -> float | None:
    """Return a number as a float; None for all else, and where its square would have no room."""
    kind = value.__class__
    if kind is not float and kind is not int:
        try:
            value = to_json(value)
        except EvaluationError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # Adding zero turns -0.0 into 0.0, so that equal values have equal bits.
    return float(value) + 0.0 if -MAX_NUMBER <= value <= MAX_NUMBER else None
