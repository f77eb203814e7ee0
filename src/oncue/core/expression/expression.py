"""One expression: checked, and compiled."""

from collections.abc import Collection
from dataclasses import dataclass, field

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression.checker import Names, check, paths_read
from oncue.core.expression.compiler import Evaluate, compile_tree
from oncue.core.expression.excerpts import SourceError, point_at
from oncue.core.expression.parser import parse
from oncue.core.expression.tree import Node, static_kind
from oncue.core.expression.values import Kind
from oncue.core.expression.writing import chain_of


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """
    An expression that means something.

    `reads` are the paths that it reads, such as `("event", "data", "plan")`: values that
    agree under all of them give the same result. `gives` is the kind of its result as far as
    that is known, `is_path` whether it only reads a path, so that it gives a part of what it
    was given.
    """

    text: str
    tree: Node = field(repr=False)
    reads: tuple[tuple[str, ...], ...]
    gives: Kind
    is_path: bool


@dataclass(frozen=True, slots=True, eq=False)
class Expression(Checked):
    """
    A compiled expression.

    `source` is the Python function that it became. `evaluate` takes the values of the roots
    and raises `EvaluationError`, and nothing else.
    """

    source: str = field(repr=False)
    evaluate: Evaluate


def compile_expression(
    text: str, *, roots: Collection[str], lists: Collection[str] = (), path: str = ""
) -> Expression:
    """
    Return `text` as a function of the values of `roots` and `lists`.

    Raises:
        InvalidInput: no expression, or a name that means nothing; shown under `path` with a caret.
    """
    return compile_checked(check_expression(text, roots=roots, lists=lists, path=path))


def check_expression(
    text: str, *, roots: Collection[str], lists: Collection[str] = (), path: str = ""
) -> Checked:
    """
    Return what `text` means where there are `roots`, and `lists` whose ends have names.

    Raises:
        InvalidInput: no expression, or a name that means nothing; shown under `path` with a caret.
    """
    try:
        return check_source(text, Names(roots, lists))
    except SourceError as exc:
        message = point_at(text, exc.position, exc.message)
        raise InvalidInput([Problem(path, message)]) from exc


def check_source(text: str, names: Names) -> Checked:
    """
    Return what `text` means where `names` says what there is.

    Raises:
        SourceError: no expression, or a name that means nothing.
    """
    tree = check(parse(text), names)
    reads = tuple(dict.fromkeys(paths_read(tree)))
    return Checked(text, tree, reads, static_kind(tree), is_path=bool(chain_of(tree)))


def compile_checked(checked: Checked) -> Expression:
    """Return a checked expression as a function."""
    evaluate, source = compile_tree(checked.tree)
    return Expression(
        checked.text,
        checked.tree,
        checked.reads,
        checked.gives,
        checked.is_path,
        source,
        evaluate,
    )


def compile_source(text: str, names: Names) -> Expression:
    """
    Return `text` as a function of what `names` says there is.

    Raises:
        SourceError: no expression, or a name that means nothing.
    """
    return compile_checked(check_source(text, names))
