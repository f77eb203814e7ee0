"""
What names and calls mean, and whether the kinds of arguments can be right.

Names are resolved as CEL does it (cel-spec, langdef.md, "Name Resolution"): a
variable of a loop first, then the longest dotted name that is a root, in the
container before outside of it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from oncue.core.expression.excerpts import SourceError, nearest
from oncue.core.expression.function import Function, Style, counts
from oncue.core.expression.library import FUNCTIONS
from oncue.core.expression.macros import MACROS
from oncue.core.expression.tree import (
    Bind,
    Call,
    Comprehension,
    Conditional,
    Element,
    End,
    Field,
    HasField,
    Invoke,
    Literal,
    Local,
    Logic,
    MapOptional,
    Name,
    Node,
    Root,
    Unknown,
    children,
    rebuild,
    static_kind,
)
from oncue.core.expression.values import TYPES, Kind

_ENDS = ("first", "last")
_WITH_FIELDS = (Kind.MAP, Kind.OPTIONAL, Kind.ANY)
_TYPE_NAMES = {named.name: named for named in TYPES.values()}
_MISPLACED = (
    "expected no secrets here: they may stand only in with, headers, auth and url,"
    " from where they are neither stored nor shown"
)
Scope = Mapping[str, Local]


@dataclass(frozen=True, slots=True)
class Names:
    """
    What names may mean: the `roots`, the `container` in which they are looked up first, and
    the `functions`.

    Those of `lists` are roots as well: lists, such as the events that a step of a pattern
    took, whose ends are `name.first` and `name.last`. Where `is_checked` is false, what
    means nothing fails when it is evaluated.
    """

    roots: Collection[str]
    lists: Collection[str] = ()
    container: str = ""
    is_checked: bool = True
    functions: Mapping[str, Function] = field(default_factory=lambda: FUNCTIONS)

    def root(self, name: str, position: int) -> Root | None:
        """Return the root of that name, if there is one."""
        if name in self.lists:
            return Root(position, name, Kind.LIST)
        return Root(position, name) if name in self.roots else None

    def qualify(self, name: str, *, is_absolute: bool) -> Iterator[str]:
        """Yield `name` as it stands in the container, in each one around it, and as it is."""
        if not is_absolute:
            parts = self.container.split(".") if self.container else []
            for end in range(len(parts), 0, -1):
                yield ".".join((*parts[:end], name))
        yield name


def check(tree: Node, names: Names) -> Node:
    """
    Return `tree` with each name and call replaced by what it means.

    Raises:
        SourceError: one means nothing, or cannot take what it is given.
    """
    known = (*names.roots, *names.lists, *_TYPE_NAMES)
    return _Checker(names, max(name.count(".") for name in known) + 1).check(tree, {})


def paths_read(node: Node) -> Iterator[tuple[str, ...]]:
    """Yield the longest paths from a root that `node` reads, such as `("event", "data", "plan")`."""
    if path := _path(node):
        yield path
    else:
        for inner in children(node):
            yield from paths_read(inner)


def _path(node: Node) -> tuple[str, ...]:
    match node:
        case Root(name=name):
            return (name,)
        case Field(operand=operand, name=name) | HasField(operand=operand, name=name):
            return (*before, name) if (before := _path(operand)) else ()
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class _Checker:
    names: Names
    longest: int
    """How many parts the longest name of a root or type has."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def check(self, node: Node, scope: Scope) -> Node:
        if rule := _RULES.get(node.__class__):
            return rule(self, node, scope)
        return rebuild(node, lambda inner: self.check(inner, scope))

    def declare(self, name: str, position: int) -> Local:
        return Local(position, name, f"each{next(self.numbers)}_{name[:30]}")

    def refuse(self, message: str, position: int) -> Node:
        if self.names.is_checked:
            raise SourceError(message, position)
        return Unknown(position, message)

    def name(self, node: Name, scope: Scope) -> Node:
        return self.path([node], scope)

    def field(self, node: Field, scope: Scope) -> Node:
        chain = _chain(node)
        if chain:
            return self.path(chain, scope)
        operand = self.check(node.operand, scope)
        _require_fields(self.names, operand, node)
        return replace(node, operand=operand)

    def path(self, chain: list[Name | Field], scope: Scope) -> Node:
        """Resolve a name and the fields after it, of which the first may belong to the name."""
        first, *rest = chain
        assert isinstance(first, Name)
        if first.name in scope and not first.is_absolute:
            local = replace(scope[first.name], position=first.position)
            return _select(self.names, local, rest)
        for length in range(min(len(chain), self.longest), 0, -1):
            dotted = ".".join([part.name for part in chain[:length]])
            for name in self.names.qualify(dotted, is_absolute=first.is_absolute):
                if root := self.names.root(name, first.position):
                    return _select(self.names, root, chain[length:])
                if name in _TYPE_NAMES:
                    return _select(
                        self.names, Literal(first.position, _TYPE_NAMES[name]), chain[length:]
                    )
        if first.name == "secrets":
            return self.refuse(_MISPLACED, first.position)
        known = nearest(first.name, {*self.names.roots, *self.names.lists, *scope})
        return self.refuse(f"expected a known name, got {first.name!r}{known}", first.position)

    def call(self, node: Call, scope: Scope) -> Node:
        function, receivers = self.find(node, scope)
        arguments = tuple(self.check(inner, scope) for inner in (*receivers, *node.arguments))
        if function is None:
            return self.refuse(_unknown_call(node), node.position)
        if not function.takes(len(arguments)):
            wanted = counts(function.overloads, len(receivers))
            return self.refuse(_wrong_count(node, wanted), node.position)
        kinds = tuple(map(static_kind, arguments))
        fits = function.fits(kinds)
        if not fits and self.names.is_checked:
            raise SourceError(function.complain(kinds), node.position)
        gives = {overload.gives for overload in fits}
        # An overload is certain only where no argument's kind is left to the evaluation.
        is_certain = (
            len(fits) == 1
            and not fits[0].is_variadic
            and all(
                kind is not Kind.ANY or taken is Kind.ANY
                for kind, taken in zip(kinds, fits[0].takes, strict=True)
            )
        )
        return Invoke(
            node.position,
            function,
            arguments,
            gives.pop() if len(gives) == 1 else Kind.ANY,
            fits[0] if is_certain else None,
        )

    def find(self, node: Call, scope: Scope) -> tuple[Function | None, tuple[Node, ...]]:
        """Return what `node` calls, and the value before the dot if it is no namespace."""
        if node.receiver is None:
            for name in self.names.qualify(node.name, is_absolute=node.is_absolute):
                function = self.names.functions.get(name)
                if function and function.style is not Style.METHOD and "." not in node.name:
                    return function, ()
            return None, ()
        chain = _chain(node.receiver)
        if chain and chain[0].name not in scope:
            dotted = ".".join([*(part.name for part in chain), node.name])
            is_absolute = isinstance(chain[0], Name) and chain[0].is_absolute
            for name in self.names.qualify(dotted, is_absolute=is_absolute):
                if function := self.names.functions.get(name):
                    return function, ()
        function = self.names.functions.get(node.name)
        if function and function.style in (Style.METHOD, Style.BOTH):
            return function, (node.receiver,)
        return None, (() if chain and self.is_namespace(chain) else (node.receiver,))

    def is_namespace(self, chain: list[Name | Field]) -> bool:
        prefix = ".".join(part.name for part in chain) + "."
        return any(name.startswith(prefix) for name in self.names.functions)

    def truths(self, node: Logic | Conditional, scope: Scope) -> Node:
        """Check what must be a bool: all operands of `&&` and `||`, the condition of `?:`."""
        checked = rebuild(node, lambda inner: self.check(inner, scope))
        assert isinstance(checked, Logic | Conditional)
        must = checked.operands if isinstance(checked, Logic) else (checked.condition,)
        for operand in must:
            kind = static_kind(operand)
            if kind not in (Kind.BOOL, Kind.ANY) and self.names.is_checked:
                raise SourceError(f"expected a bool, got {kind}", operand.position)
        return checked

    def comprehension(self, node: Comprehension, scope: Scope) -> Node:
        inside = {**scope}
        for name in node.variables:
            inside[name] = self.declare(name, node.position)
        return replace(
            node,
            source=self.check(node.source, scope),
            variables=tuple(inside[name].slot for name in node.variables),
            test=node.test and self.check(node.test, inside),
            step=self.check(node.step, inside),
        )


def _has_field(checker: _Checker, node: HasField, scope: Scope) -> Node:
    operand = checker.check(node.operand, scope)
    _require_fields(checker.names, operand, node)
    return replace(node, operand=operand)


def _element(checker: _Checker, node: Element, scope: Scope) -> Node:
    """A constant text as index is a field by another spelling."""
    operand, index = checker.check(node.operand, scope), checker.check(node.index, scope)
    if isinstance(index, Literal) and isinstance(index.value, str):
        return Field(node.position, operand, index.value, node.is_optional)
    return replace(node, operand=operand, index=index)


def _bind(checker: _Checker, node: Bind, scope: Scope) -> Node:
    value = checker.check(node.value, scope)
    local = checker.declare(node.variable, node.position)
    local = replace(local, may_have_failed=not isinstance(value, Literal))
    return replace(
        node,
        variable=local.slot,
        value=value,
        body=checker.check(node.body, {**scope, node.variable: local}),
    )


def _map_optional(checker: _Checker, node: MapOptional, scope: Scope) -> Node:
    local = checker.declare(node.variable, node.position)
    return replace(
        node,
        variable=local.slot,
        operand=checker.check(node.operand, scope),
        body=checker.check(node.body, {**scope, node.variable: local}),
    )


_RULES: Mapping[type, Callable[..., Node]] = {
    Name: _Checker.name,
    Field: _Checker.field,
    HasField: _has_field,
    Element: _element,
    Call: _Checker.call,
    Logic: _Checker.truths,
    Conditional: _Checker.truths,
    Comprehension: _Checker.comprehension,
    Bind: _bind,
    MapOptional: _map_optional,
}


def _chain(node: Node) -> list[Name | Field]:
    """Return a name and the fields selected from it, or nothing where `node` is more than that."""
    chain: list[Name | Field] = []
    while isinstance(node, Field) and not node.is_optional:
        chain.append(node)
        node = node.operand
    return [node, *reversed(chain)] if isinstance(node, Name) else []


def _select(names: Names, node: Node, fields: list[Name | Field]) -> Node:
    for part in fields:
        if isinstance(node, Root) and node.kind is Kind.LIST and part.name in _ENDS:
            node = End(part.position, node, part.name)
        else:
            _require_fields(names, node, part)
            node = Field(part.position, node, part.name)
    return node


def _require_fields(names: Names, operand: Node, part: Name | Field | HasField) -> None:
    kind = static_kind(operand)
    if kind in _WITH_FIELDS or not names.is_checked:
        return
    if kind is Kind.LIST and isinstance(operand, Root):
        name = operand.name
        shapes = f"{name}[0], {name}.first or {name}.last, as {name} is a list"
        raise SourceError(f"expected {shapes}, got {name}.{part.name}", part.position)
    raise SourceError(f"expected a map before .{part.name}, got {kind}", part.position)


def _wrong_count(node: Call, wanted: Collection[int]) -> str:
    noun = "argument" if list(wanted) == [1] else "arguments"
    return f"{node.name} takes {' or '.join(map(str, wanted))} {noun}, got {len(node.arguments)}"


def _unknown_call(node: Call) -> str:
    macro = MACROS.get((node.name, node.receiver is not None))
    if macro and node.name != "bind":
        return _wrong_count(node, macro.takes)
    if node.name in FUNCTIONS:
        is_method = FUNCTIONS[node.name].style is Style.METHOD
        shape = f"value.{node.name}(…)" if is_method else f"{node.name}(…)"
        return f"expected {shape}, as {node.name} is called"
    chain = _chain(node.receiver) if node.receiver else []
    dotted = ".".join([*(part.name for part in chain), node.name])
    names = [name for name in FUNCTIONS if name[0].isalpha()] + [name for name, _ in MACROS]
    known = nearest(dotted, names) or nearest(node.name, names)
    return f"expected a known function, got {node.name!r}{known}"
