"""
From checked trees to one Python function.

The function is written as text and compiled once, so an evaluation runs at the
speed of Python written by hand. The code sees only what `_GLOBALS` and the
table of functions give it, and no builtin of Python.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from inspect import signature
from types import CodeType, FunctionType
from typing import TypeAlias, TypeVar

from oncue.core.errors import EvaluationError
from oncue.core.expression import access
from oncue.core.expression.budget import Budget
from oncue.core.expression.comparison import greater, greater_or_equal, less, less_or_equal
from oncue.core.expression.emitters import emit
from oncue.core.expression.lists import sort_by
from oncue.core.expression.tree import Node
from oncue.core.expression.values import ABSENT, OptionalValue, to_key
from oncue.core.expression.writing import Chain, Module, Part, shared_chains

Given = TypeVar("Given")
Function: TypeAlias = Callable[[Mapping[str, object]], Given]
Evaluate: TypeAlias = Function[object]

_GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "ABSENT": ABSENT,
    "Budget": Budget,
    "EvaluationError": EvaluationError,
    "FAULTS": access.FAULTS,
    "Failed": access.Failed,
    "OptionalValue": OptionalValue,
    "as_list": access.as_list,
    "as_optional": access.as_optional,
    "bool": bool,
    "descend": access.descend,
    "dict": dict,
    "element": access.element,
    "end_of": access.end_of,
    "entries": access.entries,
    "float": float,
    "greater": greater,
    "greater_or_equal": greater_or_equal,
    "has_field": access.has_field,
    "int": int,
    "kept": access.kept,
    "len": len,
    "less": less,
    "less_or_equal": less_or_equal,
    "list": list,
    "members": access.members,
    "missing": access.missing,
    "optional_element": access.optional_element,
    "optional_field": access.optional_field,
    "put": access.put,
    "refuse_non_bool": access.refuse_non_bool,
    "seek": access.seek,
    "sort_by": sort_by,
    "str": str,
    "to_key": to_key,
}


def compile_tree(tree: Node) -> tuple[Evaluate, str]:
    """Return a checked `tree` as a function of the values of its roots, and the function's text."""

    def write(part: Part) -> None:
        part.line(f"return {part.emit(tree)}")

    return compile_function("evaluate", [tree], write)


def compile_function(
    name: str, trees: Iterable[Node], write: Callable[[Part], None]
) -> tuple[Function[Given], str]:
    """Return the function of the values whose body `write` writes, of `trees`, and its text."""
    return compile_body(name, ("values",), write, shared_chains(trees))


def compile_body(
    name: str,
    parameters: Sequence[str],
    write: Callable[[Part], None],
    shared: Iterable[Chain] = (),
) -> tuple[Callable[..., Given], str]:
    """
    Return the function whose body `write` writes, and its text.

    What reads a root needs the parameter `values`.
    """
    module = Module(emit)
    source = module.write(name, parameters, write, shared)
    function: Callable[..., Given]
    if module.is_one_function:
        code = _code_of_function(source)
        function = FunctionType(code, _GLOBALS, name, tuple(module.constants.values()))
        return function, source
    namespace = {**_GLOBALS, **module.constants}
    exec(_code_of(source), namespace)  # noqa: S102 - made here, of trees and quoted constants
    function = namespace[name]  # type: ignore[assignment]  # just defined
    return function, source


def constants_of(function: Callable[..., Given]) -> dict[str, object]:
    """Return the values that a compiled function's text has names for, by name."""
    assert isinstance(function, FunctionType)
    parameters = signature(function).parameters.values()
    named = {each.name: each.default for each in parameters} | function.__globals__
    known = (*_GLOBALS, "values", "budget", function.__name__)
    return {name: value for name, value in named.items() if name not in known}


# Many patterns differ in their constants alone. One code for all of them is compiled once and
# stays in the caches of the processor (bench/match_event.py).
@lru_cache(maxsize=2_048)
def _code_of_function(source: str) -> CodeType:
    (code,) = (inner for inner in _code_of(source).co_consts if isinstance(inner, CodeType))
    return code


def _code_of(source: str) -> CodeType:
    code: CodeType = compile(source, "<expression>", "exec")
    return code
