"""From a condition that is well-formed to what looks for it, or to all that is wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.pattern.canonical import canonical_key
from oncue.core.pattern.chained.compiled import compile_chain
from oncue.core.pattern.definition import Condition
from oncue.core.pattern.keys import compile_key
from oncue.core.pattern.kinds import anomaly, event, sql, threshold
from oncue.core.pattern.kinds.anomaly import AnomalyPattern, compile_anomaly
from oncue.core.pattern.kinds.event import EventPattern
from oncue.core.pattern.kinds.sequence import SequencePattern
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.kinds.threshold import ThresholdPattern, compile_threshold
from oncue.core.pattern.plan import Looking, Plan
from oncue.core.pattern.polled.compiled import compile_polled
from oncue.core.pattern.rows.compiled import compile_rows
from oncue.core.pattern.rows.operator import RowOperator
from oncue.core.pattern.select.compiled import compile_select
from oncue.core.pattern.selection import compile_selection
from oncue.core.pattern.sequence.compiled import compile_sequence
from oncue.core.sql.row_pattern.around import split_around
from oncue.core.sql.row_pattern.query import has_row_pattern
from oncue.core.sql.text import Statement

T = TypeVar("T")


@dataclass(slots=True)
class _Findings:
    """What is wrong, collected from all parts."""

    problems: list[Problem] = field(default_factory=list)

    def of(self, compile_part: Callable[[], T]) -> T | None:
        """Return what was compiled; nothing, if something is wrong with it."""
        try:
            return compile_part()
        except InvalidInput as exc:
            self.problems += exc.problems
            return None


def plan_condition(condition: Condition, path: str) -> Plan:
    """
    Return how a condition that stands at `path` of its document is looked for.

    Raises:
        InvalidInput: with all problems.
    """
    findings = _Findings()
    looking = _looking(condition, path, findings)
    key = (
        looking.key
        if looking and looking.key
        else findings.of(lambda: compile_key(condition.by, condition.on_missing_key, path))
    )
    findings.problems += _unfit_keys(condition, path)
    if key is None or looking is None or findings.problems:
        raise InvalidInput(findings.problems)
    return Plan(
        key=key,
        looking=looking,
        declared_keys=tuple(_declared(condition)),
        delay_ms=condition.watermark.delay + looking.delay_ms,
        idle_timeout_ms=condition.watermark.idle_timeout,
        cooldown=condition.pause,
        limits=condition.limits,
        max_events=condition.max_events,
        backfill_ms=condition.backfill or 0,
    )


def _looking(condition: Condition, path: str, findings: _Findings) -> Looking | None:
    match condition:
        case EventPattern():
            findings.problems += event.unfit(condition, path)
            selection = findings.of(lambda: compile_selection(condition, path))
            return Looking((selection,)) if selection else None
        case AnomalyPattern():
            selection = findings.of(lambda: compile_selection(condition, path))
            scoring = findings.of(lambda: compile_anomaly(condition, path))
            findings.problems += anomaly.unfit_silence(condition, path)
            if selection is None or scoring is None:
                return None
            return Looking(
                (selection,),
                operator=scoring.operator,
                sorts=scoring.sorts,
                reach_ms=scoring.reach_ms,
            )
        case ThresholdPattern():
            selection = findings.of(lambda: compile_selection(condition, path))
            found = findings.of(lambda: compile_threshold(condition, path))
            findings.problems += threshold.unfit_silence(condition, path)
            if selection is None or found is None:
                return None
            reach_ms = (condition.window or condition.gap or 0) + (condition.for_ or 0)
            return Looking(
                (selection,),
                operator=found.operator,
                sorts=found.sorts,
                # A late event counts in the windows that are still open.
                drops_late=False,
                delay_ms=condition.late.delay_ms,
                reach_ms=reach_ms,
            )
        case SequencePattern():
            return findings.of(lambda: _sequence(condition, path))
        case SqlPattern():
            findings.problems += sql.unfit(condition, path)
            return findings.of(lambda: _sql(condition, path))


def _sequence(condition: SequencePattern, path: str) -> Looking:
    compiled = compile_sequence(condition, path)
    return Looking(
        compiled.selectors,
        tuple(zip(compiled.names, compiled.paths, strict=True)),
        compiled.operator,
        sorts=condition.emit == "final" or not compiled.is_early,
        sees_all=compiled.is_scope_all,
        reach_ms=condition.within,
    )


def _sql(condition: SqlPattern, path: str) -> Looking:
    if problems := [*sql.unfit_polls(condition, path)]:
        raise InvalidInput(problems)
    statement = Statement(condition.query, f"{path}.query")
    if condition.every is not None:
        return compile_polled(condition, statement)
    if not has_row_pattern(statement):
        return compile_select(condition, statement, path)
    around = split_around(statement)
    if around is not None:
        return compile_chain(condition, around, path)
    if problems := [*sql.unfit_rows(condition, path)]:
        raise InvalidInput(problems)
    return _rows(condition, path)


def _rows(condition: SqlPattern, path: str) -> Looking:
    compiled = compile_rows(condition, path)
    return Looking(
        (compiled.selection,),
        operator=lambda: RowOperator(compiled.plan, condition.limits),
        sorts=True,
        reach_ms=compiled.within_ms,
        key=compiled.key,
        warnings=compiled.warnings,
    )


def _declared(condition: Condition) -> Iterator[str]:
    """Yield the keys that are known before their first event; without `by` there is one, and it is."""
    if not condition.by:
        yield ""
    for declared in condition.keys:
        yield canonical_key(_parts(declared))


def _parts(declared: Json) -> list[Json]:
    return declared if isinstance(declared, list) else [declared]


def _unfit_keys(condition: Condition, path: str) -> Iterator[Problem]:
    for place, declared in enumerate(condition.keys):
        count = len(_parts(declared))
        if count != len(condition.by):
            expected = f"expected a value for each of {len(condition.by)} paths of 'by'"
            yield Problem(f"{path}.keys[{place}]", f"{expected}, got {count}")
