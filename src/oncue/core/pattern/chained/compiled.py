"""From SELECTs around a row pattern to what runs both, or to what is wrong with them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sqlglot import exp

from oncue.core.errors import InvalidInput, Problem
from oncue.core.pattern.chained.operator import Chain, ChainedOperator
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.plan import Looking
from oncue.core.pattern.rows.compiled import CompiledRows, compile_query
from oncue.core.pattern.rows.match_row import cell, evidence
from oncue.core.pattern.rows.rowtime import is_rowtime
from oncue.core.pattern.select.columns import condition_of
from oncue.core.pattern.select.compiled import compile_levels
from oncue.core.sql.columns import Table, is_star, reference
from oncue.core.sql.row_pattern.around import Around
from oncue.core.sql.row_pattern.query import KEYWORD, Query
from oncue.core.sql.scalars import Scalar
from oncue.core.sql.select.levels import Query as Levels

_WAITS: Final = "; windows wait for it"


def compile_chain(pattern: SqlPattern, around: Around, path: str) -> Looking:
    """
    Return how to look for the windows of the matches of a pattern that stands at `path`.

    Raises:
        InvalidInput: with the place of what cannot be streamed, and a way out.
    """
    if problems := [*_unfit(pattern, path)]:
        raise InvalidInput(problems)
    rows = compile_query(pattern, around.rows)
    outside = replace(around.outside, read=_table(around.rows, rows))
    _check_windows(outside)
    select = outside.selects[0]
    condition = condition_of(select.args.get("where"), outside.piece, outside.scope)
    select.set("where", None)
    windows = compile_levels(pattern, outside, path)
    assert windows.operator is not None
    assert windows.key is not None
    chain = Chain(
        rows=rows.plan,
        limits=pattern.limits,
        condition=condition,
        key=windows.key,
        windows=windows.operator,
        waits=pattern.late.action != "amend",
    )
    warnings = tuple(Problem(each.path, each.message + _WAITS) for each in rows.warnings)
    return Looking(
        (rows.selection,),
        operator=lambda: ChainedOperator(chain),
        sorts=True,
        reach_ms=rows.within_ms + windows.reach_ms,
        delay_ms=windows.delay_ms,
        lead_ms=rows.within_ms + windows.lead_ms,
        key=KeyOf(rows.key.by, rows.key.text, told=windows.key.by),
        warnings=warnings if chain.waits else rows.warnings,
    )


def _unfit(pattern: SqlPattern, path: str) -> Iterator[Problem]:
    cooldown = pattern.pause
    if cooldown is not None and cooldown.samples is not None and cooldown.per == "key":
        yield Problem(
            f"{path}.cooldown",
            "expected a time such as '10m', or 'per: pattern': windows of matches have other keys"
            " than events",
        )


def _table(query: Query, rows: CompiledRows) -> Table:
    columns = {
        name: Scalar(scalar.sort, cell(place))
        for place, (name, scalar) in enumerate(rows.plan.output.columns)
    }
    return Table(columns, frozenset(_times(query)), KEYWORD, evidence)


def _times(query: Query) -> Iterator[str]:
    """Yield the columns that are the time of a match."""
    measured = {each.name.lower() for each in query.clause.measures if is_rowtime(each.words)}
    for item in query.select.expressions:
        inner = item.unalias()
        if is_star(inner):
            yield from (each.name for each in query.clause.measures if is_rowtime(each.words))
            continue
        found = reference(inner)
        if found is not None and found.names[-1].name.lower() in measured and not found.steps:
            yield item.alias if isinstance(item, exp.Alias) else found.names[-1].name


def _check_windows(outside: Levels) -> None:
    """Refuse SELECTs of matches that make no windows of them."""
    select = outside.selects[0]
    if outside.table is not None or select.args.get("group") or select.args.get("having"):
        return
    if any(item.find(exp.Window) for item in select.expressions):
        raise outside.refusal(
            "OVER",
            f"expected windows of matches, such as {outside.example}, got OVER:"
            " what came before a match is asked in DEFINE and MEASURES",
        )
    if not any(item.find(exp.AggFunc) for item in select.expressions):
        raise outside.refusal(
            "SELECT",
            f"expected columns and WHERE in the SELECT of {KEYWORD} itself, and around it windows,"
            f" such as {outside.example}",
        )
