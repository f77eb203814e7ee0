"""
Paths into `data` and `extensions`, each a scalar of its own type.

`data.amount > 5` compares numbers and `data.plan = 'pro'` texts, whatever else
stands under these names in other events: where the type does not fit, a path is
NULL. Which type fits is told by what is done with the path. So each is put into
one of the functions of `MACROS`, and the rest of the SQL stays as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from oncue.core.json_text import Json

_DIALECT: Final = "duckdb"
_ROOTS: Final = frozenset(("data", "extensions"))


class Kind(StrEnum):
    """What a path is taken for."""

    NUMBER = "oncue_number"
    TEXT = "oncue_text"
    TRUTH = "oncue_truth"
    TIME = "oncue_time"
    PLAIN = "oncue_plain"
    """Its text, to be cast."""
    VALUE = "oncue_value"
    """Whatever it is."""


MACROS: Final[Mapping[Kind, str]] = {
    Kind.NUMBER: """CASE WHEN json_type(d, p) IN ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE')
        THEN TRY_CAST(d ->> p AS DOUBLE) END""",
    Kind.TEXT: "CASE WHEN json_type(d, p) = 'VARCHAR' THEN d ->> p END",
    Kind.TRUTH: "CASE WHEN json_type(d, p) = 'BOOLEAN' THEN TRY_CAST(d ->> p AS BOOLEAN) END",
    Kind.TIME: "CASE WHEN json_type(d, p) = 'VARCHAR' THEN TRY_CAST(d ->> p AS TIMESTAMPTZ) END",
    Kind.PLAIN: "(d ->> p)",
    Kind.VALUE: "CAST(json_extract(d, p) AS VARIANT)",
}
"""What each function is, of a JSON document `d` and a path `p`."""

_COLUMNS: Final[Mapping[str, Kind]] = {
    "id": Kind.TEXT,
    "source": Kind.TEXT,
    "type": Kind.TEXT,
    "subject": Kind.TEXT,
    "offset": Kind.NUMBER,
    "time": Kind.TIME,
    "received_at": Kind.TIME,
}
_COMPARISONS: Final = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Between,
    exp.In,
)
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Pow)
_NUMERIC: Final = (
    *_ARITHMETIC,
    *(exp.Sum, exp.Avg, exp.Median, exp.Quantile, exp.ApproxQuantile, exp.PercentileCont),
    *(exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Corr),
    *(exp.CovarPop, exp.CovarSamp, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sqrt, exp.Ln),
    *(exp.Exp, exp.Log, exp.Sign),
)
_TEXTUAL: Final = (
    *(exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.RegexpILike, exp.RegexpExtract),
    *(exp.RegexpReplace, exp.DPipe, exp.Concat, exp.Upper, exp.Lower, exp.Length, exp.Substring),
    *(exp.Trim, exp.Replace, exp.Left, exp.Right, exp.StartsWith, exp.Split, exp.Contains),
    *(exp.StrPosition, exp.Initcap, exp.Reverse),
)
_LOGICAL: Final = (exp.And, exp.Or, exp.Not, exp.Where, exp.Having, exp.Filter, exp.Qualify)
_WANTED: Final = (
    ((exp.Cast, exp.TryCast), Kind.PLAIN),
    (_NUMERIC, Kind.NUMBER),
    (_TEXTUAL, Kind.TEXT),
    (_LOGICAL, Kind.TRUTH),
)
# What these give is what they were given, so what is done with them tells.
_TRANSPARENT: Final = (
    *(exp.Paren, exp.Max, exp.Min, exp.Coalesce, exp.AnyValue, exp.First, exp.Last),
    *(exp.Case, exp.If),
)
_ANONYMOUS: Final[Mapping[str, Kind]] = {
    "fsum": Kind.NUMBER,
    "favg": Kind.NUMBER,
    "mad": Kind.NUMBER,
    "starts_with": Kind.TEXT,
    "ends_with": Kind.TEXT,
    "suffix": Kind.TEXT,
    "prefix": Kind.TEXT,
    "regexp_matches": Kind.TEXT,
    "regexp_full_match": Kind.TEXT,
}


def with_typed_paths(sql: str, params: Sequence[Json] | Mapping[str, Json] = ()) -> str:
    """
    Return `sql` with each path in the function of its kind; what cannot be read stays as it is.

    >>> with_typed_paths("SELECT sum(data.amount) FROM events WHERE data.plan = 'pro'")
    "SELECT sum(oncue_number(data, '$.\\"amount\\"')) FROM events WHERE oncue_text(data, '$.\\"plan\\"') = 'pro'"
    """
    if not any(root in sql.lower() for root in _ROOTS):
        return sql
    try:
        tree = sqlglot.parse_one(sql, dialect=_DIALECT)
    except (SqlglotError, RecursionError):
        return sql
    # A table of that name is what the path begins with, then.
    hidden = {table.alias_or_name.lower() for table in tree.find_all(exp.Table, exp.CTE)} & _ROOTS
    reader = _Reader(params, _ROOTS - hidden)
    found = [*reader.paths(tree)]
    columns = {
        id(column): (column, column.sql(dialect=_DIALECT, normalize_functions="lower"))
        for column in map(_column_of, found)
        if column
    }
    for node in found:
        reader.replace(node)
    for column, text in columns.values():
        if column.parent and not isinstance(column, exp.Alias):
            column.replace(exp.alias_(column.copy(), text, quoted=True))
    try:
        return tree.sql(dialect=_DIALECT, normalize_functions="lower")
    except (SqlglotError, RecursionError):
        return sql


class _Reader:
    """Finds the paths of one statement, and what is done with them."""

    def __init__(
        self, params: Sequence[Json] | Mapping[str, Json], roots: frozenset[str] | set[str]
    ) -> None:
        self._params = params
        self._roots = roots
        self._places: dict[int, int] = {}

    def paths(self, tree: exp.Expr) -> Iterator[exp.Expr]:
        """Yield the outermost nodes that are paths; each goes at least one step in."""
        for place, mark in enumerate(tree.find_all(exp.Placeholder, bfs=False)):
            self._places[id(mark)] = place
        for node in tree.find_all(
            exp.Column, exp.Dot, exp.Bracket, exp.JSONExtract, exp.JSONExtractScalar
        ):
            found = self._path(node)
            if found and found[1] and not self._is_inner(node):
                yield node

    def replace(self, node: exp.Expr) -> None:
        """Put a path into the function of its kind."""
        found = self._path(node)
        assert found
        document, steps = found
        place = exp.Literal.string("$" + "".join(steps))
        typed: exp.Expr = exp.Anonymous(
            this=self._kind(node).value, expressions=[document.copy(), place]
        )
        if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
            names = [step[2:-1] for step in steps if step.startswith(".")]
            typed = exp.alias_(typed, names[-1] if names else "value", quoted=True)
        node.replace(typed)

    def _is_inner(self, node: exp.Expr) -> bool:
        parent = node.parent
        while isinstance(parent, exp.Paren):
            parent = parent.parent
        return parent is not None and self._path(parent) is not None

    def _path(self, node: exp.Expr) -> tuple[exp.Column, list[str]] | None:
        """Return the document that a path goes into, and the steps of it."""
        match node:
            case exp.Column():
                return self._column(node)
            case exp.Paren() if isinstance(node.this, exp.JSONExtract | exp.JSONExtractScalar):
                return self._path(node.this)
            case exp.Dot():
                inner = self._path(node.this)
                if inner and isinstance(node.expression, exp.Identifier):
                    return inner[0], [*inner[1], _step(node.expression.name)]
            case exp.Bracket() if len(node.expressions) == 1:
                inner = self._path(node.this)
                step = _bracket(node)
                return (inner[0], [*inner[1], step]) if inner and step else None
            case exp.JSONExtract() | exp.JSONExtractScalar():
                inner = self._path(node.this)
                more = _json_path(node.expression)
                return (inner[0], [*inner[1], *more]) if inner and more else None
            case _:
                pass
        return None

    def _column(self, node: exp.Column) -> tuple[exp.Column, list[str]] | None:
        parts = node.parts
        for place, part in enumerate(parts[:2]):
            if part.name.lower() in self._roots:
                table = parts[0].copy() if place else None
                document = exp.Column(this=part.copy(), table=table)
                return document, [_step(inner.name) for inner in parts[place + 1 :]]
        return None

    def _kind(self, node: exp.Expr) -> Kind:
        parent = node.parent
        if parent is None:
            return Kind.VALUE
        if isinstance(parent, exp.If) and node.arg_key == "this":
            return Kind.TRUTH
        if isinstance(parent, exp.Anonymous):
            return _ANONYMOUS.get(parent.name.lower(), Kind.VALUE)
        if isinstance(parent, _COMPARISONS):
            return self._kind_of_others(parent, node)
        if isinstance(parent, exp.Coalesce):
            kind = self._kind_of_others(parent, node)
            return self._kind(parent) if kind is Kind.VALUE else kind
        if isinstance(parent, _TRANSPARENT):
            return self._kind(parent)
        return next((kind for types, kind in _WANTED if isinstance(parent, types)), Kind.VALUE)

    def _kind_of_others(self, parent: exp.Expr, node: exp.Expr) -> Kind:
        others = [child for child in parent.iter_expressions() if child is not node]
        kinds = [self._kind_of(other) for other in others]
        return next((kind for kind in kinds if kind is not Kind.VALUE), Kind.VALUE)

    def _kind_of(self, node: exp.Expr) -> Kind:
        match node:
            case exp.Literal():
                return Kind.TEXT if node.is_string else Kind.NUMBER
            case exp.Boolean():
                return Kind.TRUTH
            case exp.Paren() | exp.Neg() | exp.Max() | exp.Min():
                return self._kind_of(node.this)
            case exp.Placeholder() | exp.Parameter():
                return _kind_of_value(self._param(node))
            case exp.Cast() | exp.TryCast():
                return _kind_of_type(node.to)
            case exp.Column():
                return _COLUMNS.get(node.name.lower(), Kind.VALUE)
            case exp.CurrentTimestamp():
                return Kind.TIME
            case exp.Count():
                return Kind.NUMBER
            case _:
                pass
        if isinstance(node, _NUMERIC):
            is_span = any(isinstance(part, exp.Interval) for part in node.iter_expressions())
            return Kind.TIME if is_span else Kind.NUMBER
        return (
            Kind.TEXT
            if isinstance(node, exp.Upper | exp.Lower | exp.DPipe | exp.Concat)
            else Kind.VALUE
        )

    def _param(self, node: exp.Expr) -> Json:
        params = self._params
        name = node.name
        if isinstance(params, Mapping):
            return params.get(name)
        place = int(name) - 1 if name.isdecimal() else self._places.get(id(node), -1)
        return params[place] if 0 <= place < len(params) else None


def _column_of(node: exp.Expr) -> exp.Expr | None:
    """Return the column of the answer that a path is a part of, if it is a part of one."""
    part: exp.Expr | None = node
    while part is not None and not isinstance(part.parent, exp.Select):
        part = part.parent
    is_column = part is not None and part is not node and part.arg_key == "expressions"
    return part if is_column else None


def _step(name: str) -> str:
    return f'."{name}"' if '"' not in name else ""


def _bracket(node: exp.Bracket) -> str:
    key = node.expressions[0]
    if isinstance(key, exp.Literal) and key.is_string:
        return _step(key.name)
    # sqlglot counts from 0 what DuckDB counts from 1; a JSON document counts from 0.
    if isinstance(key, exp.Literal) and key.name.isdecimal():
        return f"[{int(key.name) + 1}]"
    if isinstance(key, exp.Neg) and key.name.isdecimal():
        index = 1 - int(key.name)
        return f"[#{index}]" if index else "[0]"
    return ""


def _json_path(node: exp.Expr) -> list[str]:
    if not isinstance(node, exp.JSONPath):
        return []
    steps: list[str] = []
    for part in node.expressions:
        match part:
            case exp.JSONPathRoot():
                continue
            case exp.JSONPathKey() if isinstance(part.this, str):
                steps.append(_step(part.this))
            case exp.JSONPathSubscript() if isinstance(part.this, int):
                steps.append(f"[{part.this}]")
            case _:
                return []
    return steps


def _kind_of_value(value: Json) -> Kind:
    match value:
        case bool():
            return Kind.TRUTH
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case _:
            return Kind.VALUE


def _kind_of_type(type_: exp.DataType) -> Kind:
    if type_.this in exp.DataType.NUMERIC_TYPES:
        return Kind.NUMBER
    if type_.this in exp.DataType.TEMPORAL_TYPES:
        return Kind.TIME
    if type_.this in exp.DataType.TEXT_TYPES:
        return Kind.TEXT
    return Kind.TRUTH if type_.this is exp.DataType.Type.BOOLEAN else Kind.VALUE
