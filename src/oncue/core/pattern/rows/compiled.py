"""From a statement with MATCH_RECOGNIZE over the stream to what runs it, or to what is wrong with it."""

from dataclasses import dataclass, replace
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.rows.definitions import Searched, compile_search
from oncue.core.pattern.rows.event_input import EventInput, check_time_order
from oncue.core.pattern.rows.layout import Layout
from oncue.core.pattern.rows.operator import RowPlan
from oncue.core.pattern.rows.output import Output, ResultScope, compile_columns
from oncue.core.pattern.rows.program import parts_of
from oncue.core.pattern.rows.ranks import ranked
from oncue.core.pattern.select.where import key_of
from oncue.core.pattern.selection import Selection
from oncue.core.sql.row_pattern.clause import DEFAULT_STATE_MS, Clause, Rows
from oncue.core.sql.row_pattern.pattern import Anchor
from oncue.core.sql.row_pattern.query import Query, split_query
from oncue.core.sql.text import Statement

_UNBOUNDED: Final = (
    "without WITHIN a match that is open is decided after 24h: say how long it may take"
)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRows:
    """A row pattern that can run, and how its events and their key are found."""

    plan: RowPlan
    selection: Selection
    key: KeyOf
    within_ms: int
    warnings: tuple[Problem, ...]


def compile_rows(pattern: SqlPattern, path: str) -> CompiledRows:
    """
    Return what runs the statement of a pattern that stands at `path` of its document.

    Raises:
        InvalidInput: with the first thing that is wrong with its shape, or all with its names.
    """
    statement = Statement(pattern.query, f"{path}.query")
    query = split_query(statement)
    if pattern.cooldown is not None and query.clause.rows is not Rows.ONE:
        expected = (
            "expected ONE ROW PER MATCH beside a cooldown, which would keep back further rows"
        )
        raise InvalidInput([Problem(f"{path}.cooldown", expected)])
    return compile_query(pattern, query)


def compile_query(pattern: SqlPattern, query: Query) -> CompiledRows:
    """
    Return what runs the row pattern of a query over the stream.

    Raises:
        InvalidInput: as above.
    """
    return _compile(
        query,
        pattern.limits.max_partials_per_key,
        takes_null=pattern.on_missing_key == "null_key",
    )


def _compile(query: Query, max_threads: int, *, takes_null: bool) -> CompiledRows:
    clause = query.clause
    source = EventInput(query.source)
    check_time_order(clause, source)
    layout = Layout(clause, source)
    within_ms = clause.within_ms or DEFAULT_STATE_MS
    searched = compile_search(clause, source, max_threads=max_threads, within_ms=within_ms)
    output = _output(query, layout, searched)
    _check_stream(clause, searched)
    keys = layout.keys[1:]
    search = replace(searched.search, rank=ranked(keys) if keys else None)
    return CompiledRows(
        plan=RowPlan(search, output, source.reads()),
        selection=source.selection,
        key=_key(layout, source, takes_null=takes_null),
        within_ms=within_ms,
        warnings=() if clause.within_ms else (query.statement.problem(clause.at, _UNBOUNDED),),
    )


def _output(query: Query, layout: Layout, searched: Searched) -> Output:
    scope = ResultScope(layout.columns(searched.measures), query.alias)
    columns, condition = compile_columns(query, scope)
    rows = query.clause.rows
    return Output(rows, searched.names, searched.memory, tuple(columns), condition)


def _key(layout: Layout, source: EventInput, *, takes_null: bool) -> KeyOf:
    """Return how the key of an event is found."""
    names = [column.name for column in layout.partition]
    parts = [source.reader(column.place) for column in layout.partition]
    return key_of(names, parts, takes_null=takes_null)


def _check_stream(clause: Clause, searched: Searched) -> None:
    """Refuse what asks for rows that a stream has not: those at its end, and those to come."""
    for part in parts_of(clause.pattern):
        if isinstance(part, Anchor):
            spelled, which = ("^", "first") if part.is_start else ("$", "last")
            raise clause.statement.refusal(
                part.at,
                f"expected a pattern without {spelled!r}: a stream has no {which} row;"
                " say in DEFINE how the row differs",
            )
    where = "DEFINE" if searched.looks_ahead else "MEASURES"
    if searched.search.reach.after and clause.within_ms is None:
        raise clause.statement.refusal(
            clause.at,
            f"expected WITHIN beside NEXT in {where}: without it the pattern has no end to"
            " wait for; or let a later variable look back by PREV",
        )
