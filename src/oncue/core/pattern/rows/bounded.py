"""A row pattern over rows that are all there: any columns, in any order, with an end."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from oncue.core.json_text import Json
from oncue.core.pattern.canonical import canonical_key
from oncue.core.pattern.rows.definitions import compile_search
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.layout import Layout, Placed
from oncue.core.pattern.rows.output import Output, told_apart
from oncue.core.pattern.rows.partition import FREE, Partition
from oncue.core.pattern.rows.ranks import ranked
from oncue.core.pattern.rows.row import NEVER_MS, Row
from oncue.core.pattern.rows.searcher import Search, Searcher
from oncue.core.sql.columns import Step
from oncue.core.sql.row_pattern.clause import Clause
from oncue.core.sql.scalars import Sort

MAX_THREADS: Final = 10_000
"""Ways that a match may be open in at once; a stream has `limits.max_partials_per_key`."""
_FOREVER: Final = 2**60


@dataclass(frozen=True, slots=True, eq=False)
class BoundedRows:
    """
    A row pattern that can run over rows that are all there.

    `kept` says what it needs of the source, `order` by what the rows of a partition are ordered;
    `columns` are those of its result, `passed` the names of those that come from the source.
    """

    kept: Sequence[tuple[str, tuple[Step, ...]]]
    partition: Sequence[Placed]
    order: Sequence[Placed]
    columns: Sequence[tuple[str, Sort]]
    passed: frozenset[str]
    _clause: Clause
    _search: Search
    _output: Output

    def results(self, rows: Iterable[tuple[Json, ...]]) -> Iterator[tuple[Json, ...]]:
        """
        Yield the result for rows of what is kept, which come in the order of ORDER BY.

        Only where that is by columns of several sorts, they are ordered here once more.

        Raises:
            InvalidInput: a match has not the row that the search shall go on at, or is open in
                too many ways.
        """
        places = [column.place for column in self.partition]
        partitions: defaultdict[str, list[Row]] = defaultdict(list)
        time_ms = self._time_ms()
        for offset, row in enumerate(rows):
            key = canonical_key([row[place] for place in places])
            partitions[key].append(Row(offset, time_ms(row), row))
        rank = self._rank()
        for key in [*partitions]:
            given = partitions.pop(key)
            yield from self._searched(given if rank is None else sorted(given, key=rank))

    def _searched(self, rows: list[Row]) -> Iterator[tuple[Json, ...]]:
        partition = Partition()
        partition.rows = rows
        partition.settled = len(rows)
        search = replace(self._search, last_at=len(rows) - 1)
        for outcome in Searcher(search, partition, _Refused(self._clause)).run(FREE):
            yield from self._output.cells(outcome)

    def _time_ms(self) -> Callable[[tuple[Json, ...]], int]:
        """Return what gives the time of a row, by which WITHIN is measured; it runs back with the order."""
        if not _is_timed(self.order):
            return lambda _: 0
        place, sign = self.order[0].place, -1 if self.order[0].is_descending else 1

        def time_ms(row: tuple[Json, ...]) -> int:
            value = row[place]
            return sign * value if isinstance(value, int) else NEVER_MS

        return time_ms

    def _rank(self) -> Callable[[Row], Any] | None:
        """Return what orders rows, where their source could not."""
        if all(column.sort is not Sort.ANY for column in self.order):
            return None
        return ranked([(column.place, column.is_descending) for column in self.order])


class _Refused(dict[str, int]):
    """Counts of what was left out, of which there may be none: an answer is whole."""

    def __init__(self, clause: Clause) -> None:
        super().__init__()
        self._clause = clause

    def __setitem__(self, reason: str, count: int) -> None:
        """Refuse what would be left out."""
        clause = self._clause
        if reason == "skip_targets_missed":
            raise clause.statement.refusal(
                clause.skip.at,
                f"expected each match to have a row of {clause.skip.variable} behind its first one,"
                " where the search goes on; got a match without: use AFTER MATCH SKIP TO NEXT ROW",
            )
        raise clause.statement.refusal(
            clause.at,
            f"over threads: expected a match to be open in at most {MAX_THREADS} ways at once,"
            " got more: say more in DEFINE",
        )


def compile_bounded(clause: Clause, source: Input, wanted: Collection[str] | None) -> BoundedRows:
    """
    Return what runs a clause over rows of a source that are all there.

    `wanted` are the names in lower case by which columns of the result may be asked for; None, if
    all are.

    Raises:
        InvalidInput: with the first thing that is wrong with its shape, or all with its names.
    """
    layout = Layout(clause, source)
    within_ms = clause.within_ms or _FOREVER
    if clause.within_ms is not None and not _is_timed(layout.order):
        raise clause.statement.refusal(
            clause.at, "expected ORDER BY a column of instants beside WITHIN, such as time"
        )
    if _is_timed(layout.order) and not layout.order[0].is_descending:
        source.times.add(layout.order[0].name)
    searched = compile_search(clause, source, max_threads=MAX_THREADS, within_ms=within_ms)
    columns = layout.columns(searched.measures)
    if not columns:
        raise clause.statement.refusal(
            clause.at, "expected MEASURES, or PARTITION BY, for what a match gives, got neither"
        )
    asked = [each for each in columns if wanted is None or each[0].lower() in wanted]
    selected = told_apart([(name, make()) for name, make in asked or columns[:1]])
    return BoundedRows(
        kept=source.kept,
        partition=layout.partition,
        order=layout.order,
        columns=[(name, scalar.sort) for name, scalar in selected],
        passed=frozenset(source.columns) - {name for name, _ in searched.measures},
        _clause=clause,
        _search=searched.search,
        _output=Output(
            clause.rows, searched.names, searched.memory, tuple(selected), condition=None
        ),
    )


def _is_timed(order: Sequence[Placed]) -> bool:
    """Return whether rows are ordered by instants first."""
    return bool(order) and order[0].sort is Sort.INSTANT
