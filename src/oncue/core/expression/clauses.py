"""
Several clauses as one function, which says the first that fails.

    compile_clauses([Fragment("data_is_small(values)", {"data_is_small": …}), checked_where])

Clauses are asked in order, each only if those before it hold. They share one budget, and what
their paths have in common is read once. A clause that ends in an error fails with it: unlike
the operands of `&&`, no later clause can absorb it.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.expression.compiler import Function, compile_function
from oncue.core.expression.expression import Checked
from oncue.core.expression.writing import Part


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """
    A test written by us, never by a user: an expression of Python.

    It reads `values`, the values of the roots, and its own `constants`, functions among them;
    there are no builtins. Names that it binds by `:=` or in a comprehension are its own. What
    it raises is a bug, but for `EvaluationError`.
    """

    source: str
    constants: Mapping[str, object] = field(default_factory=dict)


Clause: TypeAlias = Checked | Fragment


@dataclass(frozen=True, slots=True)
class Failure:
    """The clause that fails first, by its place; `error` where it gives none of true and false."""

    clause: int
    error: str | None = None


_FirstFailure: TypeAlias = Function[Failure | None]


@dataclass(frozen=True, slots=True, eq=False)
class Clauses:
    """
    Compiled clauses.

    `first_failure` takes the values of the roots and gives nothing where all clauses hold; it
    raises nothing. `reads` are the paths that the checked ones read, `source` is the Python
    function that they became.
    """

    reads: tuple[tuple[str, ...], ...]
    source: str = field(repr=False)
    first_failure: _FirstFailure


def compile_clauses(clauses: Sequence[Clause]) -> Clauses:
    """
    Return `clauses` as one function.

    Raises:
        ValueError: a fragment with a lambda, or with a name that it has no constant for.
    """
    checked = [clause for clause in clauses if isinstance(clause, Checked)]

    def write(part: Part) -> None:
        for place, clause in enumerate(clauses):
            _write_clause(part, clause, place)
        part.line("return None")

    trees = [clause.tree for clause in checked]
    first_failure: _FirstFailure
    first_failure, source = compile_function("first_failure", trees, write)
    reads = tuple(dict.fromkeys(path for clause in checked for path in clause.reads))
    return Clauses(reads, source, first_failure)


def _write_clause(part: Part, clause: Clause, place: int) -> None:
    fails = part.module.name_constant("fails", Failure(place))
    ends_in = part.module.name_constant("ends_in", _ends_in(place))
    with part.guarded(lambda error: f"return {ends_in}({error})", caught="error"):
        part.line(f"if not {_test(part, clause)}: return {fails}")


def _test(part: Part, clause: Clause) -> str:
    return part.emit_bool(clause.tree) if isinstance(clause, Checked) else _bound(part, clause)


def _ends_in(place: int) -> Callable[[EvaluationError], Failure]:
    return lambda error: Failure(place, str(error))


def _bound(part: Part, fragment: Fragment) -> str:
    """Return the source with each name replaced by one that no other clause has."""
    tree = ast.parse(fragment.source, mode="eval")
    if any(isinstance(node, ast.Lambda) for node in ast.walk(tree)):
        raise ValueError(f"expected no lambda in a fragment, got {fragment.source!r}")
    own = {
        node.id: part.fresh(node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id != "values":
            node.id = own.get(node.id) or _constant(part, fragment, node.id)
    return f"({ast.unparse(tree)})"


def _constant(part: Part, fragment: Fragment, name: str) -> str:
    if name not in fragment.constants:
        raise ValueError(f"expected a constant for {name!r} in {fragment.source!r}, got none")
    return part.module.name_constant(name, fragment.constants[name])
