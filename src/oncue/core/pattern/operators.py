"""The operators of conditions: each makes a test of its operand, or says what it expected."""

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import re2

from oncue.core.json_text import Json

Test: TypeAlias = Callable[[object], bool]


class UnfitOperand(Exception):
    """An operand that an operator cannot take; the text is what it expected."""


def is_equal(value: object, wanted: Json) -> bool:
    """Return whether two values are the same: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return value == wanted


def _of_text(holds: Callable[[str, str], bool]) -> Callable[[Json], Test]:
    def make(operand: Json) -> Test:
        if isinstance(operand, Mapping) and list(operand) == ["equals-ignore-case"]:
            inner = operand["equals-ignore-case"]
            if isinstance(inner, str):
                folded = inner.casefold()
                return lambda value: isinstance(value, str) and holds(value.casefold(), folded)
        if not isinstance(operand, str):
            raise UnfitOperand("text")
        wanted = operand
        return lambda value: isinstance(value, str) and holds(value, wanted)

    return make


def _ignoring_case(text: str, wanted: str) -> bool:
    return text.casefold() == wanted.casefold()


def _wildcard(operand: Json) -> Test:
    if not isinstance(operand, str):
        raise UnfitOperand("text with '*'")
    # Split at stars that no backslash escapes.
    pieces = re.split(r"(?<!\\)\*", operand)
    plain = (re.escape(piece.replace(r"\*", "*")) for piece in pieces)
    # RE2, because text of many stars takes a backtracking engine hours.
    expression = re2.compile("(?s)" + ".*".join(plain))
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def _numeric(operand: Json) -> Test:
    parts = operand if isinstance(operand, list) else []
    names, limits = parts[::2], parts[1::2]
    are_known = all(isinstance(name, str) and name in _COMPARISONS for name in names)
    if not parts or len(names) != len(limits) or not are_known or not all(map(_is_number, limits)):
        raise UnfitOperand("a list such as ['>', 0, '<=', 5]")
    tests = [(_COMPARISONS[name], limit) for name, limit in zip(names, limits, strict=True)]
    return lambda value: (
        _is_number(value) and all(compare(value, limit) for compare, limit in tests)
    )


def _cidr(operand: Json) -> Test:
    try:
        network = ipaddress.ip_network(str(operand), strict=False)
    except ValueError as exc:
        raise UnfitOperand("a network such as '10.0.0.0/8'") from exc
    return lambda value: isinstance(value, str) and _is_within(value, network)


_COMPARISONS: Final[Mapping[str, Callable[..., bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
OF_VALUES: Final[Mapping[str, Callable[[Json], Test]]] = {
    "prefix": _of_text(str.startswith),
    "suffix": _of_text(str.endswith),
    "equals-ignore-case": _of_text(_ignoring_case),
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
}
"""The operators that look at a value; none holds for a field that is missing."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_within(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:
        return False
