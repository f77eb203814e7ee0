"""
Equality and order (cel-spec, langdef.md, "Equality" and "Ordering").

Values of different kinds are unequal, not an error; int, uint and double are
compared as numbers, across int and double as doubles; NaN equals nothing.
Python's own `==` and `in` differ in all three, so they are used only where
both sides are known.
"""

from collections.abc import Callable

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import MAX_VALUE_DEPTH, Budget, size_of
from oncue.core.expression.values import (
    BoolKey,
    Duration,
    OptionalValue,
    Timestamp,
    Uint,
    kind_of,
)

NUMBERS = frozenset({int, Uint, float})
KEYS = frozenset({*NUMBERS, bool, str})
"""What may be looked for among the keys of a map."""
# Measured: what a list or map in another costs beside its members.
_CONTAINER_UNITS = 3
_ORDERED = (bool, str, bytes, Timestamp, Duration)


def equals(budget: Budget, left: object, right: object, depth: int = 0) -> bool:
    """
    Return whether two values are equal.

    Raises:
        OverBudget: too much to compare.
    """
    kind = left.__class__
    if kind in NUMBERS and right.__class__ in NUMBERS:
        return as_number(left, right) == as_number(right, left)
    if kind is not right.__class__:
        return False
    if kind is list or kind is dict or kind is OptionalValue:
        if depth > MAX_VALUE_DEPTH:
            raise EvaluationError(f"expected at most {MAX_VALUE_DEPTH} levels of nesting")
        return _INSIDE[kind](budget, left, right, depth + 1)
    budget.charge(size_of(left))
    return left == right


def differs(budget: Budget, left: object, right: object) -> bool:
    """
    Return whether two values are not equal.

    Raises:
        OverBudget: too much to compare.
    """
    return not equals(budget, left, right)


def as_number(value: object, other: object) -> float | int:
    """Return `value` as it takes part in a comparison with `other`: as a double if one is."""
    assert isinstance(value, int | float)
    if other.__class__ is float and value.__class__ is not float:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value


def less(budget: Budget, left: object, right: object) -> bool:
    """
    Return whether `left` comes before `right`.

    Raises:
        EvaluationError: the two have no order.
    """
    if left.__class__ in NUMBERS and right.__class__ in NUMBERS:
        return as_number(left, right) < as_number(right, left)
    budget.charge(_smaller_size(left, right))
    return left < right  # type: ignore[operator,no-any-return]  # same ordered class


def less_or_equal(budget: Budget, left: object, right: object) -> bool:
    """
    Return whether `left` does not come after `right`; never for NaN.

    Raises:
        EvaluationError: the two have no order.
    """
    if left.__class__ in NUMBERS and right.__class__ in NUMBERS:
        return as_number(left, right) <= as_number(right, left)
    budget.charge(_smaller_size(left, right))
    return left <= right  # type: ignore[operator,no-any-return]  # same ordered class


def greater(budget: Budget, left: object, right: object) -> bool:
    """
    Return whether `left` comes after `right`.

    Raises:
        EvaluationError: the two have no order.
    """
    return less(budget, right, left)


def greater_or_equal(budget: Budget, left: object, right: object) -> bool:
    """
    Return whether `left` does not come before `right`; never for NaN.

    Raises:
        EvaluationError: the two have no order.
    """
    return less_or_equal(budget, right, left)


def is_in(budget: Budget, value: object, container: object) -> bool:
    """
    Return whether `value` is a member of a list or a key of a map.

    Raises:
        EvaluationError: neither list nor map, or no value that could be a key.
    """
    if isinstance(container, dict):
        return find_key(value) in container
    assert isinstance(container, list)
    budget.charge(len(container))
    return any(equals(budget, value, item) for item in container)


def find_key(value: object) -> object:
    """
    Return `value` as a key to look for; a double finds the whole number of its size.

    Raises:
        EvaluationError: no value that could be a key.
    """
    if value.__class__ is str or value.__class__ in NUMBERS:
        return value
    if value.__class__ is bool:
        return BoolKey(value)
    raise EvaluationError(f"expected a string, number or bool as key, got {kind_of(value)}")


def _smaller_size(left: object, right: object) -> int:
    if left.__class__ is not right.__class__ or left.__class__ not in _ORDERED:
        raise EvaluationError(f"expected two values with an order, got {_kinds(left, right)}")
    return min(size_of(left), size_of(right))


def _kinds(left: object, right: object) -> str:
    return f"{kind_of(left)} and {kind_of(right)}"


def _equal_lists(budget: Budget, left: list[object], right: list[object], depth: int) -> bool:
    if len(left) != len(right):
        return False
    budget.charge(_CONTAINER_UNITS + len(left))
    return all(equals(budget, a, b, depth) for a, b in zip(left, right, strict=True))


def _equal_maps(
    budget: Budget, left: dict[object, object], right: dict[object, object], depth: int
) -> bool:
    if len(left) != len(right):
        return False
    budget.charge(_CONTAINER_UNITS + len(left))
    return all(key in right and equals(budget, left[key], right[key], depth) for key in left)


def _equal_optionals(budget: Budget, left: OptionalValue, right: OptionalValue, depth: int) -> bool:
    return left.is_present == right.is_present and equals(
        budget, left.content, right.content, depth
    )


_INSIDE: dict[type, Callable[..., bool]] = {
    list: _equal_lists,
    dict: _equal_maps,
    OptionalValue: _equal_optionals,
}
