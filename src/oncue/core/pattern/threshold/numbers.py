"""
Sums of 64-bit floats without error, so that what was added can be taken away again.

A finite float is a whole number of units of 2**-1074, the smallest there is. A sum
is kept as that whole number: it does not depend on the order of its parts, adding
and removing leave no residue, and it is rounded once, when it is read. So a replay
is bit-identical, whatever was taken up in between.
"""

import math
import sys
from typing import Final

from oncue.core.expression.values import Uint

_UNIT_BITS: Final = 1074
LARGEST: Final = sys.float_info.max


def exact(number: float) -> int:
    """Return a finite number in units of 2**-1074."""
    numerator, denominator = number.as_integer_ratio()
    return numerator << (_UNIT_BITS + 1 - denominator.bit_length())


def rounded(total: int, parts: int = 1) -> float:
    """
    Return the float nearest to a part of a total of units; beyond the largest, that one.

    >>> rounded(exact(0.1) + exact(0.2) - exact(0.1))
    0.2
    """
    try:
        return total / (parts << _UNIT_BITS)
    except OverflowError:
        return LARGEST if total > 0 else -LARGEST


def finite(value: object) -> float | None:
    """Return a value of an expression as a float; None if it is no number that floats reach."""
    if value.__class__ not in (int, float, Uint):
        return None
    assert isinstance(value, int | float)
    try:
        number = float(value)
    except OverflowError:
        return None
    # Adding zero makes 0.0 of -0.0, which equals it and would be written otherwise.
    return number + 0.0 if math.isfinite(number) else None
