"""Siddhi's expressions: as CEL for conditions, and evaluated over the events of a match."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from oncue.core.json_text import Json
from tests.conformance.cases import Unsupported
from tests.conformance.siddhi_tree import Attribute, Expression, Literal, Operation

Bound: TypeAlias = Mapping[str, Sequence[Mapping[str, Json]]]
"""The data of the events of a match by the name of the step."""


def cel_of(tree: Expression, names: Callable[[str], tuple[str, bool]]) -> str:
    """
    Return a condition as CEL.

    `names` gives the step that a reference means, and whether it is a list of events. What
    is null in Siddhi is an error in CEL: neither holds, and `||` gets over both.
    """
    match tree:
        case Literal(value=str(text)):
            return f"{text!r}"
        case Literal(value=value):
            return str(value)
        case Attribute():
            return _path(tree, names)
        case Operation(name="is null", operands=(Attribute() as operand,)):
            return _is_null(operand, names)
        case Operation(name="not", operands=(operand,)):
            return f"!({cel_of(operand, names)})"
        case Operation(name="and" | "or" as name, operands=operands):
            sign = " && " if name == "and" else " || "
            return "(" + sign.join(cel_of(operand, names) for operand in operands) + ")"
        case Operation(name=name, operands=(left, right)):
            return f"({cel_of(left, names)} {name} {cel_of(right, names)})"
        case _:
            raise Unsupported(f"function {tree.name} in a filter")


def _path(tree: Attribute, names: Callable[[str], tuple[str, bool]]) -> str:
    if tree.reference is None:
        return f"event.data.{tree.name}"
    step, is_list = names(tree.reference)
    if not is_list:
        return f"{step}.data.{tree.name}"
    if tree.back is None:
        return f"{step}[{tree.index or 0}].data.{tree.name}"
    place = f"{step}.last" if tree.back == 0 else f"{step}[size({step}) - {tree.back + 1}]"
    return f"{place}.data.{tree.name}"


def _is_null(tree: Attribute, names: Callable[[str], tuple[str, bool]]) -> str:
    if tree.reference is None:
        return f"(!has(event.data.{tree.name}))"
    step, is_list = names(tree.reference)
    if not is_list:
        return f"({step} == null)"
    wanted = (tree.index or 0) if tree.back is None else tree.back
    return f"(size({step}) <= {wanted})"


def value_of(tree: Expression, bound: Bound, columns: Mapping[str, Json] | None = None) -> Json:
    """Return the value of an expression over the events of a match, and named columns."""
    match tree:
        case Literal(value=value):
            return value
        case Attribute(reference=None, name=name):
            return (columns or {}).get(name)
        case Attribute(reference=reference, name=name):
            events = bound.get(reference or "", ())
            place = (tree.index or 0) if tree.back is None else len(events) - 1 - tree.back
            return events[place].get(name) if 0 <= place < len(events) else None
        case Operation(name="instanceOfFloat", operands=(operand,)):
            return isinstance(value_of(operand, bound, columns), float)
        case Operation(name="not", operands=(operand,)):
            return not value_of(operand, bound, columns)
        case Operation(name="and", operands=operands):
            return all(value_of(operand, bound, columns) for operand in operands)
        case _:
            raise Unsupported(f"{tree.name} in what a query selects")
