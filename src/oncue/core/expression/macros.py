"""
What the parser rewrites: calls that do not evaluate their arguments as such.

One row each, as in the table of functions; a new macro is a new row.
"""

from collections.abc import Callable
from dataclasses import dataclass

from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.tree import (
    Bind,
    Call,
    Comprehension,
    Field,
    HasField,
    Loop,
    MapOptional,
    Name,
    Node,
    OrElse,
)


@dataclass(frozen=True, slots=True)
class Macro:
    """A call that becomes another node; `takes` counts what stands in the parentheses."""

    name: str
    is_method: bool
    takes: tuple[int, ...]
    summary: str
    example: str
    expand: Callable[[Call], Node]


def expand(call: Call) -> Node:
    """
    Return what `call` stands for: itself, where no macro has its name and shape.

    Raises:
        SourceError: a macro's argument that is not what it must be.
    """
    macro = MACROS.get((call.name, call.receiver is not None))
    if macro is None or len(call.arguments) not in macro.takes:
        return call
    if call.name == "bind" and call.receiver != Name(_start(call.receiver), "cel"):
        return call
    return macro.expand(call)


def _start(node: Node | None) -> int:
    return node.position if node else 0


def _variable(node: Node) -> str:
    if isinstance(node, Name) and not node.is_absolute:
        return node.name
    raise SourceError("expected the name of a variable, got an expression", node.position)


def _has(call: Call) -> Node:
    field = call.arguments[0]
    if not isinstance(field, Field) or field.is_optional:
        raise SourceError("expected a field such as has(event.data.x)", field.position)
    return HasField(call.position, field.operand, field.name)


def _loop(loop: Loop) -> Callable[[Call], Node]:
    """The last argument is the step; before it one or two variables, for some also a test."""

    def build(call: Call) -> Node:
        *names, step = call.arguments
        test = None
        has_test = len(names) > (1 if loop is Loop.MAP else 2)
        if has_test:
            test = names.pop()
        variables = tuple(_variable(name) for name in names)
        if len(set(variables)) != len(variables):
            raise SourceError(f"expected two names, got {variables[0]!r} twice", call.position)
        return Comprehension(call.position, loop, _receiver(call), variables, test, step)

    return build


def _receiver(call: Call) -> Node:
    assert call.receiver is not None
    return call.receiver


def _bind(call: Call) -> Node:
    name, value, body = call.arguments
    return Bind(call.position, _variable(name), value, body)


def _map_optional(*, is_flat: bool) -> Callable[[Call], Node]:
    def build(call: Call) -> Node:
        name, body = call.arguments
        return MapOptional(call.position, _receiver(call), _variable(name), body, is_flat)

    return build


def _or_else(*, is_value: bool) -> Callable[[Call], Node]:
    def build(call: Call) -> Node:
        return OrElse(call.position, _receiver(call), call.arguments[0], is_value)

    return build


_ROWS = (
    Macro(
        "has",
        False,
        (1,),
        "Whether a map has the field; a null there counts.",
        "has({'a': null}.a) && !has({}.a)",
        _has,
    ),
    Macro(
        "all",
        True,
        (2, 3),
        "Whether the test holds for every member of a list or key of a map.",
        "[1, 2].all(n, n > 0)",
        _loop(Loop.ALL),
    ),
    Macro(
        "exists",
        True,
        (2, 3),
        "Whether the test holds for some member or key.",
        "[1, 2].exists(n, n > 1)",
        _loop(Loop.EXISTS),
    ),
    Macro(
        "exists_one",
        True,
        (2, 3),
        "Whether the test holds for exactly one member or key.",
        "[1, 2].exists_one(n, n > 1)",
        _loop(Loop.EXISTS_ONE),
    ),
    Macro(
        "existsOne",
        True,
        (2, 3),
        "The same as exists_one.",
        "[5, 6].existsOne(index, n, index == 1 && n == 6)",
        _loop(Loop.EXISTS_ONE),
    ),
    Macro(
        "map",
        True,
        (2, 3),
        "A list of what the last argument gives for every member that passes the test, if any.",
        "[1, 2].map(n, n * 2) == [2, 4] && [1, 2].map(n, n > 1, n * 2) == [4]",
        _loop(Loop.MAP),
    ),
    Macro(
        "filter",
        True,
        (2,),
        "The members or keys for which the test holds.",
        "[1, 2].filter(n, n > 1) == [2]",
        _loop(Loop.FILTER),
    ),
    Macro(
        "transformList",
        True,
        (3, 4),
        "A list made from index and member, or from key and value.",
        "[5, 6].transformList(index, n, index + n) == [5, 7]",
        _loop(Loop.TRANSFORM_LIST),
    ),
    Macro(
        "transformMap",
        True,
        (3, 4),
        "A map with the same keys (or the indexes) and new values.",
        "{'a': 1}.transformMap(key, n, n + 1) == {'a': 2}",
        _loop(Loop.TRANSFORM_MAP),
    ),
    Macro(
        "transformMapEntry",
        True,
        (3, 4),
        "A map put together from one map for each key and value.",
        "{'a': 'b'}.transformMapEntry(key, other, {other: key}) == {'b': 'a'}",
        _loop(Loop.TRANSFORM_MAP_ENTRY),
    ),
    Macro(
        "sortBy",
        True,
        (2,),
        "The members of a list in the order of what the expression gives for each.",
        "['ccc', 'a', 'bb'].sortBy(text, text.size()) == ['a', 'bb', 'ccc']",
        _loop(Loop.SORT_BY),
    ),
    Macro(
        "bind",
        True,
        (3,),
        "An expression in which a name stands for a value: `cel.bind(name, value, expression)`.",
        "cel.bind(n, 2, n * n) == 4",
        _bind,
    ),
    Macro(
        "optMap",
        True,
        (2,),
        "An optional of what the expression makes of the value, if there is one.",
        "optional.of(1).optMap(n, n + 1).value() == 2",
        _map_optional(is_flat=False),
    ),
    Macro(
        "optFlatMap",
        True,
        (2,),
        "The optional that the expression makes of the value, if there is one.",
        "!optional.of(1).optFlatMap(n, optional.none()).hasValue()",
        _map_optional(is_flat=True),
    ),
    Macro(
        "or",
        True,
        (1,),
        "The optional itself, or the other where it holds nothing.",
        "optional.none().or(optional.of(1)).value() == 1",
        _or_else(is_value=False),
    ),
    Macro(
        "orValue",
        True,
        (1,),
        "What the optional holds, or the other value where it holds nothing.",
        "{}.?a.orValue(1) == 1",
        _or_else(is_value=True),
    ),
)

MACROS = {(macro.name, macro.is_method): macro for macro in _ROWS}
"""Every macro by its name and by whether it is called as a method."""
