"""
Paths into `data` and `extensions`, each a scalar of its own type.

`data.amount > 5` compares numbers and `data.plan = 'pro'` texts, whatever else
stands under these names in other events: where the type does not fit, a path is
NULL. Which type fits is told by what is done with the path. So each is put into
one of the functions of `MACROS`, and all other words stay as they were written.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from oncue.core.json_text import Json
from oncue.core.sql.paths.calls import Calls
from oncue.core.sql.paths.kinds import Kind
from oncue.core.sql.paths.marks import DIALECT, MARK, ROOTS, Marked, Path, marked
from oncue.core.sql.paths.uses import Use, Uses
from oncue.core.sql.text import Edit, edited

_MARK: Final = re.compile(rf"{MARK}\d+")
_CALL: Final = re.compile(
    rf"""\b(?:{"|".join(Kind)})\((?P<of>[^(),]+?)(?:,\ '\$(?P<steps>(?:[^']|'')*)')?\)""",
    re.VERBOSE,
)
_STEP: Final = re.compile(r"""\."(?P<key>(?:[^"\\]|\\.)*)"|(?P<index>\[[^\]]*\])""")
_PLAIN_NAME: Final = re.compile(r"[^\W\d]\w*")


def with_typed_paths(sql: str, params: Sequence[Json] | Mapping[str, Json] = ()) -> str:
    """
    Return `sql` with each path in the function of its kind; what cannot be read stays as it is.

    >>> print(with_typed_paths("SELECT sum(data.amount) FROM events WHERE data.plan = 'pro'"))
    SELECT sum(oncue_number(data, '$."amount"')) FROM events WHERE oncue_text(data, '$."plan"') = 'pro'
    """
    if not any(root in sql.lower() for root in ROOTS):
        return sql
    try:
        found = marked(sql)
        tree = _read(found)
        # A table of that name is what a path begins with, then.
        if tree and (hidden := _tables(tree) & ROOTS):
            found = marked(sql, hidden)
            tree = _read(found)
    except SqlglotError:
        return sql
    return _written(found, _edits(found, tree, params)) if tree else sql


def written_name(name: str) -> str:
    """
    Return the name that DuckDB gives to a column, with paths as they are written.

    >>> written_name("sum(oncue_number(e.\\"data\\", '$.\\"items\\"[0].\\"a b\\"'))")
    "sum(e.data.items[0]['a b'])"
    """
    return _CALL.sub(lambda call: _spelled(call["of"], call["steps"]), name)


def _spelled(document: str, place: str | None) -> str:
    steps = [_spelled_step(step) for step in _STEP.finditer((place or "").replace("''", "'"))]
    return "".join([document.replace('"', ""), *steps])


def _spelled_step(step: re.Match[str]) -> str:
    if step["index"]:
        return step["index"].replace("#", "")
    key = re.sub(r"\\(.)", r"\1", step["key"])
    return f".{key}" if _PLAIN_NAME.fullmatch(key) else "['" + key.replace("'", "''") + "']"


def _read(found: Marked) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(found.text, dialect=DIALECT) if found.paths else None
    except (SqlglotError, RecursionError):
        return None


def _tables(tree: exp.Expr) -> frozenset[str]:
    return frozenset(table.alias_or_name.lower() for table in tree.find_all(exp.Table, exp.CTE))


def _edits(
    found: Marked, tree: exp.Expr, params: Sequence[Json] | Mapping[str, Json]
) -> Iterable[Edit]:
    """Return what to write from where to where."""
    calls = Calls(found.text, sqlglot.tokenize(found.text, dialect=DIALECT))
    edits: dict[tuple[int, int], Edit] = {}
    for use in Uses(tree, calls, params, found.paths):
        start, end = use.first.meta.get("start"), use.last.meta.get("end")
        if isinstance(start, int) and isinstance(end, int):
            written = found.text[start : end + 1]
            path = found.paths.get(written)
            text = _typed(path, use) if path else f"{use.kind.value}({written})"
            edits[start, end] = Edit(start, end + 1, text)
    return edits.values()


def _typed(path: Path, use: Use) -> str:
    """Return a path in its function, with a name if it is a column of an answer."""
    if use.is_grouped and use.kind is not Kind.VALUE:
        return f"{use.kind.value}({_call(path, Kind.VALUE)})"
    called, column = _call(path, use.kind), use.last.parent
    if not isinstance(column, exp.Column) or column.arg_key != "expressions":
        return called
    doubled = path.name.replace('"', '""')
    return f'{called} AS "{doubled}"' if isinstance(column.parent, exp.Select) else called


def _call(path: Path, kind: Kind) -> str:
    return f"{kind.value}({path.document}, {path.place})"


def _written(found: Marked, edits: Iterable[Edit]) -> str:
    rest = edited(found.text, edits)
    # Where sqlglot says nothing of a path, it is whatever it is.
    return _MARK.sub(lambda mark: _call(found.paths[mark[0]], Kind.VALUE), rest)
