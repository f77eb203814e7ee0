"""
What each node of a checked tree is in Python.

One emitter for each kind of node; `writing` says what an emitter is.
"""

from collections.abc import Callable, Mapping

from oncue.core.expression.shortcuts import shortcut
from oncue.core.expression.tree import (
    Bind,
    Comprehension,
    Conditional,
    Element,
    End,
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
    cost,
    spell,
)
from oncue.core.expression.writing import Part, chain_of


def emit(part: Part, node: Node) -> str:
    """Write the statements that `node` needs and return its value as an expression."""
    return _EMITTERS[node.__class__](part, node)


def _literal(part: Part, node: Literal) -> str:
    return part.constant(node.value)


def _unknown(part: Part, node: Unknown) -> str:
    part.line(f"raise EvaluationError({node.message!r})")
    return "None"


def _local(part: Part, node: Local) -> str:
    if node.may_have_failed:
        part.line(f"if {node.slot}.__class__ is Failed: {node.slot}.fail()")
    return node.slot


def _path(part: Part, node: Root | Field) -> str:
    """A run of fields: the short way, and the long one that says what is missing."""
    if chain := chain_of(node):
        if part.guards(chain):
            return part.paths.short_way(chain)
        found = part.fresh(chain[-1])
        root, *names = chain
        part.line(f"try: {found} = {part.paths.short_way(chain)}")
        part.line(f"except FAULTS: {found} = seek(values, {root!r}, {tuple(names)!r})")
        return found
    steps: list[str] = []
    inner: Node = node
    while isinstance(inner, Field) and not inner.is_optional:
        steps.insert(0, inner.name)
        inner = inner.operand
    begin = part.named(part.emit(inner))
    found = part.fresh(steps[-1])
    part.line(f"try: {found} = {begin}{''.join(f'[{name!r}]' for name in steps)}")
    part.line(f"except FAULTS: {found} = descend({begin}, {spell(inner)!r}, {tuple(steps)!r})")
    return found


def _field(part: Part, node: Field) -> str:
    if node.is_optional:
        return f"optional_field({part.emit(node.operand)}, {node.name!r})"
    return _path(part, node)


def _has_field(part: Part, node: HasField) -> str:
    name = repr(node.name)
    chain = chain_of(node.operand)
    if shared := part.paths.variables.get(chain):
        slow = f"seek(values, {chain[0]!r}, {chain[1:]!r})"
        return f"({name} in {shared} if {shared}.__class__ is dict else has_field({slow}, {name}))"
    operand = part.named(part.emit(node.operand))
    return f"({name} in {operand} if {operand}.__class__ is dict else has_field({operand}, {name}))"


def _end(part: Part, node: End) -> str:
    return f"end_of({part.emit(node.operand)}, {spell(node.operand)!r}, {node.name!r})"


def _element(part: Part, node: Element) -> str:
    operand = part.emit(node.operand)
    index = part.emit(node.index)
    if node.is_optional:
        return f"optional_element({operand}, {index})"
    return f"element({operand}, {index}, {spell(node.operand)!r})"


def _invoke(part: Part, node: Invoke) -> str:
    if text := shortcut(part, node):
        return text
    arguments = ", ".join([part.emit(argument) for argument in node.arguments])
    overload = node.overload
    name = node.function.name
    hint = name.replace(".", "_") if name[0].isalpha() else "operator"
    if overload is None:
        call = part.module.name_constant(hint, node.function)
        return f"{call}({', '.join(filter(None, (part.budget(), arguments)))})"
    if overload.is_free:
        return f"{part.module.name_constant(hint, overload.call)}({arguments})"
    if overload.wants_budget:
        call = part.module.name_constant(hint, overload.call)
        return f"{call}({part.budget()}, {arguments})"
    call = part.module.name_constant(hint, overload)
    return f"{call}.invoke({part.budget()}, ({arguments},))"


def _logic(part: Part, node: Logic) -> str:
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


def _caught(part: Part, operand: Node, result: str, fault: str) -> None:
    with part.guarded(lambda error: f"{fault} = {error}"):
        part.line(f"{result} = {part.emit_bool(operand)}")


def _conditional(part: Part, node: Conditional) -> str:
    result = part.fresh()
    with part.block(f"if {part.emit_bool(node.condition)}:"):
        part.line(f"{result} = {part.emit(node.then)}")
    with part.block("else:"):
        part.line(f"{result} = {part.emit(node.otherwise)}")
    return result


def _list_of(part: Part, node: ListOf) -> str:
    items = []
    for index, item in enumerate(node.items):
        text = part.emit(item)
        if index in node.optional:
            name = part.named(f"as_optional({text})")
            text = f"*(({name}.content,) if {name}.is_present else ())"
        items.append(text)
    return f"[{', '.join(items)}]"


def _map_of(part: Part, node: MapOf) -> str:
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


def _comprehension(part: Part, node: Comprehension) -> str:
    source = part.emit(node.source)
    reader = "members" if len(node.variables) == 1 else "entries"
    if node.loop is Loop.SORT_BY:
        reader = "as_list"
    items = part.named(f"{reader}({source})", "items")
    each = 1 + cost(node.step) + (cost(node.test) if node.test else 0)
    part.line(f"{part.budget()}.charge(len({items}) * {each})")
    result = part.fresh("result")
    with part.declared(*node.variables):
        _LOOPS[node.loop](part, node, f"for {', '.join(node.variables)} in {items}:", result)
    if node.loop is Loop.SORT_BY:
        return f"sort_by({part.budget()}, {items}, {result})"
    return result


def _quantify(part: Part, node: Comprehension, head: str, result: str) -> None:
    """`all` and `exists`, which absorb errors as `&&` and `||` do."""
    is_and = node.loop is Loop.ALL
    fault = part.fresh("fault")
    undecided = result if is_and else f"not {result}"
    part.line(f"{result}, {fault} = {is_and}, None")
    with part.block(head), part.guarded(lambda error: f"{fault} = {error}"):
        part.line(f"{result} = {part.emit_bool(node.step)}")
        part.line(f"if not ({undecided}): break")
    part.line(f"if {undecided} and {fault} is not None: raise {fault}")


def _count_one(part: Part, node: Comprehension, head: str, result: str) -> None:
    number = part.named("0", "found")
    with part.block(head):
        part.line(f"if {part.emit_bool(node.step)}: {number} += 1")
    part.line(f"{result} = {number} == 1")


def _collect(part: Part, node: Comprehension, head: str, result: str) -> None:
    part.line(f"{result} = []")
    with part.block(head):
        if node.loop is Loop.FILTER:
            test = part.emit_bool(node.step)
            part.line(f"if {test}: {result}.append({node.variables[0]})")
        else:
            _skip_unless(part, node.test)
            part.line(f"{result}.append({part.emit(node.step)})")


def _collect_map(part: Part, node: Comprehension, head: str, result: str) -> None:
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


def _skip_unless(part: Part, test: Node | None) -> None:
    if test:
        part.line(f"if not {part.emit_bool(test)}: continue")


_LOOPS: Mapping[Loop, Callable[[Part, Comprehension, str, str], None]] = {
    Loop.ALL: _quantify,
    Loop.EXISTS: _quantify,
    Loop.EXISTS_ONE: _count_one,
    Loop.MAP: _collect,
    Loop.FILTER: _collect,
    Loop.TRANSFORM_LIST: _collect,
    Loop.TRANSFORM_MAP: _collect_map,
    Loop.TRANSFORM_MAP_ENTRY: _collect_map,
    Loop.SORT_BY: _collect,
}


def _bind(part: Part, node: Bind) -> str:
    if isinstance(node.value, Literal):
        part.line(f"{node.variable} = {part.emit(node.value)}")
    else:
        with part.guarded(lambda error: f"{node.variable} = Failed({error})"):
            part.line(f"{node.variable} = {part.emit(node.value)}")
    with part.declared(node.variable):
        return part.named(part.emit(node.body))


def _map_optional(part: Part, node: MapOptional) -> str:
    operand = part.named(f"as_optional({part.emit(node.operand)})")
    result = part.fresh()
    with part.block(f"if {operand}.is_present:"), part.declared(node.variable):
        part.line(f"{node.variable} = {operand}.content")
        body = part.emit(node.body)
        part.line(f"{result} = {body if node.is_flat else f'OptionalValue({body})'}")
    part.line(f"else: {result} = ABSENT")
    return result


def _or_else(part: Part, node: OrElse) -> str:
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
    End: _end,
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
