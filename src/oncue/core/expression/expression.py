"""One compiled expression."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression.checker import Names, check, paths_read
from oncue.core.expression.compiler import compile_tree
from oncue.core.expression.excerpts import SourceError, point_at
from oncue.core.expression.parser import parse
from oncue.core.expression.tree import Field, Node, Root


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """
    A compiled expression.

    `reads` are the paths that it reads, such as `("event", "data", "plan")`;
    `source` is the Python function that it became. `evaluate` takes the values
    of the roots and raises `EvaluationError`, and nothing else.
    """

    text: str
    reads: tuple[tuple[str, ...], ...]
    source: str
    evaluate: Callable[[Mapping[str, object]], object]
    is_path: bool
    """Whether it only reads a path, so that what it gives is a part of what it was given."""


def compile_expression(text: str, *, roots: Collection[str], path: str = "") -> Expression:
    """
    Return `text` as a function of the values of `roots`.

    Raises:
        InvalidInput: no expression, or a name that means nothing; shown under `path` with a caret.
    """
    try:
        return compile_source(text, Names(roots))
    except SourceError as exc:
        message = point_at(text, exc.position, exc.message)
        raise InvalidInput([Problem(path, message)]) from exc


def compile_source(text: str, names: Names) -> Expression:
    """
    Return `text` as a function of what `names` says there is.

    Raises:
        SourceError: no expression, or a name that means nothing.
    """
    tree = check(parse(text), names)
    evaluate, source = compile_tree(tree)
    reads = tuple(dict.fromkeys(paths_read(tree)))
    return Expression(text, reads, source, evaluate, _is_path(tree))


def _is_path(node: Node) -> bool:
    while isinstance(node, Field) and not node.is_optional:
        node = node.operand
    return isinstance(node, Root)
