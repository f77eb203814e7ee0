"""The math extension: `math.abs`, `math.greatest`, `math.bitAnd` and so on."""

import math
from collections.abc import Callable

from oncue.core.errors import EvaluationError
from oncue.core.expression.arithmetic import to_int
from oncue.core.expression.budget import Budget
from oncue.core.expression.comparison import NUMBERS, less
from oncue.core.expression.values import MAX_UINT, Uint, kind_of

_BITS = 64


def greatest(budget: Budget, *numbers: object) -> object:
    """Return the greatest of the numbers, or of the members of one list."""
    return _furthest(budget, numbers, lambda best, number: less(budget, best, number))


def least(budget: Budget, *numbers: object) -> object:
    """Return the least of the numbers, or of the members of one list."""
    return _furthest(budget, numbers, lambda best, number: less(budget, number, best))


def round_half_away(number: float) -> float:
    """Return the nearest whole number; a half goes away from zero."""
    if not math.isfinite(number) or abs(number) >= 2.0**52:
        return number
    return math.copysign(math.floor(abs(number) + 0.5), number)


def whole(cut: Callable[[float], int]) -> Callable[[float], float]:
    """Return `cut`, such as `math.floor`, as a function from double to double."""

    def cut_double(number: float) -> float:
        return math.copysign(float(cut(number)), number) if math.isfinite(number) else number

    return cut_double


def sign_of_double(number: float) -> float:
    """Return -1.0, 0.0, 1.0 or NaN."""
    return number if math.isnan(number) else float((number > 0) - (number < 0))


def sign_of_int(number: int) -> int:
    """Return -1, 0 or 1."""
    return (number > 0) - (number < 0)


def square_root(number: float) -> float:
    """Return the square root; NaN of a negative number."""
    return math.sqrt(number) if number >= 0 or math.isnan(number) else math.nan


def abs_of_int(number: int) -> int:
    """Return the size of the number. Raises: EvaluationError for the least int."""
    return to_int(abs(number))


def on_uints(operation: Callable[[int, int], int]) -> Callable[[int, int], Uint]:
    """Return an operation on bits as one on uints."""
    return lambda left, right: Uint(operation(left, right))


def invert_uint(number: Uint) -> Uint:
    """Return the number with every bit turned."""
    return Uint(MAX_UINT ^ number)


def shift_left(number: int, distance: int) -> int:
    """Return the bits moved up, those beyond 64 lost. Raises: EvaluationError for a distance < 0"""
    return _signed(_shifted_left(number, distance))


def shift_left_uint(number: Uint, distance: int) -> Uint:
    """Return the bits moved up, those beyond 64 lost. Raises: EvaluationError for a distance < 0"""
    return Uint(_shifted_left(number, distance))


def shift_right(number: int, distance: int) -> int:
    """Return the bits moved down, zeros coming in. Raises: EvaluationError for a distance < 0"""
    return _signed(_shifted_right(number, distance))


def shift_right_uint(number: Uint, distance: int) -> Uint:
    """Return the bits moved down, zeros coming in. Raises: EvaluationError for a distance < 0"""
    return Uint(_shifted_right(number, distance))


def _furthest(
    budget: Budget, numbers: tuple[object, ...], is_further: Callable[[object, object], bool]
) -> object:
    members = numbers[0] if len(numbers) == 1 and isinstance(numbers[0], list) else numbers
    budget.charge(len(members))
    for number in members:
        if number.__class__ not in NUMBERS:
            raise EvaluationError(f"expected numbers, got {kind_of(number)} among them")
    if not members:
        raise EvaluationError("expected at least one number, got an empty list")
    best = members[0]
    for number in members[1:]:
        if is_further(best, number):
            best = number
    return best


def _distance(distance: int) -> int:
    if distance < 0:
        raise EvaluationError(f"expected a distance of 0 or more, got {distance}")
    return distance


def _shifted_left(number: int, distance: int) -> int:
    return (number << _distance(distance)) & MAX_UINT if _distance(distance) < _BITS else 0


def _shifted_right(number: int, distance: int) -> int:
    return (number & MAX_UINT) >> _distance(distance) if _distance(distance) < _BITS else 0


def _signed(bits: int) -> int:
    return bits - 2**_BITS if bits >> (_BITS - 1) else bits
