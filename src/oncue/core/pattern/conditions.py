"""
Conditions: content filters over `event.data`, in the terms of Amazon EventBridge.

    {"plan": "enterprise", "amount": [{"numeric": [">", 100]}], "address": {"country": ["US", "CA"]}}

A scalar means equality, a list any of its members (scalars and operators), an
object with one operator's name that operator, any other object conditions on the members of
the value. An array in the event satisfies what one of its elements satisfies.
Numbers compare as numbers and nothing else is ever converted. A field that is
missing satisfies `{"exists": false}` alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json, encode_json
from oncue.core.pattern.operators import OF_VALUES, Test, UnfitOperand, is_equal
from oncue.core.problems import nearest

MAX_TESTS: Final = 200
"""Comparisons that the conditions of one pattern may hold."""
_OR: Final = "$or"
_OPERATORS: Final = OF_VALUES.keys() | {"exists", "anything-but"}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Compiled conditions: each clause is a path and its test of the data."""

    clauses: tuple[tuple[str, Test], ...]

    def failing(self, data: Json) -> str | None:
        """Return the path of the first clause that `data` does not satisfy; None if all hold."""
        return next((path for path, test in self.clauses if not test(data)), None)


def compile_conditions(document: Mapping[str, Json], path: str) -> Conditions:
    """
    Return conditions ready to test.

    Raises:
        InvalidInput: with all problems, their paths below `path`.
    """
    compiler = _Compiler()
    tests = compiler.clauses(document, path)
    clauses = tuple(
        (f"conditions.{name}", test) for name, (_, test) in zip(document, tests, strict=True)
    )
    if compiler.count > MAX_TESTS:
        expected = f"expected at most {MAX_TESTS} comparisons, got {compiler.count}"
        compiler.problems.append(Problem(path, expected))
    if compiler.problems:
        raise InvalidInput(compiler.problems)
    return Conditions(clauses)


class _Missing:
    """Stands for a field that is not there."""


class _Empty:
    """Stands for an array without elements."""


_MISSING: Final = _Missing()
_EMPTY: Final = _Empty()


class _Compiler:
    """Makes tests, and collects what means nothing."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0

    def clauses(self, document: Mapping[str, Json], path: str) -> Iterator[tuple[str, Test]]:
        for name, wanted in document.items():
            place = f"{path}.{name}"
            yield (
                place,
                self._either(wanted, place) if name == _OR else self._field(name, wanted, place),
            )

    def _either(self, wanted: Json, path: str) -> Test:
        if (
            not isinstance(wanted, list)
            or len(wanted) < 2
            or not all(isinstance(way, Mapping) for way in wanted)
        ):
            return self._refuse(path, "a list of at least two objects", wanted)
        ways = [self._all(way, f"{path}[{index}]") for index, way in enumerate(wanted)]
        return lambda data: any(way(data) for way in ways)

    def _all(self, document: Mapping[str, Json], path: str) -> Test:
        tests = [test for _, test in self.clauses(document, path)]
        return lambda data: all(test(data) for test in tests)

    def _field(self, name: str, wanted: Json, path: str) -> Test:
        test = self._value(wanted, path)

        def holds(data: object) -> bool:
            value = data.get(name, _MISSING) if isinstance(data, Mapping) else _MISSING
            if isinstance(value, list):
                # An empty one exists, and has no element that could satisfy anything else.
                return any(map(test, value)) if value else test(_EMPTY)
            return test(value)

        return holds

    def _value(self, wanted: Json, path: str) -> Test:
        if isinstance(wanted, list):
            if not wanted:
                return self._refuse(path, "at least one value", wanted)
            tests = [self._choice(one, f"{path}[{i}]") for i, one in enumerate(wanted)]
            return lambda value: any(test(value) for test in tests)
        if isinstance(wanted, Mapping):
            if len(wanted) == 1 and _OPERATORS & wanted.keys():
                return self._operator(*next(iter(wanted.items())), path)
            return self._members(wanted, path)
        self.count += 1
        return lambda value: is_equal(value, wanted)

    def _choice(self, wanted: Json, path: str) -> Test:
        # As in EventBridge: in a list, an object that is no operator is a slip.
        if isinstance(wanted, Mapping) and not (len(wanted) == 1 and _OPERATORS & wanted.keys()):
            given = next(iter(wanted), "")
            expected = f"one operator out of {', '.join(sorted(_OPERATORS))}"
            self.problems.append(
                Problem(path, f"expected {expected}, got {given!r}{nearest(given, _OPERATORS)}")
            )
            return lambda _: False
        return self._value(wanted, path)

    def _operator(self, name: str, operand: Json, path: str) -> Test:
        self.count += 1
        place = f"{path}.{name}"
        if name == "exists":
            if not isinstance(operand, bool):
                return self._refuse(place, "true or false", operand)
            return lambda value: (value is not _MISSING) == operand
        if name == "anything-but":
            test = self._value(operand, place)
            return lambda value: value not in (_MISSING, _EMPTY) and not test(value)
        try:
            return OF_VALUES[name](operand)
        except UnfitOperand as exc:
            return self._refuse(place, str(exc), operand)

    def _members(self, wanted: Mapping[str, Json], path: str) -> Test:
        if not wanted:
            return self._refuse(path, "conditions or an operator", wanted)
        test = self._all(wanted, path)
        return lambda value: value is not _MISSING and test(value)

    def _refuse(self, path: str, expected: str, got: Json) -> Test:
        message = f"expected {expected}, got {encode_json(got).decode()}"
        self.problems.append(Problem(path, message))
        return lambda _: False
