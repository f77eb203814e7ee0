"""The operators of conditions: each is a test of one value, or says what it expected."""

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import re2

from oncue.core.json_text import Json


class UnfitOperand(Exception):
    """An operand that an operator cannot take; the text is what it expected."""


@dataclass(frozen=True, slots=True)
class Is:
    """The value is this scalar: 1 and 1.0 are the same, 1 and true are not."""

    wanted: str | float | None

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        if isinstance(value, bool) or isinstance(self.wanted, bool):
            return value is self.wanted
        return value == self.wanted


@dataclass(frozen=True, slots=True)
class Begins:
    """The value is text with this beginning."""

    prefix: str

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return isinstance(value, str) and value.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Ends:
    """The value is text with this end."""

    suffix: str

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return isinstance(value, str) and value.endswith(self.suffix)


@dataclass(frozen=True, slots=True)
class Folded:
    """The value is text that passes a test once both are without case; `inner` is."""

    inner: "Is | Begins | Ends"

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return isinstance(value, str) and self.inner.holds(value.casefold())


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The value is text of this shape; `prefix` is what stands before the first star."""

    prefix: str
    is_whole: bool
    _matches: Callable[[str], object] = field(repr=False, compare=False)

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return isinstance(value, str) and self._matches(value) is not None


@dataclass(frozen=True, slots=True)
class Numeric:
    """The value is a number on the right side of each limit, such as `(">", 0)`."""

    limits: tuple[tuple[str, float], ...]

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        return _is_number(value) and all(
            COMPARISONS[name](value, limit) for name, limit in self.limits
        )


@dataclass(frozen=True, slots=True)
class Cidr:
    """The value is text that names an address of this network."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network

    def holds(self, value: object) -> bool:
        """Return whether a value passes."""
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in self.network
        except ValueError:
            return False


Operator: TypeAlias = Is | Begins | Ends | Folded | Wildcard | Numeric | Cidr

COMPARISONS: Final[Mapping[str, Callable[..., bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def _of_text(make: Callable[[str], Is | Begins | Ends]) -> Callable[[Json], Operator]:
    def read(operand: Json) -> Operator:
        if isinstance(operand, Mapping) and list(operand) == ["equals-ignore-case"]:
            inner = operand["equals-ignore-case"]
            if isinstance(inner, str):
                return Folded(make(inner.casefold()))
        if not isinstance(operand, str):
            raise UnfitOperand("text")
        return make(operand)

    return read


def _ignoring_case(operand: Json) -> Operator:
    if not isinstance(operand, str):
        raise UnfitOperand("text")
    return Folded(Is(operand.casefold()))


def _wildcard(operand: Json) -> Operator:
    if not isinstance(operand, str):
        raise UnfitOperand("text with '*'")
    # Split at stars that no backslash escapes.
    pieces = [piece.replace(r"\*", "*") for piece in re.split(r"(?<!\\)\*", operand)]
    # RE2, because text of many stars takes a backtracking engine hours.
    expression = re2.compile("(?s)" + ".*".join(map(re.escape, pieces)))
    return Wildcard(pieces[0], len(pieces) == 1, expression.fullmatch)


def _numeric(operand: Json) -> Operator:
    parts = operand if isinstance(operand, list) else []
    names, limits = parts[::2], parts[1::2]
    are_known = all(isinstance(name, str) and name in COMPARISONS for name in names)
    if not parts or len(names) != len(limits) or not are_known or not all(map(_is_number, limits)):
        raise UnfitOperand("a list such as ['>', 0, '<=', 5]")
    return Numeric(tuple(zip(names, limits, strict=True)))


def _cidr(operand: Json) -> Operator:
    try:
        return Cidr(ipaddress.ip_network(str(operand), strict=False))
    except ValueError as exc:
        raise UnfitOperand("a network such as '10.0.0.0/8'") from exc


READERS: Final[Mapping[str, Callable[[Json], Operator]]] = {
    "prefix": _of_text(Begins),
    "suffix": _of_text(Ends),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
}
"""What makes an operator of its operand; none holds for a field that is missing."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
