"""
By what an index can find the events that a statement reads: types, the source, equal fields.

It may find too many; what the source of the statement asks decides in the end.
"""

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from oncue.core.globs import check_glob
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import parse_conditions
from oncue.core.pattern.selection import Selection
from oncue.core.sql.columns import reference
from oncue.core.sql.values import read_number

_EVERYTHING: Final = ("*",)
_MAX_GLOBS: Final = 100


def selection_of(where: exp.Expr | None) -> Selection:
    """Return what admits the events that a condition of SQL may hold for."""
    globs: tuple[str, ...] | None = None
    source: str | None = None
    fields: dict[str, Json] = {}
    for test in _conjuncts(where):
        if isinstance(test, exp.Like):
            globs = globs or _glob_of(test)
            continue
        found = reference(test.this) if isinstance(test, exp.EQ | exp.In) else None
        if found is None:
            continue
        names = [name.name for name in found.names] + list(found.steps)
        texts = _texts(test)
        match [str(name).lower() for name in names[-2:]]:
            case [*_, "type"] if len(found.names) <= 2 and names[0] != "data" and texts:
                globs = globs or texts
            case [*_, "source"] if len(found.names) <= 2 and names[0] != "data" and texts:
                source = texts[0] if len(texts) == 1 else source
            case _:
                _add(fields, names, test)
    conditions = parse_conditions(fields, "query") if fields else None
    return Selection(globs or _EVERYTHING, source, conditions)


def _conjuncts(tree: exp.Expr | None) -> Iterator[exp.Expr]:
    if isinstance(tree, exp.And):
        yield from _conjuncts(tree.this)
        yield from _conjuncts(tree.expression)
    elif isinstance(tree, exp.Paren):
        yield from _conjuncts(tree.this)
    elif tree is not None:
        yield tree


def _texts(test: exp.Expr) -> tuple[str, ...]:
    """Return the types or sources that a test compares with; none, if they are no plain texts."""
    others = test.expressions if isinstance(test, exp.In) else [test.expression]
    if not 0 < len(others) <= _MAX_GLOBS or not all(_is_text(other) for other in others):
        return ()
    return tuple(other.name for other in others if "*" not in other.name)


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.args.get("is_string"))


def _glob_of(test: exp.Expr) -> tuple[str, ...] | None:
    found = reference(test.this)
    if found is None or found.path or found.names[-1].name.lower() != "type":
        return None
    shape = test.expression.name if _is_text(test.expression) else ""
    if not shape or "_" in shape or "*" in shape:
        return None
    try:
        return (check_glob(shape.replace("%", "*")),)
    except ValueError:
        return None


def _add(fields: dict[str, Json], names: list[str | int], test: exp.Expr) -> None:
    """Add that a field of `data` equals a value, where that is what a test says."""
    roots = [place for place, name in enumerate(names[:2]) if str(name).lower() == "data"]
    if not isinstance(test, exp.EQ) or not roots or not isinstance(test.expression, exp.Literal):
        return
    path = names[roots[0] + 1 :]
    if not path or not all(isinstance(step, str) and not step.startswith("$") for step in path):
        return
    literal = test.expression
    value: Json = literal.name if _is_text(literal) else read_number(literal.name)
    here = fields
    for step in path[:-1]:
        inner = here.setdefault(str(step), {})
        if not isinstance(inner, dict):
            return
        here = inner
    here.setdefault(str(path[-1]), value)
