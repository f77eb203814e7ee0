"""From a SELECT over the stream of events to what looks for its rows, or to what is wrong with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.sql import SqlPattern, unfit_rows, unfit_windows
from oncue.core.pattern.plan import Looking
from oncue.core.pattern.rows.selecting import selection_of
from oncue.core.pattern.select.aggregates import Several
from oncue.core.pattern.select.columns import (
    Column,
    Projection,
    compile_columns,
    condition_of,
    name_of,
)
from oncue.core.pattern.select.each import EachPlan
from oncue.core.pattern.select.framing import FrameScope, Over
from oncue.core.pattern.select.grouped import GroupedPlan
from oncue.core.pattern.select.grouping import (
    Group,
    GroupScope,
    Key,
    Measures,
    same,
    window_function,
    windowing_in,
)
from oncue.core.pattern.select.outer import Outers, compile_outers
from oncue.core.pattern.select.over import OverPlan
from oncue.core.pattern.select.where import Where, key_of
from oncue.core.pattern.threshold.closing import Closing
from oncue.core.pattern.threshold.grids import CumulatingGrid, Grid, ShiftedGrid, grid_of
from oncue.core.pattern.threshold.keys import Bounds
from oncue.core.pattern.threshold.measures import Measure
from oncue.core.pattern.threshold.values import Reader
from oncue.core.sql.columns import COLUMNS, EventScope
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Scalar, read
from oncue.core.sql.select.levels import Query, split_levels
from oncue.core.sql.select.windowing import Shape, Windowing
from oncue.core.sql.text import Piece, Statement, Word

_BOUNDS: Final = ("window_start", "window_end")
_EXAMPLE: Final = "GROUP BY TUMBLE(time, INTERVAL '10' MINUTE)"


def compile_select(pattern: SqlPattern, statement: Statement, path: str) -> Looking:
    """
    Return how to look for the rows of a statement of a pattern that stands at `path`.

    Raises:
        InvalidInput: with the place of what cannot be streamed, and a way out.
    """
    return _Select(pattern, split_levels(statement), path).looking()


@dataclass(frozen=True, slots=True, eq=False)
class _Select:
    pattern: SqlPattern
    query: Query
    path: str

    @property
    def innermost(self) -> exp.Select:
        return self.query.selects[0]

    @property
    def alias(self) -> str:
        return self.query.aliases[0]

    def looking(self) -> Looking:
        select = self.innermost
        group = select.args.get("group")
        items = [*select.expressions, *filter(None, [select.args.get("having")])]
        windows = [node for item in items for node in item.find_all(exp.Window)]
        if self.query.table is not None or group is not None:
            _raise(unfit_windows(self.pattern, self.path))
            return self._grouped(group)
        _raise(unfit_rows(self.pattern, self.path))
        within = {id(node) for window in windows for node in window.find_all(exp.AggFunc)}
        free = [
            node for item in items for node in item.find_all(exp.AggFunc) if id(node) not in within
        ]
        if free or select.args.get("having") is not None:
            word = "HAVING" if not free else free[0].sql().partition("(")[0].upper()
            raise self.query.refusal(
                word, f"expected windows beside {word}, such as {_EXAMPLE}: a stream has no end"
            )
        return self._over() if windows else self._each()

    @property
    def _where(self) -> exp.Expr | None:
        clause = self.innermost.args.get("where")
        return clause.this if clause is not None else None

    def _wanted(self) -> Where:
        scope = EventScope(self.alias)
        return Where(condition_of(self.innermost.args.get("where"), self.query.piece, scope))

    def _each(self) -> Looking:
        compiler = Expressions(self.query.piece, EventScope(self.alias))
        columns = compile_columns(self.innermost, compiler, _event_columns)
        outers = self._unranked(columns)
        plan = EachPlan(self._wanted(), Projection(columns, None), outers)
        return Looking((selection_of(self._where),), operator=plan.operator, key=self._key([]))

    def _unranked(self, columns: Sequence[Column[Event]] | Sequence[Column[Over]]) -> Outers:
        outers = compile_outers(self.query, columns)
        if outers.has_ranking:
            raise self.query.refusal(
                "ROW_NUMBER", f"expected ROW_NUMBER() over rows of windows, such as {_EXAMPLE}"
            )
        return outers

    def _over(self) -> Looking:
        scope = FrameScope(self.query.piece, self.alias)
        compiler = Expressions(self.query.piece, scope)
        columns = compile_columns(self.innermost, compiler, scope.star)
        plan = OverPlan(
            where=self._wanted(),
            frames=scope.frames,
            of=scope.kept,
            projection=Projection(columns, None),
            outers=self._unranked(columns),
            bounds=self._bounds(),
            max_events=self.pattern.max_events,
        )
        return Looking(
            (selection_of(self._where),),
            operator=plan.operator,
            reach_ms=plan.reach_ms,
            key=self._key(scope.partition),
        )

    def _grouped(self, group: exp.Expr | None) -> Looking:
        windowing, keys = self._windowing(group)
        measures = Measures(self.query.piece, self.alias)
        scope = GroupScope(windowing, keys, measures, self.alias)
        compiler: Expressions[Group] = Expressions(self.query.piece, scope)
        having = condition_of(self.innermost.args.get("having"), self.query.piece, scope)
        columns = compile_columns(self.innermost, compiler, self._no_star)
        closing = self._closing(windowing, measures)
        outers = compile_outers(self.query, columns)
        if outers.has_ranking and self.pattern.late.action == "amend":
            expected = "expected 'drop': a late event could change the numbers of all rows"
            raise InvalidInput([Problem(f"{self.path}.late.action", f"{expected}, got 'amend'")])
        plan = GroupedPlan(
            closing=closing,
            where=self._wanted(),
            measures=measures.all,
            having=Projection(columns, having),
            outers=outers,
        )
        return Looking(
            (selection_of(self._where),),
            operator=plan.operator,
            # A late event counts in the windows that are still open.
            drops_late=False,
            reach_ms=windowing.size_ms,
            lead_ms=windowing.size_ms if closing.grid else 0,
            key=self._key(keys),
        )

    def _no_star(self) -> Sequence[Column[Group]]:
        raise self.query.refusal("SELECT", "expected columns by name beside GROUP BY, got *")

    def _key(self, keys: Sequence[Key]) -> KeyOf:
        takes_null = self.pattern.on_missing_key == "null_key"
        names = [key.name for key in keys]
        return key_of(names, [key.scalar.of for key in keys], takes_null=takes_null)

    def _bounds(self) -> Bounds:
        return Bounds(self.pattern.limits.max_keys, self.pattern.limits.key_ttl)

    def _closing(self, windowing: Windowing, measures: Measures) -> Closing:
        # Aggregates stand there only when all clauses were read, and windows begin later.
        makes = measures.all
        late = self.pattern.late
        return Closing(
            measure=Measure(
                "rows",
                lambda: Several([each.sliding for each in makes]),
                lambda: Several([each.closing for each in makes]),
            ),
            reader=Reader(None),
            bounds=self._bounds(),
            grid=grid_for(windowing, self.pattern.zone),
            gap_ms=windowing.size_ms,
            allowed_ms=late.allowed,
            max_events=self.pattern.max_events,
        )

    def _windowing(self, group: exp.Expr | None) -> tuple[Windowing, list[Key]]:
        """Return the windows of the statement, and the key that GROUP BY adds to them."""
        if group is not None and any(group.args.get(name) for name in _UNGROUPED):
            raise self.query.refusal("GROUP", "expected GROUP BY with a list of columns")
        parts = list(group.expressions) if group is not None else []
        table = self.query.table
        if table is not None:
            return table.windowing, self._keys_of_table(parts)
        functions = [part for part in parts if window_function(part)]
        if len(functions) != 1:
            got = "none" if not functions else str(len(functions))
            raise self.query.refusal(
                "GROUP",
                f"expected one window in GROUP BY, such as {_EXAMPLE}, got {got}:"
                " a stream has no end at which a group without one would be complete",
            )
        compiler = Expressions(self.query.piece, EventScope(self.alias))
        shape = window_function(functions[0])
        assert shape is not None
        windowing = windowing_in(functions[0], shape, compiler)
        return windowing, self._keys([part for part in parts if part not in functions])

    def _keys_of_table(self, parts: Sequence[exp.Expr]) -> list[Key]:
        table = self.query.table
        assert table is not None
        bounds = [part for part in parts if _last_name(part) in (*_BOUNDS, "window_time")]
        named = {_last_name(part) for part in bounds}
        if not named >= set(_BOUNDS):
            raise self.query.statement.refusal(
                table.at,
                f"expected GROUP BY window_start, window_end, … beside {table.windowing.shape}:"
                " rows are those of windows",
            )
        keys = self._keys([part for part in parts if part not in bounds])
        if table.windowing.shape is Shape.SESSION:
            partition = [self._partition(words) for words in table.partition]
            self._check_session(table.at, partition, keys)
        return keys

    def _partition(self, words: Sequence[Word]) -> exp.Expr:
        piece = Piece(self.query.statement, words[0].start)
        piece.add_all(words)
        return read(piece)

    def _check_session(self, at: int, partition: Sequence[exp.Expr], keys: Sequence[Key]) -> None:
        is_same = len(partition) == len(keys) and all(
            any(same(part, key.node, self.alias) for key in keys) for part in partition
        )
        if not is_same:
            raise self.query.statement.refusal(
                at,
                "expected the same columns in PARTITION BY of SESSION and, beside the window,"
                " in GROUP BY: each key has sessions of its own",
            )

    def _keys(self, parts: Sequence[exp.Expr]) -> list[Key]:
        compiler = Expressions(self.query.piece, EventScope(self.alias))
        keys: list[Key] = []
        for part in parts:
            node, name = self._named(part)
            keys.append(Key(node, name, compiler.compile(node)))
        return keys

    def _named(self, part: exp.Expr) -> tuple[exp.Expr, str]:
        """Return the expression of a part of GROUP BY, which may be the name that SELECT gave it."""
        if isinstance(part, exp.Literal):
            raise self.query.refusal("GROUP", f"expected a column in GROUP BY, got {part.name}")
        for item in self.innermost.expressions:
            if not isinstance(item, exp.Alias):
                continue
            is_alias = (
                isinstance(part, exp.Column)
                and len(part.parts) == 1
                and part.name.lower() == item.alias.lower()
                and part.name.lower() not in COLUMNS
            )
            if is_alias or same(part, item.this, self.alias):
                return item.this, item.alias
        return part, name_of(part)


def _raise(found: Iterable[Problem]) -> None:
    if problems := [*found]:
        raise InvalidInput(problems)


_UNGROUPED: Final = ("all", "cube", "rollup", "grouping_sets", "totals")


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


def _event_columns() -> list[Column[Event]]:
    return [Column(name, Scalar(sort, of)) for name, (sort, of) in COLUMNS.items()]


def _last_name(node: exp.Expr) -> str:
    return node.name.lower() if isinstance(node, exp.Column) else ""
