"""
From the document of a sequence to what runs it.

    steps ──▶ selectors   what the index asks of an event, by the number of the step
          ──▶ wheres      what is asked of it in view of the events taken before
          ──▶ graph       what follows
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import Expression, compile_expression
from oncue.core.pattern.kinds.sequence import (
    SequencePattern,
    SkipToFirst,
    SkipToLast,
    Step,
    Times,
    flattened,
)
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.nfa.elements import ALONE, Contiguity, Element, Need
from oncue.core.pattern.nfa.graph import Graph
from oncue.core.pattern.nfa.single import Overlap
from oncue.core.pattern.nfa.skip import AfterMatch, Skip
from oncue.core.pattern.selection import ROOTS, Selection, compile_selection
from oncue.core.pattern.sequence.captures import compile_captures
from oncue.core.pattern.sequence.wheres import Wheres

_ONCE: Final = Times(min=1, max=1)


@dataclass(frozen=True, slots=True, eq=False)
class SequencePlan:
    """
    A compiled sequence.

    `selectors` are in the order of the bits of `Arrival.selectors`; `names` and `paths` are
    those of their steps. Where `is_scope_all`, every event of the key is to be shown.
    `reopens_at` is the position from which on an open start lets others begin.
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    selectors: tuple[Selection, ...]
    wheres: Wheres
    graph: Graph = field(repr=False)
    after_match: AfterMatch
    overlap: Overlap
    limits: Limits
    is_keyed: bool
    is_scope_all: bool
    emits_all: bool
    emits_timeouts: bool
    reopens_at: int | None = None


def compile_plan(pattern: SequencePattern, path: str) -> SequencePlan:
    """
    Return the ordered sequence that stands at `path` of a document, and is fit.

    Raises:
        InvalidInput: with all problems of its expressions.
    """
    return _Compiler(pattern, path).compile()


class _Compiler:
    def __init__(self, pattern: SequencePattern, path: str) -> None:
        self._pattern = pattern
        self._path = path
        self._steps = list(flattened(pattern.steps, f"{path}.steps"))
        self._numbers = {id(each.step): number for number, each in enumerate(self._steps)}
        self._problems: list[Problem] = []
        self._reads: list[tuple[str, ...]] = []
        self._untils: dict[int, int] = {}

    def compile(self) -> SequencePlan:
        pattern = self._pattern
        selectors: list[Selection] = []
        steps: dict[int, Expression] = {}
        for number, each in enumerate(self._steps):
            where = self._expression(number, each.step.where, f"{each.path}.where")
            if where and _is_dynamic(where):
                steps[number] = where
            selectors.append(self._selector(each.step, each.path, where))
        untils = dict(self._compile_untils())
        if self._problems:
            raise InvalidInput(self._problems)
        names = {number: each.name for number, each in enumerate(self._steps)}
        lists = [number for number, each in enumerate(self._steps) if each.step.is_repeated]
        wheres = Wheres(
            compile_captures(names, lists, self._reads),
            steps,
            {bit: until for bit, until in untils.items() if _is_dynamic(until)},
            {bit: until for bit, until in untils.items() if not _is_dynamic(until)},
        )
        return SequencePlan(
            names=tuple(names.values()),
            paths=tuple(each.path for each in self._steps),
            selectors=tuple(selectors),
            wheres=wheres,
            graph=Graph(self._elements(), pattern.within, is_eager=pattern.emit_all),
            after_match=_after_match(pattern, names),
            overlap=Overlap(pattern.chosen_overlap),
            limits=pattern.limits,
            is_keyed=bool(pattern.by),
            is_scope_all=pattern.scope == "all",
            emits_all=pattern.emit_all,
            emits_timeouts=pattern.on_timeout == "emit",
        )

    def _selector(self, step: Step, path: str, where: Expression | None) -> Selection:
        by_itself = step if where and not _is_dynamic(where) else None
        try:
            return compile_selection(by_itself or step.model_copy(update={"where": None}), path)
        except InvalidInput as exc:
            self._problems.extend(exc.problems)
            return Selection(step.globs)

    def _expression(self, number: int, text: str | None, path: str) -> Expression | None:
        if text is None:
            return None
        roots, lists = self._known(number)
        try:
            expression = compile_expression(text, roots=roots, lists=lists, path=path)
        except InvalidInput as exc:
            self._problems.extend(exc.problems)
            return None
        self._reads += [read for read in expression.reads if read[0] not in ROOTS]
        return expression

    def _known(self, number: int) -> tuple[list[str], list[str]]:
        """Return what a condition of the step may name: earlier steps, and itself if it repeats."""
        here = self._steps[number]
        earlier = [
            each for each in self._steps if each.position < here.position and not each.step.not_
        ]
        lists = [each.name for each in earlier if each.step.is_repeated]
        if here.step.is_repeated:
            lists.append(here.name)
        return [*ROOTS, *(each.name for each in earlier if not each.step.is_repeated)], lists

    def _compile_untils(self) -> Iterator[tuple[int, Expression]]:
        bit = len(self._steps)
        for number, each in enumerate(self._steps):
            until = self._expression(number, each.step.until, f"{each.path}.until")
            if until:
                self._untils[number] = bit
                yield bit, until
                bit += 1

    def _elements(self) -> list[Element]:
        first, *others = map(self._element, self._pattern.steps)
        if first.is_ban:
            # At the begin there is no step before from which its absence could count.
            first = replace(first, within_ms=self._pattern.within)
        if first.is_forbidden or first.need is Need.ANY:
            # Nothing lies before the first step, so nothing can come between.
            first = replace(first, contiguity=Contiguity.RELAXED)
        stands = first.is_wait or any(member.is_wait for member in first.members)
        first = replace(first, is_again=stands and self._pattern.chosen_overlap == "each")
        return [first, *others]

    def _element(self, step: Step) -> Element:
        contiguity = Contiguity(step.contiguity or self._pattern.contiguity)
        members = step.members
        if members:
            need = Need.ALL if step.all is not None else Need.ANY
            return Element(
                ALONE,
                contiguity,
                need=need,
                members=tuple(self._element(member) for member in members),
                is_greedy=True,
                within_ms=step.within,
            )
        number = self._numbers[id(step)]
        times = step.times or _ONCE
        inner = _inner(times, contiguity)
        may_vary = times.max != times.min or step.optional
        return Element(
            number,
            contiguity,
            least=max(times.min, 1),
            most=times.max,
            inner=inner,
            is_optional=step.optional or times.min == 0,
            is_greedy=step.greedy and may_vary and inner is not Contiguity.ANY,
            until=self._untils.get(number),
            is_forbidden=step.not_,
            within_ms=step.within,
        )


def _inner(times: Times, contiguity: Contiguity) -> Contiguity:
    if times.contiguity is not None:
        return Contiguity(times.contiguity)
    return Contiguity.STRICT if contiguity is Contiguity.STRICT else Contiguity.RELAXED


def _is_dynamic(expression: Expression) -> bool:
    return any(read[0] not in ROOTS for read in expression.reads)


def _after_match(pattern: SequencePattern, names: Mapping[int, str]) -> AfterMatch:
    numbers = {name: number for number, name in names.items()}
    match pattern.after_match:
        case SkipToFirst(skip_to_first=name):
            return AfterMatch(Skip.TO_FIRST, numbers[name])
        case SkipToLast(skip_to_last=name):
            return AfterMatch(Skip.TO_LAST, numbers[name])
        case None:
            return AfterMatch(Skip.PAST_LAST)
        case text:
            return AfterMatch(Skip(text))
