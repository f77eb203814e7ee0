"""
From a checked tree to one Python function.

The function is written as text and compiled once, so an evaluation runs at the
speed of Python written by hand. Nothing of a user's text reaches it but as a
quoted constant: names are made here, and the code sees only what `_RUNTIME`
and the table of functions give it.

An emitter writes the statements that a node needs and returns an expression,
to be used once, in the same block. Blocks that grow deep go on in a function of
their own, since Python bounds the nesting of blocks.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from types import CodeType

from oncue.core.errors import EvaluationError
from oncue.core.expression import access
from oncue.core.expression.budget import Budget
from oncue.core.expression.comparison import greater, greater_or_equal, less, less_or_equal
from oncue.core.expression.tree import (
    Bind,
    Comprehension,
    Conditional,
    Element,
    Field,
    HasField,
    Invoke,
    ListOf,
    Literal,
    Local,
    Logic,
    Loop,
    MapOf,
    MapOptional,
    Node,
    OrElse,
    Root,
    Unknown,
    size,
    spell,
    static_kind,
)
from oncue.core.expression.values import ABSENT, Kind, OptionalValue, to_key

Evaluate = Callable[[Mapping[str, object]], object]

# Python refuses more than 20 blocks within one another; an emitter adds up to three.
_MAX_BLOCKS = 12
# Doubles hold every whole number up to here, so Python's exact comparison is CEL's.
_MAX_EXACT = 2**53

_RUNTIME: Mapping[str, object] = {
    "__builtins__": {},
    "ABSENT": ABSENT,
    "Budget": Budget,
    "EvaluationError": EvaluationError,
    "FAULTS": access.FAULTS,
    "OptionalValue": OptionalValue,
    "as_optional": access.as_optional,
    "bool": bool,
    "descend": access.descend,
    "dict": dict,
    "element": access.element,
    "entries": access.entries,
    "float": float,
    "given": access.given,
    "greater": greater,
    "greater_or_equal": greater_or_equal,
    "has_field": access.has_field,
    "int": int,
    "kept": access.kept,
    "len": len,
    "less": less,
    "less_or_equal": less_or_equal,
    "members": access.members,
    "optional_element": access.optional_element,
    "optional_field": access.optional_field,
    "put": access.put,
    "refuse_non_bool": access.refuse_non_bool,
    "to_key": to_key,
}


def compile_tree(tree: Node) -> tuple[Evaluate, str]:
    """Return a checked `tree` as a function of the values of its roots, and the function's text."""
    module = _Module()
    module.write_part("evaluate", tree, ())
    source = module.source()
    namespace = {**_RUNTIME, **module.constants}
    code: CodeType = compile(source, "<expression>", "exec")
    exec(code, namespace)  # noqa: S102 - the text is made here, of a tree and quoted constants
    evaluate: Evaluate = namespace["evaluate"]  # type: ignore[assignment]  # just defined
    return evaluate, source


class _Module:
    """The functions that one expression becomes, and the constants that they name."""

    def __init__(self) -> None:
        self.constants: dict[str, object] = {}
        self.numbers = count(1)
        self.uses_budget = False
        self._functions: list[list[str]] = []

    def write_part(self, name: str, tree: Node, variables: tuple[str, ...]) -> None:
        """Add the function `name`, which gives the value of `tree`."""
        part = _Part(self, variables)
        lines = part.lines
        part.line(f"return {part.emit(tree)}")
        parameters = ["values"] if name == "evaluate" else ["values", "budget", *variables]
        lines.insert(0, f"def {name}({', '.join(parameters)}):")
        self._functions.append(lines)

    def name_constant(self, prefix: str, value: object) -> str:
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"{prefix}_{next(self.numbers)}"
        self.constants[name] = value
        return name

    def source(self) -> str:
        *parts, evaluate = self._functions
        if self.uses_budget:
            evaluate.insert(1, "    budget = Budget()")
        return "\n\n".join("\n".join(lines) for lines in (*parts, evaluate)) + "\n"


class _Part:
    """The body of one function while it is written."""

    def __init__(self, module: _Module, variables: tuple[str, ...]) -> None:
        self.module = module
        self.variables = variables
        self.lines: list[str] = []
        self._blocks = 1

    def emit(self, node: Node) -> str:
        """Write the statements that `node` needs and return its value as an expression."""
        if self._blocks > _MAX_BLOCKS and not isinstance(node, Literal | Local | Root | Field):
            return self._emit_apart(node)
        return _EMITTERS[node.__class__](self, node)

    def emit_bool(self, node: Node) -> str:
        """Emit `node` as a name or expression that is True or False and nothing else."""
        text = self.emit(node)
        if static_kind(node) is Kind.BOOL:
            return text
        name = self.named(text)
        self.line(f"if {name} is not True and {name} is not False:")
        self.line(f"    refuse_non_bool({name})")
        return name

    def line(self, text: str) -> None:
        self.lines.append("    " * self._blocks + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write `head`, and what is written inside it below."""
        self.line(head)
        self._blocks += 1
        yield
        self._blocks -= 1

    @contextmanager
    def declared(self, *variables: str) -> Iterator[None]:
        """Let parts know the variables of a loop or binding."""
        before = self.variables
        self.variables += variables
        yield
        self.variables = before

    def fresh(self, hint: str = "") -> str:
        number = next(self.module.numbers)
        is_plain = hint.isidentifier() and hint.isascii()
        return f"v{number}_{hint[:30]}" if is_plain else f"v{number}"

    def named(self, text: str, hint: str = "") -> str:
        """Return a variable that holds `text`."""
        if text.isidentifier():
            return text
        name = self.fresh(hint)
        self.line(f"{name} = {text}")
        return name

    def budget(self) -> str:
        self.module.uses_budget = True
        return "budget"

    def constant(self, value: object) -> str:
        """Return `value` as a literal of Python, or as a name where it has none."""
        if value is None or value.__class__ in (bool, int, str, bytes):
            return repr(value)
        if value.__class__ is float and value not in (float("inf"), float("-inf")):
            return repr(value) if value == value else self.module.name_constant("k", value)
        return self.module.name_constant("k", value)

    def _emit_apart(self, node: Node) -> str:
        name = f"part_{next(self.module.numbers)}"
        self.module.write_part(name, node, self.variables)
        return f"{name}({', '.join(('values', self.budget(), *self.variables))})"


def _literal(part: _Part, node: Literal) -> str:
    return part.constant(node.value)


def _unknown(part: _Part, node: Unknown) -> str:
    part.line(f"raise EvaluationError({node.message!r})")
    return "None"


def _local(_: _Part, node: Local) -> str:
    return node.slot


def _path(part: _Part, node: Root | Field) -> str:
    """A run of fields: the short way, and the long one that says what is missing."""
    names: list[str] = []
    inner: Node = node
    while isinstance(inner, Field) and not inner.is_optional:
        names.append(inner.name)
        inner = inner.operand
    names.reverse()
    if isinstance(inner, Root):
        begin, again = f"values[{inner.name!r}]", f"given(values, {inner.name!r})"
    else:
        begin = again = part.named(part.emit(inner))
    if not names and not isinstance(inner, Root):
        return begin
    found = part.fresh(names[-1] if names else "")
    short = "".join(f"[{name!r}]" for name in names)
    part.line(f"try: {found} = {begin}{short}")
    part.line(f"except FAULTS: {found} = descend({again}, {spell(inner)!r}, {tuple(names)!r})")
    return found


def _field(part: _Part, node: Field) -> str:
    if node.is_optional:
        return f"optional_field({part.emit(node.operand)}, {node.name!r})"
    return _path(part, node)


def _has_field(part: _Part, node: HasField) -> str:
    operand = part.named(part.emit(node.operand))
    if node.is_optional:
        return f"has_field({operand}, {node.name!r})"
    name = repr(node.name)
    return f"({name} in {operand} if {operand}.__class__ is dict else has_field({operand}, {name}))"


def _element(part: _Part, node: Element) -> str:
    operand = part.emit(node.operand)
    index = part.emit(node.index)
    if node.is_optional:
        return f"optional_element({operand}, {index})"
    return f"element({operand}, {index}, {spell(node.operand)!r})"


def _invoke(part: _Part, node: Invoke) -> str:
    if short := _SHORT.get(node.function.name):
        text = short(part, node)
        if text:
            return text
    arguments = [part.emit(argument) for argument in node.arguments]
    overload = node.overload
    name = node.function.name
    hint = name.replace(".", "_") if name[0].isalpha() else "operator"
    if overload and overload.is_free:
        call = part.module.name_constant(hint, overload.call)
        return f"{call}({', '.join(arguments)})"
    call = part.module.name_constant(hint, node.function)
    return f"{call}({', '.join((part.budget(), *arguments))})"


def _equality(part: _Part, node: Invoke) -> str:
    """Against a constant that Python compares as CEL does."""
    is_equal = node.function.name == "_==_"
    for value, other in (node.arguments, node.arguments[::-1]):
        if isinstance(other, Literal) and not isinstance(value, Literal):
            constant = other.value
            if constant is None or constant.__class__ is bool:
                return f"({part.emit(value)} {'is' if is_equal else 'is not'} {constant})"
            if constant.__class__ is str:
                return f"({part.emit(value)} {'==' if is_equal else '!='} {constant!r})"
            if _is_exact(constant):
                name = part.named(part.emit(value))
                # In Python True == 1.
                return (
                    f"({name} == {constant!r} and {name}.__class__ is not bool)"
                    if is_equal
                    else f"({name} != {constant!r} or {name}.__class__ is bool)"
                )
    return ""


_ORDERS = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "less_or_equal"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "greater_or_equal"),
}


def _order(part: _Part, node: Invoke) -> str:
    """Against a constant number; what is compared is mostly an int or a float."""
    symbol, slow = _ORDERS[node.function.name]
    left, right = node.arguments
    is_left = isinstance(left, Literal)
    constant, value = (left, right) if isinstance(left, Literal) else (right, left)
    if not isinstance(constant, Literal) or not _is_exact(constant.value):
        return ""
    name = part.named(part.emit(value))
    one, other = (repr(constant.value), name) if is_left else (name, repr(constant.value))
    # The constant bounds the work, so a budget of its own does.
    return (
        f"({one} {symbol} {other} if {name}.__class__ is int or {name}.__class__ is float"
        f" else {slow}(Budget(), {one}, {other}))"
    )


def _membership(part: _Part, node: Invoke) -> str:
    """In a list of constant strings."""
    value, container = node.arguments
    if not isinstance(container, ListOf) or container.optional or not container.items:
        return ""
    texts = [item.value for item in container.items if isinstance(item, Literal)]
    if len(texts) < len(container.items) or any(text.__class__ is not str for text in texts):
        return ""
    return f"({part.emit(value)} in {tuple(texts)!r})"


def _not(part: _Part, node: Invoke) -> str:
    (operand,) = node.arguments
    return f"(not {part.emit(operand)})" if static_kind(operand) is Kind.BOOL else ""


_SHORT: Mapping[str, Callable[[_Part, Invoke], str]] = {
    "_==_": _equality,
    "_!=_": _equality,
    **dict.fromkeys(_ORDERS, _order),
    "@in": _membership,
    "!_": _not,
}


def _is_exact(value: object) -> bool:
    return value.__class__ in (int, float) and -_MAX_EXACT <= value <= _MAX_EXACT


def _logic(part: _Part, node: Logic) -> str:
    """
    `&&` and `||`: an error counts only if no other operand decides.

    The last operand needs no net: when it fails, none has decided.
    """
    result = part.fresh("all" if node.is_and else "any")
    fault = part.fresh("fault")
    undecided = result if node.is_and else f"not {result}"
    *before, last = node.operands
    part.line(f"{result}, {fault} = {node.is_and}, None")
    for index, operand in enumerate(before):
        if index:
            with part.block(f"if {undecided}:"):
                _caught(part, operand, result, fault)
        else:
            _caught(part, operand, result, fault)
    with part.block(f"if {undecided}:"):
        part.line(f"{result} = {part.emit_bool(last)}")
        part.line(f"if {undecided} and {fault} is not None: raise {fault}")
    return result


def _caught(part: _Part, operand: Node, result: str, fault: str) -> None:
    with part.block("try:"):
        part.line(f"{result} = {part.emit_bool(operand)}")
    part.line(f"except EvaluationError as error: {fault} = kept(error)")


def _conditional(part: _Part, node: Conditional) -> str:
    result = part.fresh()
    with part.block(f"if {part.emit_bool(node.condition)}:"):
        part.line(f"{result} = {part.emit(node.then)}")
    with part.block("else:"):
        part.line(f"{result} = {part.emit(node.otherwise)}")
    return result


def _list_of(part: _Part, node: ListOf) -> str:
    items = []
    for index, item in enumerate(node.items):
        text = part.emit(item)
        if index in node.optional:
            name = part.named(f"as_optional({text})")
            text = f"*(({name}.content,) if {name}.is_present else ())"
        items.append(text)
    return f"[{', '.join(items)}]"


def _map_of(part: _Part, node: MapOf) -> str:
    texts = [key.value for key in node.keys if isinstance(key, Literal)]
    is_plain = not node.optional and all(text.__class__ is str for text in texts)
    if is_plain and len(set(texts)) == len(node.keys):
        pairs = zip(texts, node.values, strict=True)
        return f"{{{', '.join(f'{key!r}: {part.emit(value)}' for key, value in pairs)}}}"
    made = part.named("{}")
    for index, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
        name = part.named(f"to_key({part.emit(key)})")
        text = part.emit(value)
        if index in node.optional:
            found = part.named(f"as_optional({text})")
            part.line(f"if {found}.is_present: put({made}, {name}, {found}.content)")
        else:
            part.line(f"put({made}, {name}, {text})")
    return made


def _comprehension(part: _Part, node: Comprehension) -> str:
    source = part.emit(node.source)
    reader = "members" if len(node.variables) == 1 else "entries"
    items = part.named(f"{reader}({source})", "items")
    cost = 1 + size(node.step) + (size(node.test) if node.test else 0)
    part.line(f"{part.budget()}.charge(len({items}) * {cost})")
    result = part.fresh("result")
    with part.declared(*node.variables):
        _LOOPS[node.loop](part, node, f"for {', '.join(node.variables)} in {items}:", result)
    return result


def _quantify(part: _Part, node: Comprehension, head: str, result: str) -> None:
    """`all` and `exists`, which absorb errors as `&&` and `||` do."""
    is_and = node.loop is Loop.ALL
    fault = part.fresh("fault")
    undecided = result if is_and else f"not {result}"
    part.line(f"{result}, {fault} = {is_and}, None")
    with part.block(head):
        with part.block("try:"):
            part.line(f"{result} = {part.emit_bool(node.step)}")
            part.line(f"if not ({undecided}): break")
        part.line(f"except EvaluationError as error: {fault} = kept(error)")
    part.line(f"if {undecided} and {fault} is not None: raise {fault}")


def _count_one(part: _Part, node: Comprehension, head: str, result: str) -> None:
    number = part.named("0", "found")
    with part.block(head):
        part.line(f"if {part.emit_bool(node.step)}: {number} += 1")
    part.line(f"{result} = {number} == 1")


def _collect(part: _Part, node: Comprehension, head: str, result: str) -> None:
    part.line(f"{result} = []")
    with part.block(head):
        if node.loop is Loop.FILTER:
            test = part.emit_bool(node.step)
            part.line(f"if {test}: {result}.append({node.variables[0]})")
        else:
            _skip_unless(part, node.test)
            part.line(f"{result}.append({part.emit(node.step)})")


def _collect_map(part: _Part, node: Comprehension, head: str, result: str) -> None:
    part.line(f"{result} = {{}}")
    with part.block(head):
        _skip_unless(part, node.test)
        step = part.emit(node.step)
        if node.loop is Loop.TRANSFORM_MAP:
            part.line(f"put({result}, to_key({node.variables[0]}), {step})")
            return
        pairs = part.named(f"entries({step})")
        part.line(f"{part.budget()}.charge(len({pairs}))")
        key, value = part.fresh("key"), part.fresh("value")
        part.line(f"for {key}, {value} in {pairs}: put({result}, to_key({key}), {value})")


def _skip_unless(part: _Part, test: Node | None) -> None:
    if test:
        part.line(f"if not {part.emit_bool(test)}: continue")


_LOOPS: Mapping[Loop, Callable[[_Part, Comprehension, str, str], None]] = {
    Loop.ALL: _quantify,
    Loop.EXISTS: _quantify,
    Loop.EXISTS_ONE: _count_one,
    Loop.MAP: _collect,
    Loop.FILTER: _collect,
    Loop.TRANSFORM_LIST: _collect,
    Loop.TRANSFORM_MAP: _collect_map,
    Loop.TRANSFORM_MAP_ENTRY: _collect_map,
}


def _bind(part: _Part, node: Bind) -> str:
    part.line(f"{node.variable} = {part.emit(node.value)}")
    with part.declared(node.variable):
        return part.named(part.emit(node.body))


def _map_optional(part: _Part, node: MapOptional) -> str:
    operand = part.named(f"as_optional({part.emit(node.operand)})")
    result = part.fresh()
    with part.block(f"if {operand}.is_present:"), part.declared(node.variable):
        part.line(f"{node.variable} = {operand}.content")
        wrap = "as_optional" if node.is_flat else "OptionalValue"
        part.line(f"{result} = {wrap}({part.emit(node.body)})")
    part.line(f"else: {result} = ABSENT")
    return result


def _or_else(part: _Part, node: OrElse) -> str:
    operand = part.named(f"as_optional({part.emit(node.operand)})")
    result = part.fresh()
    with part.block(f"if {operand}.is_present:"):
        part.line(f"{result} = {operand}{'.content' if node.is_value else ''}")
    with part.block("else:"):
        otherwise = part.emit(node.otherwise)
        part.line(f"{result} = {otherwise if node.is_value else f'as_optional({otherwise})'}")
    return result


_EMITTERS: Mapping[type, Callable[..., str]] = {
    Literal: _literal,
    Unknown: _unknown,
    Local: _local,
    Root: _path,
    Field: _field,
    HasField: _has_field,
    Element: _element,
    Invoke: _invoke,
    Logic: _logic,
    Conditional: _conditional,
    ListOf: _list_of,
    MapOf: _map_of,
    Comprehension: _comprehension,
    Bind: _bind,
    MapOptional: _map_optional,
    OrElse: _or_else,
}
