"""
A function of the language as a value, and how one of its overloads is chosen.

The kinds of all arguments choose the overload, so an implementation may trust
the types that it declares. Checker, compiler and docs read the same value.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import Budget, size_of
from oncue.core.expression.values import Kind, kind_of

# What is remembered for longer argument lists would have no bound.
_MAX_REMEMBERED = 3


class Style(StrEnum):
    """How a function is written."""

    GLOBAL = "global"
    METHOD = "method"
    BOTH = "both"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Overload:
    """
    One signature of a function and what it calls.

    `wants_budget`: the call takes the budget first and pays for itself. All
    others pay by the size of their arguments and of what they return, unless
    `is_free` says that neither is read through nor made.
    """

    takes: tuple[Kind, ...]
    gives: Kind
    call: Callable[..., object]
    wants_budget: bool = False
    is_free: bool = False
    is_variadic: bool = False

    def accepts(self, kinds: Sequence[Kind]) -> bool:
        """Return whether arguments of these kinds fit, `ANY` fitting everywhere."""
        takes = self.takes
        if self.is_variadic:
            takes += (takes[-1],) * (len(kinds) - len(takes))
        if len(takes) != len(kinds):
            return False
        for taken, kind in zip(takes, kinds, strict=True):
            if taken is not kind and taken is not Kind.ANY and kind is not Kind.ANY:
                return False
        return True

    def invoke(self, budget: Budget, arguments: tuple[object, ...]) -> object:
        """Return what the call gives, paid for."""
        if self.wants_budget:
            return self.call(budget, *arguments)
        if self.is_free:
            return self.call(*arguments)
        for argument in arguments:
            budget.charge(size_of(argument))
        result = self.call(*arguments)
        budget.charge(size_of(result))
        return result


@dataclass(frozen=True, slots=True)
class Example:
    """An expression and, in CEL again, what it gives."""

    text: str
    gives: str = "true"


_Remembered: TypeAlias = dict[tuple[type, ...], Overload]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One function or operator: its name, signatures, and what the docs say of it."""

    name: str
    style: Style
    summary: str
    example: Example
    overloads: tuple[Overload, ...]
    weight: int = 1
    """The units that a call costs whatever its arguments; a loop pays them beforehand."""
    _chosen: _Remembered = field(default_factory=dict, repr=False)
    _fitting: dict[tuple[Kind, ...], list[Overload]] = field(default_factory=dict, repr=False)

    def __call__(self, budget: Budget, *arguments: object) -> object:
        """
        Return the result for `arguments`, the receiver of a method first.

        Raises:
            EvaluationError: no overload takes them, or the function refuses them.
        """
        classes = tuple([argument.__class__ for argument in arguments])
        overload = self._chosen.get(classes) or self._choose(arguments, classes)
        return overload.invoke(budget, arguments)

    @property
    def receivers(self) -> int:
        """How many arguments stand before the dot."""
        return 1 if self.style is Style.METHOD else 0

    def takes(self, count: int) -> bool:
        """Return whether some overload takes `count` arguments, the receiver included."""
        return any(
            len(overload.takes) == count or (overload.is_variadic and len(overload.takes) < count)
            for overload in self.overloads
        )

    def fits(self, kinds: tuple[Kind, ...]) -> list[Overload]:
        """Return the overloads that take arguments of `kinds`."""
        fitting = self._fitting.get(kinds)
        if fitting is None:
            fitting = [overload for overload in self.overloads if overload.accepts(kinds)]
            if len(kinds) <= _MAX_REMEMBERED:
                self._fitting[kinds] = fitting
        return fitting

    def complain(self, kinds: Iterable[Kind]) -> str:
        """Return what is wrong with arguments of `kinds`."""
        got = tuple(kinds)
        if self.style is not Style.OPERATOR:
            shapes = " or ".join(dict.fromkeys(_shape(o.takes) for o in self.overloads))
            return f"{self.name} takes {shapes}, got {_shape(got)}"
        symbol = self.name.strip("_").replace("_", "")
        message = f"expected values that {symbol!r} takes, got {' and '.join(got)}"
        if symbol == "+" and Kind.STRING in got:
            return f"{message}: use string() to make text of the other"
        return message

    def _choose(self, arguments: tuple[object, ...], classes: tuple[type, ...]) -> Overload:
        kinds = [kind_of(argument) for argument in arguments]
        for overload in self.overloads:
            if overload.accepts(kinds):
                if len(classes) <= _MAX_REMEMBERED:
                    self._chosen[classes] = overload
                return overload
        raise EvaluationError(self.complain(kinds))


def counts(overloads: Iterable[Overload], receivers: int) -> Collection[int]:
    """Return the numbers of arguments between the parentheses that `overloads` take."""
    return sorted({len(overload.takes) - receivers for overload in overloads})


def _shape(kinds: Iterable[Kind]) -> str:
    return f"({', '.join(kinds)})"
