"""From a SELECT over the stream of events to what looks for its rows, or to what is wrong with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlglot import exp

from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.kinds.sql import SqlPattern, unfit_rows, unfit_windows
from oncue.core.pattern.plan import Looking
from oncue.core.pattern.select.aggregates import Several, SeveralSliding
from oncue.core.pattern.select.columns import (
    Column,
    Projection,
    compile_columns,
    condition_of,
)
from oncue.core.pattern.select.each import EachPlan
from oncue.core.pattern.select.framing import FrameScope, Over
from oncue.core.pattern.select.group_by import GroupBy
from oncue.core.pattern.select.grouped import HOLDS, GroupedPlan
from oncue.core.pattern.select.grouping import (
    Group,
    GroupScope,
    Key,
    Measures,
)
from oncue.core.pattern.select.outer import Outers, compile_outers
from oncue.core.pattern.select.over import OverPlan
from oncue.core.pattern.select.where import key_of, selection_of
from oncue.core.pattern.selection import Selection
from oncue.core.pattern.threshold.closing import Closing
from oncue.core.pattern.threshold.grids import CumulatingGrid, Grid, ShiftedGrid, grid_of
from oncue.core.pattern.threshold.keys import Bounds
from oncue.core.pattern.threshold.measures import Measure
from oncue.core.pattern.threshold.values import Reader
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.select.levels import Query, refuse_nested, split_levels
from oncue.core.sql.select.merging import merged
from oncue.core.sql.select.windowing import Shape, Windowing
from oncue.core.sql.text import Statement


def compile_select(pattern: SqlPattern, statement: Statement, path: str) -> Looking:
    """
    Return how to look for the rows of a statement of a pattern that stands at `path`.

    Raises:
        InvalidInput: with the place of what cannot be streamed, and a way out.
    """
    query = merged(split_levels(statement))
    refuse_nested(query)
    return compile_levels(pattern, query, path)


def compile_levels(pattern: SqlPattern, query: Query, path: str) -> Looking:
    """
    Return how to look for the rows of SELECTs, whatever the innermost reads.

    Raises:
        InvalidInput: as above.
    """
    return _Select(pattern, query, path).looking()


@dataclass(frozen=True, slots=True, eq=False)
class _Select:
    pattern: SqlPattern
    query: Query
    path: str

    @property
    def innermost(self) -> exp.Select:
        return self.query.selects[0]

    def looking(self) -> Looking:
        select = self.innermost
        group = select.args.get("group")
        items = [*select.expressions, *filter(None, [select.args.get("having")])]
        windows = [node for item in items for node in item.find_all(exp.Window)]
        if self.query.table is not None or group is not None:
            _raise(unfit_windows(self.pattern, self.path))
            return self._grouped()
        _raise(unfit_rows(self.pattern, self.path))
        within = {id(node) for window in windows for node in window.find_all(exp.AggFunc)}
        free = [
            node for item in items for node in item.find_all(exp.AggFunc) if id(node) not in within
        ]
        if free or select.args.get("having") is not None:
            word = "HAVING" if not free else free[0].sql().partition("(")[0].upper()
            raise self.query.refusal(
                word,
                f"expected windows beside {word}, such as {self.query.example}: a stream has no end",
            )
        return self._over() if windows else self._each()

    def _selection(self) -> Selection:
        where = self.innermost.args.get("where")
        return selection_of(where, self.query.piece, self.query.scope)

    def _each(self) -> Looking:
        compiler = Expressions(self.query.piece, self.query.scope)
        columns = compile_columns(self.innermost, compiler, self._star)
        outers = self._unranked(columns)
        plan = EachPlan(Projection(columns, None), outers)
        return Looking((self._selection(),), operator=plan.operator, key=self._key([]))

    def _unranked(self, columns: Sequence[Column[Event]] | Sequence[Column[Over]]) -> Outers:
        outers = compile_outers(self.query, columns)
        if outers.has_ranking:
            raise self.query.refusal(
                "ROW_NUMBER",
                f"expected ROW_NUMBER() over rows of windows, such as {self.query.example}",
            )
        return outers

    def _over(self) -> Looking:
        scope = FrameScope(self.query)
        compiler = Expressions(self.query.piece, scope)
        columns = compile_columns(self.innermost, compiler, scope.star)
        plan = OverPlan(
            frames=scope.frames,
            of=scope.kept,
            projection=Projection(columns, None),
            outers=self._unranked(columns),
            bounds=_bounds(self.pattern.limits),
            max_events=self.pattern.max_events,
        )
        return Looking(
            (self._selection(),),
            operator=plan.operator,
            reach_ms=plan.reach_ms,
            key=self._key(scope.partition),
        )

    def _check_amended(self, outers: Outers) -> None:
        if outers.has_ranking:
            expected = "expected 'drop': a late event could change the numbers of all rows"
            raise InvalidInput([Problem(f"{self.path}.late.action", f"{expected}, got 'amend'")])
        if any(column.name == HOLDS for column in outers.columns):
            raise self.query.refusal(
                HOLDS,
                f"expected no column {HOLDS!r} beside 'amend', which tells so what still is a row",
            )

    def _grouped(self) -> Looking:
        windowing, keys = GroupBy(self.query).windowing()
        measures = Measures(self.query.piece, self.query.scope)
        scope = GroupScope(windowing, keys, measures, self.query)
        compiler: Expressions[Group] = Expressions(self.query.piece, scope)
        having = condition_of(self.innermost.args.get("having"), self.query.piece, scope)
        columns = compile_columns(self.innermost, compiler, self._no_star)
        closing = self._closing(windowing, measures)
        outers = compile_outers(self.query, columns)
        if self.pattern.late.action == "amend":
            self._check_amended(outers)
        plan = GroupedPlan(
            closing=closing,
            measures=measures.all,
            having=Projection(columns, having),
            outers=outers,
            evidence=self.query.read.evidence,
        )
        return Looking(
            (self._selection(),),
            operator=plan.operator,
            # A late event counts in the windows that are still open.
            drops_late=False,
            delay_ms=self.pattern.late.delay_ms,
            reach_ms=windowing.size_ms,
            lead_ms=windowing.size_ms if closing.grid else 0,
            key=self._key(keys),
        )

    def _star(self) -> list[Column[Event]]:
        return [Column(name, scalar) for name, scalar in self.query.read.columns.items()]

    def _no_star(self) -> Sequence[Column[Group]]:
        raise self.query.refusal("SELECT", "expected columns by name beside GROUP BY, got *")

    def _key(self, keys: Sequence[Key]) -> KeyOf:
        takes_null = self.pattern.on_missing_key == "null_key"
        names = [key.name for key in keys]
        return key_of(names, [key.scalar.of for key in keys], takes_null=takes_null)

    def _closing(self, windowing: Windowing, measures: Measures) -> Closing:
        # Aggregates stand there only when all clauses were read, and windows begin later.
        makes = measures.all
        late = self.pattern.late
        return Closing(
            measure=Measure(
                "rows",
                lambda: SeveralSliding([each.sliding for each in makes]),
                lambda: Several([each.closing for each in makes]),
            ),
            reader=Reader(None),
            bounds=_bounds(self.pattern.limits),
            grid=grid_for(windowing, self.pattern.zone),
            gap_ms=windowing.size_ms,
            allowed_ms=late.kept_ms,
            max_events=self.pattern.max_events,
        )


def _raise(found: Iterable[Problem]) -> None:
    if problems := [*found]:
        raise InvalidInput(problems)


def grid_for(windowing: Windowing, zone: ZoneInfo | None) -> Grid | None:
    """Return where windows begin and end; sessions have no grid."""
    size_ms, step_ms = windowing.size_ms, windowing.step_ms
    grid: Grid
    match windowing.shape:
        case Shape.SESSION:
            return None
        case Shape.CUMULATE:
            grid = CumulatingGrid(size_ms, step_ms)
        case Shape.TUMBLE | Shape.HOP:
            grid = grid_of(size_ms, step_ms or None, zone)
    return ShiftedGrid(grid, windowing.offset_ms) if windowing.offset_ms else grid


def _bounds(limits: Limits) -> Bounds:
    return Bounds(limits.max_keys, limits.key_ttl)
