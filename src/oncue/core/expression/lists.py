"""The lists and sets extensions, and what becomes of all members of a list: `sum()`, `avg()`."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.expression.arithmetic import (
    add_spans,
    divide_doubles,
    to_double,
    to_int,
    to_uint,
)
from oncue.core.expression.budget import MAX_VALUE_DEPTH, Budget, size_of
from oncue.core.expression.comparison import NUMBERS
from oncue.core.expression.equal_values import EqualValues
from oncue.core.expression.values import (
    ABSENT,
    Duration,
    OptionalValue,
    Timestamp,
    Uint,
    kind_of,
)

_Rank: TypeAlias = int | float | str | bytes
"""What Python orders as CEL orders values of one kind."""


def first(items: list[object]) -> OptionalValue:
    """Return an optional of the first member."""
    return OptionalValue(items[0]) if items else ABSENT


def last(items: list[object]) -> OptionalValue:
    """Return an optional of the last member."""
    return OptionalValue(items[-1]) if items else ABSENT


def count_up(budget: Budget, size: int) -> list[object]:
    """
    Return the ints from 0 on, so many.

    Raises:
        EvaluationError: a negative number.
        OverBudget: too many.
    """
    if size < 0:
        raise EvaluationError(f"expected a size of 0 or more, got {size}")
    budget.charge(size)
    return list(range(size))


def reverse(items: list[object]) -> list[object]:
    """Return the members from last to first."""
    return items[::-1]


def cut(items: list[object], start: int, end: int) -> list[object]:
    """Return the members from `start` up to `end`. Raises: EvaluationError outside the list."""
    if 0 <= start <= end <= len(items):
        return items[start:end]
    raise EvaluationError(f"expected places 0 to {len(items)} in order, got {start} and {end}")


def flatten(budget: Budget, items: list[object], levels: int = 1) -> list[object]:
    """
    Return the members, and in the place of lists their members, so many levels deep.

    Raises:
        EvaluationError: a negative number of levels, or lists nested too deep.
    """
    if levels < 0:
        raise EvaluationError(f"expected 0 levels or more, got {levels}")
    flat: list[object] = []
    _flatten(budget, items, min(levels, MAX_VALUE_DEPTH + 1), flat)
    return flat


def distinct(budget: Budget, items: list[object]) -> list[object]:
    """Return the members without those equal to an earlier one."""
    known = EqualValues(budget)
    return [item for item in items if known.add(item)]


def sort(budget: Budget, items: list[object]) -> list[object]:
    """
    Return the members in order.

    Raises:
        EvaluationError: members without an order, or not all of one kind.
    """
    return sort_by(budget, items, items)


def sort_by(budget: Budget, items: list[object], keys: Sequence[object]) -> list[object]:
    """
    Return the members in the order of `keys`, of which each has one.

    Raises:
        EvaluationError: keys without an order, or not all of one kind.
    """
    if not items:
        return []
    rank = _rank(budget, keys)
    ranked = [rank(key) for key in keys]
    return [items[place] for place in sorted(range(len(items)), key=ranked.__getitem__)]


def contains_all(budget: Budget, items: list[object], wanted: list[object]) -> bool:
    """Return whether each of `wanted` is among `items`."""
    known = EqualValues(budget, items)
    return all(item in known for item in wanted)


def are_equivalent(budget: Budget, one: list[object], other: list[object]) -> bool:
    """Return whether each member of one list is in the other."""
    return contains_all(budget, one, other) and contains_all(budget, other, one)


def intersect(budget: Budget, one: list[object], other: list[object]) -> bool:
    """Return whether the lists have a member in common."""
    known = EqualValues(budget, one)
    return any(item in known for item in other)


def total(budget: Budget, items: list[object]) -> object:
    """
    Return the sum of numbers or durations; of none it is 0.

    Raises:
        EvaluationError: other members, ints beside uints, or a sum beyond the kind.
    """
    budget.charge(len(items))
    classes = {item.__class__ for item in items}
    if classes == {Duration}:
        span = Duration(0)
        for item in items:
            assert isinstance(item, Duration)
            span = add_spans(span, item)
        return span
    numbers = _numbers(items)
    if float in classes:
        return _sum_of_doubles(numbers)
    whole = sum(map(int, numbers))
    if classes == {int, Uint}:
        raise EvaluationError("expected numbers of one kind, got ints beside uints")
    return to_uint(whole) if Uint in classes else to_int(whole)


def mean(budget: Budget, items: list[object]) -> float:
    """
    Return the average of numbers.

    Raises:
        EvaluationError: no members, or others than numbers.
    """
    budget.charge(len(items))
    if not items:
        raise EvaluationError("expected at least one number, got an empty list")
    return divide_doubles(_sum_of_doubles(_numbers(items)), float(len(items)))


def smallest(budget: Budget, items: list[object]) -> object:
    """Return the first of the members in order. Raises: EvaluationError where there is none."""
    return min(items, key=_rank(budget, _some(items)))


def largest(budget: Budget, items: list[object]) -> object:
    """Return the last of the members in order. Raises: EvaluationError where there is none."""
    return max(items, key=_rank(budget, _some(items)))


def present(items: list[object]) -> list[object]:
    """Return what the optionals of a list hold. Raises: EvaluationError for other members."""
    for item in items:
        if not isinstance(item, OptionalValue):
            raise EvaluationError(f"expected a list of optionals, got {kind_of(item)} in it")
    return [item.content for item in items if isinstance(item, OptionalValue) and item.is_present]


def _some(items: list[object]) -> list[object]:
    if not items:
        raise EvaluationError("expected at least one member, got an empty list")
    return items


def _flatten(budget: Budget, items: list[object], levels: int, flat: list[object]) -> None:
    budget.charge(len(items))
    for item in items:
        if not isinstance(item, list) or levels == 0:
            flat.append(item)
        elif levels == 1:
            budget.charge(len(item))
            flat.extend(item)
        else:
            _flatten(budget, item, levels - 1, flat)


def _rank(budget: Budget, keys: Sequence[object]) -> Callable[..., _Rank]:
    """Return the function from a key to its rank among `keys`."""
    budget.charge(2 * len(keys) + sum(map(size_of, keys)))
    classes = {key.__class__ for key in keys}
    if classes <= {int, Uint} or (len(classes) == 1 and classes <= {bool, str, bytes}):
        return _itself
    if classes <= NUMBERS:
        return to_double
    if len(classes) == 1 and classes <= {Timestamp, Duration}:
        return _nanoseconds
    kinds = " and ".join(sorted({kind_of(key) for key in keys}))
    raise EvaluationError(f"expected values of one kind with an order, got {kinds}")


def _itself(value: _Rank) -> _Rank:
    return value


def _nanoseconds(moment: Timestamp | Duration) -> int:
    return moment.nanoseconds


def _numbers(items: list[object]) -> list[int | float]:
    for item in items:
        if item.__class__ not in NUMBERS:
            raise EvaluationError(f"expected numbers, got {kind_of(item)} among them")
    return items  # type: ignore[return-value]  # all of them were just looked at


def _sum_of_doubles(numbers: list[int | float]) -> float:
    # One after the other: `sum` rounds otherwise from Python 3.12 on.
    result = 0.0
    for number in numbers:
        result += to_double(number)
    return result
