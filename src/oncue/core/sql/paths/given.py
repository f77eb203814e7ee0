"""What kind the values of an expression are, where that can be told before there are any."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.sql.columns import COLUMNS
from oncue.core.sql.paths.kinds import Kind
from oncue.core.sql.paths.origins import Origins
from oncue.core.sql.scalars import Sort

_SORTS: Final[Mapping[Sort, Kind]] = {
    Sort.TEXT: Kind.TEXT,
    Sort.NUMBER: Kind.NUMBER,
    Sort.INSTANT: Kind.TIME,
}
SUMS: Final = (exp.Add, exp.Sub)
ARITHMETIC: Final = (*SUMS, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Pow)
WHOLE: Final = (
    *(exp.IntDiv, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseNot, exp.BitwiseLeftShift),
    exp.BitwiseRightShift,
)
TRANSPARENT: Final = (
    *(exp.Paren, exp.Alias, exp.Max, exp.Min, exp.AnyValue, exp.First, exp.Last, exp.Mode),
    *(exp.Window, exp.Filter, exp.Order, exp.IgnoreNulls, exp.RespectNulls, exp.Lag, exp.Lead),
    *(exp.FirstValue, exp.LastValue, exp.NthValue, exp.ArgMax, exp.ArgMin, exp.Subquery),
)
"""What these give is what they were given first."""
ALIKE: Final = (exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least)
"""What these are given is all of one kind, and so is what they give."""
_GIVEN: Final[tuple[tuple[tuple[type[exp.Expr], ...], Kind], ...]] = (
    ((exp.Boolean,), Kind.TRUTH),
    (
        (
            *(exp.Interval, exp.CurrentTimestamp, exp.CurrentDate, exp.TimestampTrunc),
            *(exp.DateTrunc, exp.DateBin, exp.UnixToTime, exp.StrToTime, exp.DateFromParts),
        ),
        Kind.TIME,
    ),
    (
        (
            *(exp.Upper, exp.Lower, exp.DPipe, exp.Concat, exp.Substring, exp.Trim, exp.Replace),
            *(exp.Left, exp.Right, exp.TimeToStr, exp.GroupConcat, exp.RegexpExtract),
        ),
        Kind.TEXT,
    ),
    (
        (
            *(*ARITHMETIC, *WHOLE, exp.Count, exp.Sum, exp.Avg, exp.Median, exp.Quantile),
            *(exp.PercentileCont, exp.PercentileDisc, exp.ApproxQuantile, exp.Stddev),
            *(exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Abs, exp.Round),
            *(exp.Floor, exp.Ceil, exp.Sqrt, exp.Trunc, exp.Length, exp.Extract, exp.RowNumber),
            *(exp.ApproxDistinct, exp.WithinGroup, exp.CountIf),
        ),
        Kind.NUMBER,
    ),
)
# Beyond the first not each whole number is a double; beyond the second none is one of 64 bits.
_EXACT, _BOUND = 1 << 53, 1 << 63


class Given:
    """Tells kinds of the expressions of one statement; of what a path is, nothing is known."""

    def __init__(self, origins: Origins, params: Sequence[Json] | Mapping[str, Json]) -> None:
        self._origins = origins
        self._params = params

    def kind_of_any(self, nodes: Iterable[exp.Expr]) -> Kind:
        """Return the kind of the first node that has one; an instant may be written as a text."""
        kinds = [self.kind_of(node) for node in nodes]
        if Kind.TIME in kinds:
            return Kind.TIME
        return next((kind for kind in kinds if kind is not Kind.VALUE), Kind.VALUE)

    def kind_of(self, node: exp.Expr) -> Kind:
        """Return the kind of what a node gives."""
        match node:
            case exp.Literal():
                return Kind.TEXT if node.is_string else _kind_of_number(node.name)
            case exp.Placeholder() | exp.Parameter():
                return _kind_of_value(self._param(node))
            case exp.Cast() | exp.TryCast():
                return _kind_of_type(node.to)
            case exp.Column():
                found = self._origins.of(node, node.name, node.table)
                return self.kind_of(found) if found else _kind_of_column(node.name.lower())
            case exp.Neg() | exp.Any() | exp.All():
                return self.kind_of(node.this)
            case exp.Add() | exp.Sub():
                is_time = self.kind_of_any(node.iter_expressions()) is Kind.TIME
                return Kind.TIME if is_time else Kind.NUMBER
            case _:
                return self._kind_of_parts(node)

    def _kind_of_parts(self, node: exp.Expr) -> Kind:
        if parts := parts_of(node):
            return self.kind_of_any(parts)
        return next((kind for types, kind in _GIVEN if isinstance(node, types)), Kind.VALUE)

    def _param(self, node: exp.Expr) -> Json:
        params, name = self._params, node.name
        if isinstance(params, Mapping):
            return params.get(name)
        place = int(name) - 1 if name.isdecimal() else -1
        return params[place] if 0 <= place < len(params) else None


def parts_of(node: exp.Expr) -> list[exp.Expr]:
    """Return the parts of a node that it gives one of; nothing, if it gives something else."""
    match node:
        case exp.Case() | exp.If():
            return results_of(node)
        case exp.Select():
            return node.expressions[:1]
        case exp.Tuple() | exp.Array():
            return node.expressions
        case _ if isinstance(node, ALIKE):
            return [*node.iter_expressions()]
        case _ if isinstance(node, TRANSPARENT) and isinstance(node.this, exp.Expr):
            return [node.this]
        case _:
            return []


def results_of(case: exp.Case | exp.If) -> list[exp.Expr]:
    """Return what a condition gives in each case."""
    results = [branch.args["true"] for branch in case.args.get("ifs") or [case]]
    otherwise = case.args.get("default") or case.args.get("false")
    return [*results, otherwise] if otherwise is not None else results


def _kind_of_column(name: str) -> Kind:
    sort, _ = COLUMNS.get(name, (Sort.ANY, None))
    return _SORTS.get(sort, Kind.VALUE)


def _kind_of_number(text: str) -> Kind:
    return _kind_of_value(int(text)) if text.isdecimal() else Kind.NUMBER


def _kind_of_value(value: Json) -> Kind:
    match value:
        case bool():
            return Kind.TRUTH
        case int() if _EXACT < abs(value) < _BOUND:
            return Kind.WHOLE
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
