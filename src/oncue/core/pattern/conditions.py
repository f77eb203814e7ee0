"""
Conditions: content filters over `event.data`, in the terms of Amazon EventBridge.

    {"plan": "enterprise", "amount": [{"numeric": [">", 100]}], "address": {"country": ["US", "CA"]}}

A scalar means equality, a list any of its members (scalars and operators), an
object with one operator's name that operator, any other object conditions on the members of
the value. An array in the event satisfies what one of its elements satisfies, and conditions
on members have to hold together in the same element. Numbers compare as numbers and nothing
else is ever converted. A field that is missing, or whose parent is, satisfies
`{"exists": false}` alone.

What is here says what conditions mean; `predicate` makes the same fast.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json, encode_json
from oncue.core.pattern.operators import READERS, Is, Operator, UnfitOperand
from oncue.core.problems import nearest

MAX_TESTS: Final = 200
"""Comparisons that the conditions of one pattern may hold."""
_OR: Final = "$or"
_OPERATORS: Final = READERS.keys() | {"exists", "anything-but"}


class Absent:
    """Stands for a field that is not there, and for the element that an empty array has not."""


MISSING: Final = Absent()
EMPTY: Final = Absent()


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, or is not."""

    wanted: bool

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return (value is not MISSING) is self.wanted


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """The field is there, and its value is no such one."""

    refused: "ValueTest"

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return value is not MISSING and value is not EMPTY and not self.refused.holds(value)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The value passes one of these tests."""

    ways: tuple["ValueTest", ...]

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return any(way.holds(value) for way in self.ways)


@dataclass(frozen=True, slots=True)
class Members:
    """The value satisfies these clauses."""

    clauses: tuple["Clause", ...]

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return all(clause.holds(value) for clause in self.clauses)


ValueTest: TypeAlias = Operator | Exists | AnythingBut | AnyOf | Members


@dataclass(frozen=True, slots=True)
class Of:
    """A field passes a test, or one of its elements does."""

    name: str
    test: ValueTest

    def holds(self, data: object) -> bool:
        """Return whether `data` satisfies it."""
        value = data.get(self.name, MISSING) if isinstance(data, Mapping) else MISSING
        return self.passes(value)

    def passes(self, value: object) -> bool:
        """Return whether the value of the field satisfies it."""
        if isinstance(value, list):
            # An empty one exists, and has no element that could satisfy anything else.
            return any(map(self.test.holds, value)) if value else self.test.holds(EMPTY)
        return self.test.holds(value)


@dataclass(frozen=True, slots=True)
class Either:
    """One of these sets of clauses is satisfied."""

    ways: tuple[Members, ...]

    def holds(self, data: object) -> bool:
        """Return whether `data` satisfies it."""
        return any(way.holds(data) for way in self.ways)


Clause: TypeAlias = Of | Either


@dataclass(frozen=True, slots=True)
class Conditions:
    """Parsed conditions, all of which must hold, and how many comparisons they hold."""

    clauses: tuple[tuple[str, Clause], ...]
    count: int

    def failing(self, data: Json) -> str | None:
        """Return the first clause that `data` does not satisfy; None if all hold."""
        failing = (name for name, clause in self.clauses if not clause.holds(data))
        return next((f"conditions.{name}" for name in failing), None)


def parse_conditions(document: Mapping[str, Json], path: str) -> Conditions:
    """
    Return the conditions that `document` spells.

    Raises:
        InvalidInput: with all problems, their paths below `path`.
    """
    parser = _Parser()
    clauses = parser.clauses(document, path)
    if parser.count > MAX_TESTS:
        expected = f"expected at most {MAX_TESTS} comparisons, got {parser.count}"
        parser.problems.append(Problem(path, expected))
    if parser.problems:
        raise InvalidInput(parser.problems)
    return Conditions(tuple(zip(document, clauses, strict=True)), parser.count)


class _Parser:
    """Collects what means nothing."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0

    def clauses(self, document: Mapping[str, Json], path: str) -> tuple[Clause, ...]:
        return tuple(self._clauses(document, path))

    def _clauses(self, document: Mapping[str, Json], path: str) -> Iterator[Clause]:
        for name, wanted in document.items():
            place = f"{path}.{name}"
            if name == _OR:
                yield self._either(wanted, place)
            else:
                yield Of(name, self._value(wanted, place))

    def _either(self, wanted: Json, path: str) -> Clause:
        if (
            not isinstance(wanted, list)
            or len(wanted) < 2
            or not all(isinstance(way, Mapping) for way in wanted)
        ):
            self._refuse(path, "a list of at least two objects", wanted)
            return Either(())
        return Either(
            tuple(
                Members(self.clauses(way, f"{path}[{index}]")) for index, way in enumerate(wanted)
            )
        )

    def _value(self, wanted: Json, path: str) -> ValueTest:
        if isinstance(wanted, list):
            if not wanted:
                return self._refuse(path, "at least one value", wanted)
            return AnyOf(
                tuple(self._choice(one, f"{path}[{index}]") for index, one in enumerate(wanted))
            )
        if isinstance(wanted, Mapping):
            if len(wanted) == 1 and _OPERATORS & wanted.keys():
                return self._operator(*next(iter(wanted.items())), path)
            if not wanted:
                return self._refuse(path, "conditions or an operator", wanted)
            return Members(self.clauses(wanted, path))
        self.count += 1
        assert wanted is None or isinstance(wanted, str | int | float)
        return Is(wanted)

    def _choice(self, wanted: Json, path: str) -> ValueTest:
        # As in EventBridge: in a list, an object that is no operator is a slip.
        if isinstance(wanted, Mapping) and not (len(wanted) == 1 and _OPERATORS & wanted.keys()):
            given = next(iter(wanted), "")
            expected = f"one operator out of {', '.join(sorted(_OPERATORS))}"
            self.problems.append(
                Problem(path, f"expected {expected}, got {given!r}{nearest(given, _OPERATORS)}")
            )
            return _NEVER
        return self._value(wanted, path)

    def _operator(self, name: str, operand: Json, path: str) -> ValueTest:
        self.count += 1
        place = f"{path}.{name}"
        if name == "exists":
            if not isinstance(operand, bool):
                return self._refuse(place, "true or false", operand)
            return Exists(operand)
        if name == "anything-but":
            return AnythingBut(self._value(operand, place))
        try:
            return READERS[name](operand)
        except UnfitOperand as exc:
            return self._refuse(place, str(exc), operand)

    def _refuse(self, path: str, expected: str, got: Json) -> ValueTest:
        message = f"expected {expected}, got {encode_json(got).decode()}"
        self.problems.append(Problem(path, message))
        return _NEVER


_NEVER: Final = AnyOf(())
