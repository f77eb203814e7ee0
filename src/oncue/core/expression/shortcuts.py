"""
Calls that are Python of their own for the values that mostly come.

Each shortcut gives what the function of the table gives, for every value: it
asks for the class of what it was given, and leaves all others to the table. A
budget made on the spot is enough where the constant in the source bounds the
work.
"""

from collections.abc import Callable, Mapping

from oncue.core.expression.tree import Invoke, ListOf, Literal, Node, static_kind
from oncue.core.expression.values import Kind
from oncue.core.expression.writing import Part

# Below it no other int becomes the same double, so Python's exact comparison is CEL's.
_MAX_EXACT = 2**53
_NUMBERS = (Kind.INT, Kind.UINT, Kind.DOUBLE)
# Searching through so much costs less than a unit.
_SHORT_TEXT_CHARS = 512


def shortcut(part: Part, node: Invoke) -> str:
    """Return `node` as an expression of Python, or nothing where only the table knows it."""
    write = _SHORTCUTS.get(node.function.name)
    return write(part, node) if write else ""


def _equality(part: Part, node: Invoke) -> str:
    """Against a constant that Python compares as CEL does."""
    is_equal = node.function.name == "_==_"
    for value, other in (node.arguments, node.arguments[::-1]):
        if not isinstance(other, Literal) or isinstance(value, Literal):
            continue
        constant = other.value
        if constant is None or constant.__class__ is bool:
            return f"({part.emit(value)} {'is' if is_equal else 'is not'} {constant})"
        if constant.__class__ is str:
            return f"({part.emit(value)} {'==' if is_equal else '!='} {part.constant(constant)})"
        if _is_exact(constant):
            name = part.named(part.emit(value))
            if static_kind(value) in _NUMBERS:
                return f"({name} {'==' if is_equal else '!='} {part.constant(constant)})"
            # In Python True == 1.
            if is_equal:
                return f"({name} == {part.constant(constant)} and {name}.__class__ is not bool)"
            return f"({name} != {part.constant(constant)} or {name}.__class__ is bool)"
    return ""


_ORDERS = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "less_or_equal"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "greater_or_equal"),
}


def _order(part: Part, node: Invoke) -> str:
    """Against a constant number; what is compared is mostly an int or a float."""
    symbol, slow = _ORDERS[node.function.name]
    left, right = node.arguments
    is_left = isinstance(left, Literal)
    constant, value = (left, right) if isinstance(left, Literal) else (right, left)
    if not isinstance(constant, Literal) or not _is_exact(constant.value):
        return ""
    name = part.named(part.emit(value))
    limit = part.constant(constant.value)
    one, other = (limit, name) if is_left else (name, limit)
    if static_kind(value) in _NUMBERS:
        return f"({one} {symbol} {other})"
    return (
        f"({one} {symbol} {other} if {name}.__class__ is int or {name}.__class__ is float"
        f" else {slow}(Budget(), {one}, {other}))"
    )


def _membership(part: Part, node: Invoke) -> str:
    """In a list of constant strings."""
    value, container = node.arguments
    if not isinstance(container, ListOf) or container.optional or not container.items:
        return ""
    texts = [item.value for item in container.items if isinstance(item, Literal)]
    if len(texts) < len(container.items) or any(text.__class__ is not str for text in texts):
        return ""
    among = part.module.name_constant("among", tuple(texts))
    return f"({part.emit(value)} in {among})"


def _not(part: Part, node: Invoke) -> str:
    (operand,) = node.arguments
    text = part.emit(operand)
    if static_kind(operand) is Kind.BOOL:
        return f"(not {text})"
    name = part.named(text)
    slow = part.module.name_constant("operator", node.function)
    return f"(not {name} if {name}.__class__ is bool else {slow}(Budget(), {name}))"


def _end(python: str) -> Callable[[Part, Invoke], str]:
    """`startsWith` and `endsWith` with a constant."""

    def write(part: Part, node: Invoke) -> str:
        text, end = node.arguments
        if not _is_text(end) or static_kind(text) is not Kind.ANY:
            return ""
        name = part.named(part.emit(text))
        constant = part.emit(end)
        slow = part.module.name_constant(node.function.name, node.function)
        fast = f"{name}.{python}({constant}) if {name}.__class__ is str"
        return f"({fast} else {slow}(Budget(), {name}, {constant}))"

    return write


def _contains(part: Part, node: Invoke) -> str:
    """A constant in a short text."""
    text, inner = node.arguments
    if not _is_text(inner) or static_kind(text) is not Kind.ANY:
        return ""
    name = part.named(part.emit(text))
    constant = part.emit(inner)
    slow = part.module.name_constant(node.function.name, node.function)
    is_short = f"{name}.__class__ is str and len({name}) < {_SHORT_TEXT_CHARS}"
    return f"({constant} in {name} if {is_short} else {slow}({part.budget()}, {name}, {constant}))"


def _size(part: Part, node: Invoke) -> str:
    (value,) = node.arguments
    if static_kind(value) is not Kind.ANY:
        return ""
    name = part.named(part.emit(value))
    slow = part.module.name_constant(node.function.name, node.function)
    is_plain = f"{name}.__class__ is list or {name}.__class__ is str"
    return f"(len({name}) if {is_plain} else {slow}(Budget(), {name}))"


_SHORTCUTS: Mapping[str, Callable[[Part, Invoke], str]] = {
    "_==_": _equality,
    "_!=_": _equality,
    **dict.fromkeys(_ORDERS, _order),
    "@in": _membership,
    "!_": _not,
    "startsWith": _end("startswith"),
    "endsWith": _end("endswith"),
    "contains": _contains,
    "size": _size,
}


def _is_text(node: Node) -> bool:
    return isinstance(node, Literal) and node.value.__class__ is str


def _is_exact(value: object) -> bool:
    return value.__class__ in (int, float) and -_MAX_EXACT < value < _MAX_EXACT
