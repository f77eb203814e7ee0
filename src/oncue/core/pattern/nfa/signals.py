"""
What an event says to the automaton: a set of bits, and conditions over them.

    bit 0 … n-1   the event satisfies the step of that number
    bit n …       the event satisfies the `until` of that number

Whatever looks at an event is reduced to these bits first. A condition is then a
function of a small integer, and what follows from it can be remembered.
"""

from collections.abc import Callable
from typing import TypeAlias

Condition: TypeAlias = Callable[[int], bool]


def always(bits: int) -> bool:
    """Hold for every event."""
    return bits >= 0


def has(bit: int) -> Condition:
    """Return what holds where the bit is set."""
    mask = 1 << bit
    return lambda bits: bits & mask != 0


def has_any(mask: int) -> Condition:
    """Return what holds where one of several bits is set."""
    return lambda bits: bits & mask != 0


def negated(condition: Condition) -> Condition:
    """Return what holds where `condition` does not."""
    return lambda bits: not condition(bits)


def both(one: Condition, other: Condition) -> Condition:
    """Return what holds where both do."""
    return lambda bits: one(bits) and other(bits)


def mask_of(bits: "set[int] | frozenset[int]") -> int:
    """Return the set of bits as an integer."""
    return sum(1 << bit for bit in bits)
