"""From a statement with MATCH_RECOGNIZE to what runs it, or to what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.rows.attempt import Automaton, Condition
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.layout import Layout
from oncue.core.pattern.rows.operator import RowPlan
from oncue.core.pattern.rows.program import (
    Onward,
    Program,
    Take,
    TooLarge,
    compile_program,
    least_rows,
    onward_of,
    parts_of,
    variables_of,
)
from oncue.core.pattern.rows.references import Reach, RowScope, Variables, row_piece
from oncue.core.pattern.rows.registers import Memory
from oncue.core.pattern.rows.row import Spot
from oncue.core.pattern.rows.searcher import Search
from oncue.core.pattern.selection import Selection
from oncue.core.problems import nearest
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.clause import DEFAULT_STATE_MS, Clause, Named, Rows, SkipTo
from oncue.core.sql.row_pattern.pattern import Anchor, Exclusion
from oncue.core.sql.row_pattern.query import Query, split_query
from oncue.core.sql.scalars import Scalar, Sort, read
from oncue.core.sql.text import Statement

FOREVER: Final = 2**60
MAX_THREADS: Final = 10_000
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
        is_bounded=False,
    )


def compile_bounded(statement: Statement) -> CompiledRows:
    """
    Return what runs a statement over rows that are all there.

    Raises:
        InvalidInput: as above; what needs the end of the rows may be asked.
    """
    return _compile(split_query(statement), MAX_THREADS, takes_null=True, is_bounded=True)


def _compile(query: Query, max_threads: int, *, takes_null: bool, is_bounded: bool) -> CompiledRows:
    clause = query.clause
    source = Input(query.source)
    layout = Layout(query, source)
    variables = _variables(query)
    definitions = _Definitions(query, source, variables)
    program = _program(query, variables)
    conditions = definitions.conditions()
    looks_ahead = definitions.reach.after > 0
    if looks_ahead:
        # What a row meets hangs on the rows that are there when it is asked.
        conditions = tuple(each and replace(each, is_local=False) for each in conditions)
    is_mergeable = not definitions.reach.reads_labels
    measures = definitions.measures()
    if definitions.problems:
        raise InvalidInput(definitions.problems)
    output = layout.output(measures, variables.names, definitions.measured)
    _check_parts(query)
    if not is_bounded:
        _check_stream(query, definitions.reach, "DEFINE" if looks_ahead else "MEASURES")
    onward = onward_of(program)
    first = _first(program, onward, conditions)
    if not all(each.is_local for each in conditions if each is not None):
        onward = None
    within_ms = clause.within_ms or (FOREVER if is_bounded else DEFAULT_STATE_MS)
    search = Search(
        automaton=Automaton(program, conditions, definitions.kept, is_mergeable, onward, first),
        reach=definitions.reach,
        within_ms=within_ms,
        skip=clause.skip.to,
        skip_mask=_skip_mask(query, variables),
        max_threads=max_threads,
        needs_unmatched=clause.rows is Rows.ALL_WITH_UNMATCHED,
        rank=layout.rank,
        least=max(least_rows(clause.pattern), 1),
    )
    return CompiledRows(
        plan=RowPlan(search, output, source.values),
        selection=source.selection,
        key=layout.key(takes_null=takes_null),
        within_ms=within_ms,
        warnings=() if clause.within_ms else (query.statement.problem(clause.at, _UNBOUNDED),),
    )


def _first(
    program: Program, onward: Onward | None, conditions: Sequence[Condition | None]
) -> tuple[int, ...]:
    """Return the variables to which the first row may go, if all of them look at it alone."""
    places, accepts = onward[program.start] if onward else ((), True)
    labels = [take.label for take in (program.code[at] for at in places) if isinstance(take, Take)]
    is_known = all((condition := conditions[each]) and condition.is_local for each in labels)
    return tuple(labels) if is_known and not accepts else ()


class _Definitions:
    """DEFINE and MEASURES; `kept` is what conditions need of the rows before, `measured` measures."""

    def __init__(self, query: Query, source: Input, variables: Variables) -> None:
        self._query = query
        self._input = source
        self._variables = variables
        self.kept = Memory()
        self.measured = Memory()
        self.reach = Reach()
        self.problems: list[Problem] = []

    def conditions(self) -> tuple[Condition | None, ...]:
        """Return the condition of each variable that has one."""
        conditions: dict[str, Condition] = {}
        names = self._variables.names
        for define in self._query.clause.defines:
            if define.name not in names:
                self._add_problem(
                    define.at,
                    f"expected a variable of the pattern ({', '.join(names)}), got {define.name}"
                    f"{nearest(define.name, names)}",
                )
            elif define.name in conditions:
                self._add_problem(define.at, f"expected one definition of {define.name}, got two")
            else:
                condition = self._condition(define, names.index(define.name))
                if condition is not None:
                    conditions[define.name] = condition
        return tuple(conditions.get(name) for name in names)

    def measures(self) -> list[tuple[str, Scalar[Spot]]]:
        """Return the measures by name."""
        scope = RowScope(self._input, self._variables, self.measured, self.reach)
        measures: list[tuple[str, Scalar[Spot]]] = []
        for named in self._query.clause.measures:
            scalar = self._scalar(named, scope, Sort.ANY)
            if scalar is not None:
                measures.append((named.name, scalar))
        return measures

    def _condition(self, define: Named, label: int) -> Condition | None:
        scope = RowScope(self._input, self._variables, self.kept, self.reach, label)
        scalar = self._scalar(define, scope, Sort.TRUTH)
        return None if scalar is None else Condition(scalar.of, scope.is_local)

    def _scalar(self, named: Named, scope: RowScope, sort: Sort) -> Scalar[Spot] | None:
        try:
            piece = row_piece(self._query.statement, list(named.words), named.words[0].start)
            return Expressions(piece, scope).of_sort(read(piece), sort)
        except InvalidInput as exc:
            self.problems += exc.problems
            return None

    def _add_problem(self, at: int, message: str) -> None:
        self.problems.append(self._query.statement.problem(at, message))


def _variables(query: Query) -> Variables:
    clause = query.clause
    names: dict[str, int] = {}
    for variable in variables_of(clause.pattern):
        names.setdefault(variable.name, len(names))
    masks = {name: 1 << number for name, number in names.items()}
    for name, members in clause.subsets:
        unknown = [each for each in members if each not in names]
        if unknown or name in masks:
            wrong = unknown[0] if unknown else name
            expected = "a variable of the pattern" if unknown else "a name of its own"
            raise query.statement.refusal(
                clause.at, f"expected {expected} in SUBSET, got {wrong}{nearest(wrong, names)}"
            )
        masks[name] = sum(1 << names[each] for each in set(members))
    return Variables(tuple(names), masks)


def _program(query: Query, variables: Variables) -> Program:
    try:
        labels = {name: number for number, name in enumerate(variables.names)}
        return compile_program(query.clause.pattern, labels)
    except TooLarge as exc:
        raise query.statement.refusal(
            query.clause.at,
            "expected a smaller pattern: its repetitions multiply; use '*' or '+' for large ones",
        ) from exc


def _skip_mask(query: Query, variables: Variables) -> int:
    skip = query.clause.skip
    if skip.to not in (SkipTo.FIRST, SkipTo.LAST):
        return 0
    mask = variables.masks.get(skip.variable)
    if mask is None:
        raise query.statement.refusal(
            skip.at,
            f"expected a variable of the pattern in AFTER MATCH SKIP, got {skip.variable}"
            f"{nearest(skip.variable, variables.masks)}",
        )
    return mask


def _check_parts(query: Query) -> None:
    clause = query.clause
    if clause.rows is Rows.ALL_WITH_UNMATCHED and _has_exclusion(clause):
        raise query.statement.refusal(
            clause.at, "expected no exclusion '{- -}' beside WITH UNMATCHED ROWS"
        )


def _has_exclusion(clause: Clause) -> bool:
    return any(isinstance(part, Exclusion) for part in parts_of(clause.pattern))


def _check_stream(query: Query, reach: Reach, where: str) -> None:
    """Refuse what asks for rows that a stream has not: those at its end, and those to come."""
    clause = query.clause
    for part in parts_of(clause.pattern):
        if isinstance(part, Anchor):
            spelled, which = ("^", "first") if part.is_start else ("$", "last")
            raise query.statement.refusal(
                part.at,
                f"expected a pattern without {spelled!r}: a stream has no {which} row;"
                " say in DEFINE how the row differs",
            )
    if reach.after and clause.within_ms is None:
        raise query.statement.refusal(
            clause.at,
            f"expected WITHIN beside NEXT in {where}: without it the pattern has no end to"
            " wait for; or let a later variable look back by PREV",
        )
