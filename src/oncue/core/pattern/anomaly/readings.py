"""The number that an event carries."""

from collections.abc import Callable
from typing import Final, TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.expression import Expression, to_json
from oncue.core.pattern.operator import Values

MAX_NUMBER: Final = 1e150
"""Squares of what is larger have no room among floats."""

Reading: TypeAlias = Callable[[Values], float | None]


def reading_of(expression: Expression) -> Reading:
    """Return what gives the number of an event; None where there is none that can be reckoned with."""
    evaluate = expression.evaluate

    def reading(values: Values) -> float | None:
        try:
            found = evaluate(values)
            if found.__class__ is not float:
                found = to_json(found)
        except EvaluationError:
            return None
        return number_of(found)

    return reading


def number_of(found: object) -> float | None:
    """Return a number as a float; None for all else, and where its square would have no room."""
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    # Adding zero turns -0.0 into 0.0, so that equal values have equal bits.
    return float(found) + 0.0 if -MAX_NUMBER <= found <= MAX_NUMBER else None
