"""
How a row of the table is written.

A signature reads `takes, takes -> gives`, a method's receiver first; `...`
repeats the last kind.
"""

from collections.abc import Callable
from dataclasses import replace

from oncue.core.expression.function import Example, Function, Overload, Style
from oncue.core.expression.values import Kind


def sized(signature: str, call: Callable[..., object]) -> Overload:
    """Return an overload that pays for the size of its arguments and of its result."""
    return Overload(*_read(signature), call, is_variadic=_repeats(signature))


def free(signature: str, call: Callable[..., object]) -> Overload:
    """Return an overload whose cost does not depend on the size of anything."""
    return Overload(*_read(signature), call, is_free=True, is_variadic=_repeats(signature))


def paid(signature: str, call: Callable[..., object]) -> Overload:
    """Return an overload whose call takes the budget first and pays itself."""
    return Overload(*_read(signature), call, wants_budget=True, is_variadic=_repeats(signature))


def weighing(weight: int, row: Function) -> Function:
    """Return a row whose calls cost more than a unit whatever their arguments."""
    return replace(row, weight=weight)


def operator(name: str, summary: str, example: str, *overloads: Overload) -> Function:
    """Return the row of an operator."""
    return Function(name, Style.OPERATOR, summary, Example(example), overloads)


def method(name: str, summary: str, example: str, *overloads: Overload) -> Function:
    """Return the row of a function that is called as `receiver.name(…)`."""
    return Function(name, Style.METHOD, summary, Example(example), overloads)


def function(name: str, summary: str, example: str, *overloads: Overload) -> Function:
    """Return the row of a function that is called as `name(…)`."""
    return Function(name, Style.GLOBAL, summary, Example(example), overloads)


def either(name: str, summary: str, example: str, *overloads: Overload) -> Function:
    """Return the row of a function that is called both ways."""
    return Function(name, Style.BOTH, summary, Example(example), overloads)


def _read(signature: str) -> tuple[tuple[Kind, ...], Kind]:
    takes, _, gives = signature.partition("->")
    names = [name.strip() for name in takes.split(",")]
    return tuple(Kind(name) for name in names if name not in ("", "...")), Kind(gives.strip())


def _repeats(signature: str) -> bool:
    return "..." in signature
