"""A sequence, ready to be watched: what to ask of events, and the operator behind it."""

from dataclasses import dataclass

from oncue.core.errors import InvalidInput, Problem
from oncue.core.pattern.kinds.sequence import SequencePattern, flattened, unfit
from oncue.core.pattern.operator import Operator
from oncue.core.pattern.selection import Selection, compile_selection
from oncue.core.pattern.sequence.operator import SequenceOperator
from oncue.core.pattern.sequence.plan import SequencePlan, compile_plan
from oncue.core.pattern.sequence.unordered import UnorderedOperator, UnorderedPlan


@dataclass(frozen=True, slots=True, eq=False)
class CompiledSequence:
    """
    A compiled sequence.

    `selectors` are in the order of the bits of `Arrival.selectors`, with the names of their
    steps, and their paths in the document. Where `is_scope_all`, the operator is to see every
    event of a key, also those that no selector admits.
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    selectors: tuple[Selection, ...]
    is_scope_all: bool
    is_early: bool
    plan: SequencePlan | UnorderedPlan

    def operator(self) -> Operator:
        """Return an operator that remembers nothing yet."""
        if isinstance(self.plan, UnorderedPlan):
            return UnorderedOperator(self.plan)
        return SequenceOperator(self.plan)


def compile_sequence(pattern: SequencePattern, path: str) -> CompiledSequence:
    """
    Return the sequence that stands at `path` of a document.

    Raises:
        InvalidInput: with all problems.
    """
    problems = list(unfit(pattern, path))
    if problems:
        raise InvalidInput(problems)
    if not pattern.ordered:
        return _compile_unordered(pattern, path)
    plan = compile_plan(pattern, path)
    return CompiledSequence(
        plan.names, plan.paths, plan.selectors, plan.is_scope_all, pattern.is_early, plan
    )


def _compile_unordered(pattern: SequencePattern, path: str) -> CompiledSequence:
    steps = list(flattened(pattern.steps, f"{path}.steps"))
    selectors: list[Selection] = []
    problems: list[Problem] = []
    for each in steps:
        try:
            selectors.append(compile_selection(each.step, each.path))
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems)
    names = tuple(each.name for each in steps)
    plan = UnorderedPlan(names, pattern.at_least or len(names), pattern.within, pattern.limits)
    return CompiledSequence(
        names,
        tuple(each.path for each in steps),
        tuple(selectors),
        is_scope_all=False,
        is_early=True,
        plan=plan,
    )
