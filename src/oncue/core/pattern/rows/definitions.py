"""What a clause searches for: its pattern, DEFINE and MEASURES, compiled over the columns of a source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from oncue.core.errors import InvalidInput, Problem
from oncue.core.pattern.rows.attempt import Automaton, Condition
from oncue.core.pattern.rows.inputs import Input
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
from oncue.core.problems import nearest
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.clause import Clause, Named, Rows, SkipTo
from oncue.core.sql.row_pattern.pattern import Exclusion
from oncue.core.sql.scalars import Scalar, Sort, read


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """
    A search, and the measures of what it finds.

    `memory` is what they need of the rows of a match, `names` are the variables; `looks_ahead` tells
    that conditions do.
    """

    search: Search
    names: tuple[str, ...]
    measures: list[tuple[str, Scalar[Spot]]]
    memory: Memory
    looks_ahead: bool


def compile_search(clause: Clause, source: Input, *, max_threads: int, within_ms: int) -> Searched:
    """
    Return what searches for the matches of a clause.

    Raises:
        InvalidInput: with the first thing that is wrong with its shape, or all with its names.
    """
    variables = _variables(clause)
    definitions = _Definitions(clause, source, variables)
    program = _program(clause, variables)
    conditions = definitions.conditions()
    looks_ahead = definitions.reach.after > 0
    if looks_ahead:
        # What a row meets hangs on the rows that are there when it is asked.
        conditions = tuple(each and replace(each, is_local=False) for each in conditions)
    is_mergeable = not definitions.reach.reads_labels
    measures = definitions.measures()
    if definitions.problems:
        raise InvalidInput(definitions.problems)
    _check_parts(clause)
    onward = onward_of(program)
    first = _first(program, onward, conditions)
    if not all(each.is_local for each in conditions if each is not None):
        onward = None
    search = Search(
        automaton=Automaton(program, conditions, definitions.kept, is_mergeable, onward, first),
        reach=definitions.reach,
        within_ms=within_ms,
        skip=clause.skip.to,
        skip_mask=_skip_mask(clause, variables),
        max_threads=max_threads,
        needs_unmatched=clause.rows is Rows.ALL_WITH_UNMATCHED,
        least=max(least_rows(clause.pattern), 1),
    )
    return Searched(search, variables.names, measures, definitions.measured, looks_ahead)


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

    def __init__(self, clause: Clause, source: Input, variables: Variables) -> None:
        self._clause = clause
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
        for define in self._clause.defines:
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
        for named in self._clause.measures:
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
            piece = row_piece(self._clause.statement, list(named.words), named.words[0].start)
            return Expressions(piece, scope).of_sort(read(piece), sort)
        except InvalidInput as exc:
            self.problems += exc.problems
            return None

    def _add_problem(self, at: int, message: str) -> None:
        self.problems.append(self._clause.statement.problem(at, message))


def _variables(clause: Clause) -> Variables:
    names: dict[str, int] = {}
    for variable in variables_of(clause.pattern):
        names.setdefault(variable.name, len(names))
    masks = {name: 1 << number for name, number in names.items()}
    for name, members in clause.subsets:
        unknown = [each for each in members if each not in names]
        if unknown or name in masks:
            wrong = unknown[0] if unknown else name
            expected = "a variable of the pattern" if unknown else "a name of its own"
            raise clause.statement.refusal(
                clause.at, f"expected {expected} in SUBSET, got {wrong}{nearest(wrong, names)}"
            )
        masks[name] = sum(1 << names[each] for each in set(members))
    return Variables(tuple(names), masks)


def _program(clause: Clause, variables: Variables) -> Program:
    try:
        labels = {name: number for number, name in enumerate(variables.names)}
        return compile_program(clause.pattern, labels)
    except TooLarge as exc:
        raise clause.statement.refusal(
            clause.at,
            "expected a smaller pattern: its repetitions multiply; use '*' or '+' for large ones",
        ) from exc


def _skip_mask(clause: Clause, variables: Variables) -> int:
    skip = clause.skip
    if skip.to not in (SkipTo.FIRST, SkipTo.LAST):
        return 0
    mask = variables.masks.get(skip.variable)
    if mask is None:
        raise clause.statement.refusal(
            skip.at,
            f"expected a variable of the pattern in AFTER MATCH SKIP, got {skip.variable}"
            f"{nearest(skip.variable, variables.masks)}",
        )
    return mask


def _check_parts(clause: Clause) -> None:
    if clause.rows is Rows.ALL_WITH_UNMATCHED and _has_exclusion(clause):
        raise clause.statement.refusal(
            clause.at, "expected no exclusion '{- -}' beside WITH UNMATCHED ROWS"
        )


def _has_exclusion(clause: Clause) -> bool:
    return any(isinstance(part, Exclusion) for part in parts_of(clause.pattern))
