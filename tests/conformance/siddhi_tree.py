"""What a Siddhi query says, as a tree."""

from dataclasses import dataclass, field
from typing import TypeAlias

from oncue.core.json_text import Json


@dataclass(frozen=True)
class Literal:
    value: Json


@dataclass(frozen=True)
class Attribute:
    """`price`, `e1.price`, `e2[0].price`, `e2[last - 1].price`; `back` counts from the end."""

    name: str
    reference: str | None = None
    index: int | None = None
    back: int | None = None


@dataclass(frozen=True)
class Operation:
    """`and`, `or`, `not`, `is null`, a comparison, or a function, with its operands."""

    name: str
    operands: tuple["Expression", ...]


Expression: TypeAlias = Literal | Attribute | Operation


@dataclass(frozen=True)
class Event:
    """`[not] name = Stream [filter] <min:max> [for time]`."""

    stream: str
    name: str | None = None
    filter: Expression | None = None
    least: int = 1
    most: int | None = 1
    is_absent: bool = False
    for_ms: int | None = None


@dataclass(frozen=True)
class Logical:
    """`a and b`, `a or b`."""

    operator: str
    members: tuple[Event, ...]


@dataclass(frozen=True)
class Chain:
    """Parts that follow each other, by `->` (relaxed) or `,` (strict)."""

    parts: tuple["Part", ...]
    is_strict: bool = False
    within_ms: int | None = None


@dataclass(frozen=True)
class Part:
    """A part of a chain, waited for again and again after `every`."""

    content: Event | Logical | Chain
    is_every: bool = False


@dataclass(frozen=True)
class Column:
    """What a row has in a place."""

    value: Expression
    name: str


@dataclass(frozen=True)
class Query:
    """A pattern, the columns of its rows, and which rows are shown."""

    chain: Chain
    columns: tuple[Column, ...]
    having: Expression | None = None
    partition: str | None = None
    streams: dict[str, tuple[str, ...]] = field(default_factory=dict)
