"""
The tree of an expression.

The parser makes names and calls as they are written; the checker replaces
them: `Name` becomes `Root`, `Local` or `Literal`, `Call` becomes `Invoke`.
Everything after the checker sees only the second kind.

`position` is the offset in the source at which an error is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TypeAlias

from oncue.core.expression.function import Function, Overload
from oncue.core.expression.values import Kind, kind_of


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    position: int
    value: object


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written; `is_absolute` with a leading dot, which no local variable shadows."""

    position: int
    name: str
    is_absolute: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """A value that the caller gives; `name` may hold dots, `kind` is what was declared of it."""

    position: int
    name: str
    kind: Kind = Kind.ANY


@dataclass(frozen=True, slots=True)
class End:
    """`operand.first` or `operand.last` of a root that was declared to be a list."""

    position: int
    operand: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Local:
    """
    A variable of a loop or binding; `slot` is unique in the expression.

    What is bound may have failed, which counts only where it is used.
    """

    position: int
    name: str
    slot: str
    may_have_failed: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name or function that means nothing, in an expression compiled without the check."""

    position: int
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """`operand.name` or `operand.?name`."""

    position: int
    operand: "Node"
    name: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class HasField:
    """`has(operand.name)`."""

    position: int
    operand: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Element:
    """`operand[index]` or `operand[?index]`."""

    position: int
    operand: "Node"
    index: "Node"
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call as written: `name(arguments)` or `receiver.name(arguments)`."""

    position: int
    name: str
    receiver: "Node | None"
    arguments: tuple["Node", ...]
    is_absolute: bool = False


@dataclass(frozen=True, slots=True)
class Invoke:
    """
    A function of the table, the receiver of a method being its first argument.

    `overload` is set where the kinds of the arguments are known to choose it.
    """

    position: int
    function: Function
    arguments: tuple["Node", ...]
    gives: Kind
    overload: Overload | None


@dataclass(frozen=True, slots=True)
class Logic:
    """`a && b && …` or `a || b || …`."""

    position: int
    is_and: bool
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : otherwise`."""

    position: int
    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, ?b]`; `optional` holds the indexes of the members behind a question mark."""

    position: int
    items: tuple["Node", ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{a: b, ?c: d}`; keys and values in the order written."""

    position: int
    keys: tuple["Node", ...]
    values: tuple["Node", ...]
    optional: frozenset[int]


class Loop(StrEnum):
    """What a comprehension makes of its source."""

    ALL = "all"
    EXISTS = "exists"
    EXISTS_ONE = "exists_one"
    MAP = "map"
    FILTER = "filter"
    TRANSFORM_LIST = "transformList"
    TRANSFORM_MAP = "transformMap"
    TRANSFORM_MAP_ENTRY = "transformMapEntry"
    SORT_BY = "sortBy"


@dataclass(frozen=True, slots=True)
class Comprehension:
    """
    A loop over the members of a list or the keys of a map.

    With two variables they are index and member, or key and value. `test`
    filters; `step` is what is tested or collected.
    """

    position: int
    loop: Loop
    source: "Node"
    variables: tuple[str, ...]
    test: "Node | None"
    step: "Node"


@dataclass(frozen=True, slots=True)
class Bind:
    """`cel.bind(variable, value, body)`."""

    position: int
    variable: str
    value: "Node"
    body: "Node"


@dataclass(frozen=True, slots=True)
class MapOptional:
    """`operand.optMap(variable, body)`; `is_flat` where the body itself gives an optional."""

    position: int
    operand: "Node"
    variable: str
    body: "Node"
    is_flat: bool


@dataclass(frozen=True, slots=True)
class OrElse:
    """`operand.orValue(otherwise)`, or `operand.or(otherwise)` where `is_value` is false."""

    position: int
    operand: "Node"
    otherwise: "Node"
    is_value: bool


Node: TypeAlias = (
    Literal
    | Name
    | Root
    | Local
    | Unknown
    | Field
    | HasField
    | Element
    | End
    | Call
    | Invoke
    | Logic
    | Conditional
    | ListOf
    | MapOf
    | Comprehension
    | Bind
    | MapOptional
    | OrElse
)


_INNER = {
    kind: tuple(attribute.name for attribute in fields(kind) if "Node" in str(attribute.type))
    for kind in Node.__args__
}


def children(node: Node) -> list[Node]:
    """Return the nodes directly below `node`, in the order in which they are written."""
    found: list[Node] = []
    for name in _INNER[node.__class__]:
        inner = getattr(node, name)
        if isinstance(inner, tuple):
            found += inner
        elif inner is not None:
            found.append(inner)
    return found


def rebuild(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return `node` with `change` made to each node directly below it."""
    if not (names := _INNER[node.__class__]):
        return node
    changed: dict[str, object] = {}
    for name in names:
        inner = getattr(node, name)
        if isinstance(inner, tuple):
            changed[name] = tuple(map(change, inner))
        elif inner is not None:
            changed[name] = change(inner)
    return replace(node, **changed)  # type: ignore[arg-type]  # the names are fields of its class


def cost(node: Node) -> int:
    """Return the units that evaluating `node` once costs, as far as they do not depend on data."""
    own = node.function.weight if isinstance(node, Invoke) else 1
    return own + sum(map(cost, children(node)))


def bulk(node: Node) -> int:
    """Return what `node` and all below it take to become Python, against `MAX_BULK`."""
    match node:
        case Literal() | Local() | Unknown():
            own = 1
        case Logic(operands=operands):
            own = 4 * len(operands)
        case Conditional() | Comprehension() | Bind() | MapOptional() | OrElse():
            own = 5
        case _:
            own = 2
    return own + sum(map(bulk, children(node)))


def height(node: Node) -> int:
    """Return how many levels the tree of `node` has, however many they are."""
    levels = 0
    level = [node]
    while level:
        levels += 1
        level = [inner for outer in level for inner in children(outer)]
    return levels


def static_kind(node: Node) -> Kind:
    """Return the kind of what a checked `node` gives, as far as the tree tells."""
    match node:
        case Literal(value=value):
            return kind_of(value)
        case Root(kind=kind) | Invoke(gives=kind):
            return kind
        case Logic() | HasField():
            return Kind.BOOL
        case Conditional(then=then, otherwise=otherwise):
            kind = static_kind(then)
            return kind if kind is static_kind(otherwise) else Kind.ANY
        case ListOf():
            return Kind.LIST
        case MapOf():
            return Kind.MAP
        case Comprehension(loop=loop):
            return _LOOP_KINDS[loop]
        case MapOptional(is_flat=False):
            return Kind.OPTIONAL
        case _:
            return Kind.ANY


_LOOP_KINDS = {
    Loop.ALL: Kind.BOOL,
    Loop.EXISTS: Kind.BOOL,
    Loop.EXISTS_ONE: Kind.BOOL,
    Loop.MAP: Kind.LIST,
    Loop.FILTER: Kind.LIST,
    Loop.TRANSFORM_LIST: Kind.LIST,
    Loop.TRANSFORM_MAP: Kind.MAP,
    Loop.TRANSFORM_MAP_ENTRY: Kind.MAP,
    Loop.SORT_BY: Kind.LIST,
}


def spell(node: Node) -> str:
    """Return a path such as `event.items[0].name` as text, or nothing where `node` is no path."""
    match node:
        case Root(name=name) | Local(name=name):
            return name
        case Field(operand=operand, name=name) | End(operand=operand, name=name):
            return f"{before}.{name}" if (before := spell(operand)) else ""
        case Element(operand=operand, index=Literal(value=value)):
            return f"{before}[{value!r}]" if (before := spell(operand)) else ""
        case _:
            return ""
