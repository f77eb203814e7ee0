"""
Many values, of which one asks whether an equal one is among them.

Values are found by a key that equal ones share and are then compared as CEL compares. So
the work grows with the size of what is looked for, not with how many there are.
"""

from collections.abc import Iterable

from oncue.core.errors import EvaluationError
from oncue.core.expression.arithmetic import to_double
from oncue.core.expression.budget import MAX_VALUE_DEPTH, Budget, size_of
from oncue.core.expression.comparison import NUMBERS, equals
from oncue.core.expression.values import BoolKey, OptionalValue


class EqualValues:
    """A set by CEL's equality."""

    def __init__(self, budget: Budget, values: Iterable[object] = ()) -> None:
        self._budget = budget
        self._by_key: dict[object, list[object]] = {}
        for value in values:
            self.add(value)

    def __contains__(self, value: object) -> bool:
        return self._is_among(self._by_key.get(self._key(value), ()), value)

    def add(self, value: object) -> bool:
        """Return whether no equal value was there before."""
        key = self._key(value)
        equal = self._by_key.get(key)
        if equal is None:
            self._by_key[key] = [value]
            return True
        if self._is_among(equal, value):
            return False
        equal.append(value)
        return True

    def _is_among(self, equal: Iterable[object], value: object) -> bool:
        return any(equals(self._budget, known, value) for known in equal)

    def _key(self, value: object, depth: int = 0) -> object:
        if depth > MAX_VALUE_DEPTH:
            raise EvaluationError(f"expected at most {MAX_VALUE_DEPTH} levels of nesting")
        self._budget.charge(3 + size_of(value))
        if value.__class__ in NUMBERS:
            assert isinstance(value, int | float)
            return to_double(value)
        if isinstance(value, bool):
            return BoolKey(value)
        if isinstance(value, list):
            return tuple([self._key(item, depth + 1) for item in value])
        if isinstance(value, dict):
            return frozenset((key, self._key(item, depth + 1)) for key, item in value.items())
        if isinstance(value, OptionalValue):
            return value.is_present, self._key(value.content, depth + 1)
        return value
