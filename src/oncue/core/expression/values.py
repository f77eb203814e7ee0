"""
The values of expressions.

What JSON has is itself: `None`, `bool`, `int`, `float`, `str`, `list`, `dict`.
What only CEL has is a class here. A value's class decides its kind, and nothing
but the exact class does: a subclass of `str` is no string.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from oncue.core.errors import EvaluationError

MIN_INT = -(2**63)
MAX_INT = 2**63 - 1
MAX_UINT = 2**64 - 1


class Kind(StrEnum):
    """What a value is, in the words of messages and docs."""

    NULL = "null"
    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    LIST = "list"
    MAP = "map"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    TYPE = "type"
    OPTIONAL = "optional"
    ANY = "any"
    """Of a parameter: whatever comes. Of a result: not known before it is there."""


class Uint(int):
    """An unsigned 64-bit number; equal to the `int` of the same size, so maps find it too."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, as nanoseconds since 1970 (UTC)."""

    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class CelType:
    """The value of `type(x)`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class OptionalValue:
    """The value of `optional.of(x)`, or of `optional.none()` when it is not present."""

    content: object
    is_present: bool = True


class BoolKey(Enum):
    """A bool as the key of a map; as itself it would be found under 0 or 1."""

    FALSE = False
    TRUE = True


ABSENT = OptionalValue(None, is_present=False)

KINDS: dict[type, Kind] = {
    type(None): Kind.NULL,
    bool: Kind.BOOL,
    int: Kind.INT,
    Uint: Kind.UINT,
    float: Kind.DOUBLE,
    str: Kind.STRING,
    bytes: Kind.BYTES,
    list: Kind.LIST,
    dict: Kind.MAP,
    Timestamp: Kind.TIMESTAMP,
    Duration: Kind.DURATION,
    CelType: Kind.TYPE,
    OptionalValue: Kind.OPTIONAL,
}

TYPES: dict[Kind, CelType] = {
    **{kind: CelType(str(kind)) for kind in KINDS.values()},
    Kind.NULL: CelType("null_type"),
    Kind.OPTIONAL: CelType("optional_type"),
    Kind.TIMESTAMP: CelType("google.protobuf.Timestamp"),
    Kind.DURATION: CelType("google.protobuf.Duration"),
}


def kind_of(value: object) -> Kind:
    """
    Return the kind of `value`.

    Raises:
        EvaluationError: nothing that an expression can hold.
    """
    kind = KINDS.get(value.__class__)
    if kind is None:
        raise EvaluationError(f"expected a JSON value, got {value.__class__.__name__}")
    return kind


def to_key(value: object) -> object:
    """
    Return `value` as the key of a dictionary that is to be made.

    Raises:
        EvaluationError: not an int, uint, bool or string.
    """
    if value.__class__ in (str, int, Uint):
        return value
    if value.__class__ is bool:
        return BoolKey(value)
    raise EvaluationError(f"expected a string, int, uint or bool as key, got {kind_of(value)}")


def from_key(key: object) -> object:
    """Return the value that `key` of a dictionary stands for."""
    return key.value if isinstance(key, BoolKey) else key
