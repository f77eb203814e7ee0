"""What a match gives: one row, or a row for each that it took, under the names of SELECT."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Hit, Kind
from oncue.core.pattern.rows.match_row import MatchRow, match_row
from oncue.core.pattern.rows.registers import Memory
from oncue.core.pattern.rows.row import Registers, Row, Spot, Taken
from oncue.core.pattern.rows.searcher import Outcome
from oncue.core.problems import nearest
from oncue.core.sql.columns import is_star, reference, stepped
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.clause import Rows
from oncue.core.sql.row_pattern.query import Query
from oncue.core.sql.scalars import Compiler, Scalar, Scope, Sort, spelled
from oncue.core.sql.values import spelled_instant

Made: TypeAlias = Callable[[], Scalar[Spot]]
"""Makes a column once it is asked for."""


class ResultScope(Scope[Spot]):
    """Names of SELECT and WHERE: the columns that MATCH_RECOGNIZE gives."""

    def __init__(self, columns: Sequence[tuple[str, Made]], alias: str) -> None:
        self.columns = columns
        self._alias = alias

    def column(self, node: exp.Expr, compiler: Compiler[Spot]) -> Scalar[Spot] | None:
        """Return what a name or a path stands for."""
        found = reference(node)
        if found is None:
            return None
        found = found.below(self._alias)
        first = found.names[0].name
        names = [name for name, _ in self.columns]
        exact = [each for name, each in self.columns if name == first]
        alike = [each for name, each in self.columns if name.lower() == first.lower()]
        if not (exact or alike):
            raise compiler.refusal(
                node,
                f"expected a column that MATCH_RECOGNIZE gives ({', '.join(names)}),"
                f" got {first!r}{nearest(first, names)}",
            )
        return stepped((exact or alike)[0](), found.path)

    def call(self, _: exp.Expr, __: Compiler[Spot]) -> Scalar[Spot] | None:
        """Return None: results have no functions of their own."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """The columns of the result, and which of its rows are wanted."""

    rows: Rows
    names: tuple[str, ...]
    memory: Memory
    columns: tuple[tuple[str, Scalar[Spot]], ...]
    condition: Callable[[Spot], Json] | None

    def hits(self, key: str, outcome: Outcome) -> Iterator[Hit]:
        """Yield a hit for each row of the result."""
        for place, spot, taken in self._shown(outcome):
            yield self._hit(key, place, spot, taken)

    def match_rows(self, outcome: Outcome) -> Iterator[MatchRow]:
        """Yield each row of the result for other SELECTs; what has no rows has no time, and gives none."""
        for _, spot, taken in self._shown(outcome):
            last = spot.row(spot.end) if taken else None
            rows = [row for each in taken if (row := spot.row(each.at)) is not None]
            if last is not None:
                cells = tuple([scalar.of(spot) for _, scalar in self.columns])
                yield match_row(last.time_ms, rows, cells)

    def cells(self, outcome: Outcome) -> Iterator[tuple[Json, ...]]:
        """Yield the values of each row of the result; instants are milliseconds since 1970."""
        for _, spot, _ in self._shown(outcome):
            yield tuple([scalar.of(spot) for _, scalar in self.columns])

    def _shown(self, outcome: Outcome) -> Iterator[tuple[int, Spot, Sequence[Taken]]]:
        if self.rows is Rows.ONE:
            shown = self._whole(outcome) if not outcome.is_unmatched else iter(())
        else:
            shown = self._each(outcome)
        for place, spot, taken in shown:
            if self.condition is None or self.condition(spot) is True:
                yield place, spot, taken

    def _hit(self, key: str, place: int, spot: Spot, taken: Sequence[Taken]) -> Hit:
        offsets: dict[str, list[int]] = {}
        for each in taken:
            row = spot.row(each.at)
            assert row is not None
            offsets.setdefault(self.names[each.label], []).append(row.offset)
        last = spot.row(taken[-1].at if taken else spot.shown)
        assert last is not None
        if not taken:
            # An empty match, or a row without one: told by the row at which it is.
            offsets[""] = [last.offset]
        return Hit(
            kind=Kind.MATCHED,
            key=key,
            time_ms=last.time_ms,
            bindings=tuple((name, tuple(of)) for name, of in offsets.items()),
            event_count=max(len(taken), 1),
            values={name: _shown(scalar, spot) for name, scalar in self.columns},
            row=place,
        )

    def _whole(self, outcome: Outcome) -> Iterator[tuple[int, Spot, Sequence[Taken]]]:
        spot, path = outcome.spot, outcome.path
        kept = self.memory.begin()
        for taken in path:
            kept = self._after(kept, spot, taken)
        spot.registers = spot.final = kept
        spot.at = spot.end = path[-1].at if path else spot.start - 1
        spot.labels = {taken.at: taken.label for taken in path}
        yield 0, spot, path

    def _each(self, outcome: Outcome) -> Iterator[tuple[int, Spot, Sequence[Taken]]]:
        spot, path = outcome.spot, outcome.path
        if not path:
            if outcome.is_unmatched or self.rows is not Rows.ALL_OMIT_EMPTY:
                spot.registers = spot.final = self.memory.begin()
                spot.is_unmatched = outcome.is_unmatched
                spot.labels = {}
                yield 0, spot, ()
            return
        kept = [self.memory.begin()]
        for taken in path:
            kept.append(self._after(kept[-1], spot, taken))
        spot.end = path[-1].at
        spot.final = kept[-1]
        spot.labels = {taken.at: taken.label for taken in path}
        for place, taken in enumerate(path):
            if not taken.is_excluded:
                spot.at = spot.shown = taken.at
                spot.registers = kept[place + 1]
                yield place, spot, (taken,)

    def _after(self, kept: Registers, spot: Spot, taken: Taken) -> Registers:
        spot.at = taken.at
        row = spot.row(taken.at)
        assert row is not None
        return self.memory.after(kept, spot, row, taken.label)


def _shown(scalar: Scalar[Spot], spot: Spot) -> Json:
    value = scalar.of(spot)
    return spelled_instant(value) if scalar.sort is Sort.INSTANT else value


def measure(scalar: Scalar[Spot]) -> Scalar[Spot]:
    """Return a measure, which is NULL for a row that no match has."""
    of = scalar.of
    return Scalar(scalar.sort, lambda spot: None if spot.is_unmatched else of(spot))


def shown_column(sort: Sort, place: int) -> Scalar[Spot]:
    """Return a column of the row that the result is about."""

    def evaluate(spot: Spot) -> Json:
        row: Row | None = spot.row(spot.shown)
        return row.values[place] if row is not None else None

    return Scalar(sort, evaluate)


def compile_columns(
    query: Query, scope: ResultScope
) -> tuple[list[tuple[str, Scalar[Spot]]], Callable[[Spot], Json] | None]:
    """
    Return what SELECT gives, and which rows WHERE wants.

    Raises:
        InvalidInput: it names something that MATCH_RECOGNIZE does not give.
    """
    compiler = Expressions(query.piece, scope)
    columns: list[tuple[str, Scalar[Spot]]] = []
    for item in query.select.expressions:
        inner = item.unalias()
        if is_star(inner):
            columns += [(name, make()) for name, make in scope.columns if _is_used(name, query)]
            continue
        found = reference(inner)
        plain = found.name if found else spelled(inner)
        name = item.alias if isinstance(item, exp.Alias) else plain
        columns.append((name, compiler.compile(inner)))
    where = query.select.args.get("where")
    condition = compiler.of_sort(where.this, Sort.TRUTH).of if where is not None else None
    return told_apart(columns), condition


def _is_used(name: str, query: Query) -> bool:
    return query.used is None or name.lower() in query.used


def told_apart(columns: Sequence[tuple[str, Scalar[Spot]]]) -> list[tuple[str, Scalar[Spot]]]:
    """Return columns, those of a name that is taken with a number behind it."""
    names: list[str] = []
    for name, _ in columns:
        count = sum(each.lower() == name.lower() for each, _ in columns[: len(names)])
        names.append(f"{name}_{count}" if count else name)
    return [(name, scalar) for name, (_, scalar) in zip(names, columns, strict=True)]
