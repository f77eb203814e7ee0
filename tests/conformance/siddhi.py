"""
Siddhi's cases (`siddhi-cases/1`) as patterns.

    a -> b               relaxed steps                  a, b           strict steps, scope all
    every a -> b         overlap each, no skip          without every  the first match alone
    every a, b           overlap first, no skip         not a for t    not, within
    every (a -> b)       overlap first
    a and b, a or b      all, any                       within t       within
    <m:n>, *, +, ?       times, not greedy              partition      by

Straight at the operator goes what public patterns do not say: `every` inside of a chain (the
element is waited for anew when it was passed), and `every` over the first parts alone (others
begin once these are passed).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.nfa.graph import Graph
from oncue.core.pattern.nfa.single import Overlap
from oncue.core.pattern.nfa.skip import AfterMatch, Skip
from oncue.core.pattern.sequence.plan import SequencePlan
from tests.conformance.cases import (
    Result,
    Unsupported,
    Verdict,
    Way,
    list_of,
    number_of,
    objects_of,
    text_of,
)
from tests.conformance.driving import CaseEvent, CaseMatch, plan_of, run_pattern, run_plan
from tests.conformance.siddhi_parser import parse_query
from tests.conformance.siddhi_tree import Chain, Event, Logical, Part, Query
from tests.conformance.siddhi_values import cel_of, value_of

FORMAT = "siddhi-cases/1"
WITHOUT_END: Final = "3650d"


@dataclass(frozen=True)
class Element:
    """A step of the pattern, and what `every` stands before: itself, or all up to it."""

    content: Event | Logical
    is_again: bool = False


@dataclass(frozen=True)
class Translated:
    """A query as a document, and what of it the document cannot say."""

    document: Mapping[str, Json]
    elements: Sequence[Element]
    every_until: int
    """How many elements the leading `every` spans; 0 without it."""
    is_strict: bool

    @property
    def again(self) -> frozenset[int]:
        """The elements that are waited for anew when they were passed."""
        return frozenset(place for place, each in enumerate(self.elements) if each.is_again)

    @property
    def reopens_at(self) -> int | None:
        """From which element on others may begin, where no `overlap` says it."""
        is_whole = self.every_until in (0, len(self.elements))
        first = self.elements[0].content
        is_each = self.every_until == 1 and (_is_single(first) or _has_wait(first))
        return None if is_whole or is_each or self.is_strict else self.every_until

    @property
    def way(self) -> Way:
        """Whether the document says all."""
        return Way.OPERATOR if self.again or self.reopens_at is not None else Way.PUBLIC


def judge(case: Mapping[str, Json], oracle: Mapping[str, Json] | None) -> Result:
    """Return what a case comes to; the suite has no oracle beside its expectations."""
    assert oracle is None
    id_ = text_of(case["id"])
    try:
        query = parse_query(text_of(case["streams"]), text_of(case["query"]))
        translated = translate(query)
        rows = _rows(case, query, translated)
    except Unsupported as exc:
        return Result(id_, Verdict.UNSUPPORTED, str(exc))
    if "expected_count" not in case:
        return Result(id_, Verdict.UNJUDGED, "", rows, translated.way)
    wrong = _mismatch(case, rows)
    if not wrong:
        return Result(id_, Verdict.PASSED, "", rows, translated.way)
    difference = _difference(translated)
    reason = f"{wrong} ({difference})" if difference else wrong
    return Result(id_, Verdict.FAILED, reason, rows, translated.way, difference)


def translate(query: Query) -> Translated:
    """Return a query as a document."""
    elements, every_until = _flat(query.chain)
    names = _Names(elements)
    steps = [_spell(each.content, names) for each in elements]
    is_each = every_until == 1 and len(elements) > 1
    is_strict = _is_strict(query.chain)
    document: dict[str, Json] = {
        "type": "sequence",
        "steps": steps,
        "within": _within(query.chain),
        "contiguity": "strict" if is_strict else "relaxed",
        "overlap": "each" if is_each and not is_strict else "first",
        "after_match": "no_skip" if is_each else "skip_past_last",
        "scope": "all" if is_strict else "steps",
    }
    if query.partition:
        document["by"] = [f"event.data.{query.partition}"]
    return Translated(document, elements, every_until, is_strict)


def _rows(case: Mapping[str, Json], query: Query, translated: Translated) -> list[list[Json]]:
    script = objects_of(case["script"])
    events = [
        CaseEvent(
            f"e{place}",
            text_of(step["stream"]),
            number_of(step["t"]),
            dict(zip(query.streams[text_of(step["stream"])], list_of(step["data"]), strict=True)),
        )
        for place, step in enumerate(script)
        if "stream" in step
    ]
    until_ms = max(_instant(step) for step in script)
    if translated.way is Way.PUBLIC:
        matches = run_pattern(translated.document, events, until_ms)
    else:
        matches = run_plan(_plan(translated), events, until_ms)
    data = {event.id: event.data for event in events}
    rows = [row for match in matches if (row := _row(query, translated, match, data)) is not None]
    is_once = not translated.every_until and not translated.again
    return rows[:1] if is_once else rows


def _plan(translated: Translated) -> SequencePlan:
    plan = plan_of(translated.document)
    elements = [
        replace(each, is_again=each.is_again or place in translated.again)
        for place, each in enumerate(plan.graph.elements)
    ]
    return replace(
        plan,
        graph=Graph(elements, plan.graph.within_ms),
        overlap=plan.overlap if translated.reopens_at is None else Overlap.FIRST,
        reopens_at=translated.reopens_at,
        after_match=AfterMatch(Skip.NO_SKIP),
    )


def _instant(step: Mapping[str, Json]) -> int:
    if "wait_up_to_ms" in step:
        return number_of(step["from_t"]) + number_of(step["wait_up_to_ms"])
    return number_of(step["t"] if "stream" in step else step["advance_to"])


def _row(
    query: Query, translated: Translated, match: CaseMatch, data: Mapping[str, Json]
) -> list[Json] | None:
    names = _Names(translated.elements)
    bound: dict[str, list[Mapping[str, Json]]] = {}
    for step, ids in match.bindings.items():
        values = [value for id_ in ids if isinstance(value := data[id_], Mapping)]
        bound.setdefault(names.reference(step), values)
    row = [value_of(column.value, bound) for column in query.columns]
    if query.having is not None:
        named = dict(zip((column.name for column in query.columns), row, strict=True))
        if not value_of(query.having, bound, named):
            return None
    return row


def _mismatch(case: Mapping[str, Json], rows: Sequence[Json]) -> str:
    listed = list_of(case.get("expected_rows") or [])
    count = number_of(case["expected_count"])
    shared = min(len(listed), len(rows))
    if len(rows) != count or list(rows[:shared]) != list(listed[:shared]):
        return f"expected {count} rows {list(listed)}, got {list(rows)}"
    return ""


def _difference(translated: Translated) -> str:
    """Return what Siddhi is known to do otherwise with such a query."""
    first, *others = (each.content for each in translated.elements)
    if translated.every_until and isinstance(first, Logical) and _has_wait(first):
        if first.operator == "or":
            return "in Siddhi each absence of an 'or' arms on its own"
        return "in Siddhi an event beside 'not … for' counts only once its time has passed"
    if translated.is_strict and not translated.every_until and _has_wait(first):
        return "in Siddhi a sequence without 'every' never begins again once its begin was broken"
    if translated.is_strict and any(map(_has_wait, others)):
        return "in Siddhi a sequence waits only while no event of another stream comes"
    return ""


class _Names:
    """The names of steps: as the query has them, but each once."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._steps: dict[int, str] = {}
        self._events: dict[str, tuple[str, Event]] = {}
        for each in elements:
            for event in _events(each.content):
                name = event.name or f"unnamed{len(self._steps)}"
                step = name if name not in self._events else f"{name}_{len(self._steps)}"
                self._steps[id(event)] = step
                self._events.setdefault(step, (name, event))

    def of(self, event: Event) -> str:
        return self._steps[id(event)]

    def reference(self, step: str) -> str:
        return self._events[step][0]

    def resolve(self, reference: str) -> tuple[str, bool]:
        _, event = self._events[reference]
        return reference, event.most != 1


def _flat(chain: Chain) -> tuple[list[Element], int]:
    """Return the elements of a chain in their order, and how many its leading `every` spans."""
    elements: list[Element] = []
    every_until = 0
    for part in chain.parts:
        inner, inner_every = _elements(part)
        if part.is_every and elements:
            if len(inner) > 1:
                raise Unsupported("every over a chain inside of a chain")
            inner = [replace(inner[0], is_again=True)]
        elif not elements:
            every_until = len(inner) if part.is_every else inner_every
        elements += inner
    return elements, every_until


def _elements(part: Part) -> tuple[list[Element], int]:
    if isinstance(part.content, Chain):
        return _flat(part.content)
    return [Element(part.content)], 0


def _is_strict(chain: Chain) -> bool:
    return chain.is_strict or any(
        isinstance(part.content, Chain) and _is_strict(part.content) for part in chain.parts
    )


def _within(chain: Chain) -> str:
    for part in chain.parts:
        if chain.within_ms is None and isinstance(part.content, Chain):
            inner = _within(part.content)
            if inner != WITHOUT_END:
                return inner
    return WITHOUT_END if chain.within_ms is None else f"{chain.within_ms}ms"


def _events(content: Event | Logical) -> tuple[Event, ...]:
    return content.members if isinstance(content, Logical) else (content,)


def _is_single(content: Event | Logical) -> bool:
    return isinstance(content, Event) and (content.least, content.most) == (1, 1)


def _has_wait(content: Event | Logical) -> bool:
    return any(event.is_absent and event.for_ms is not None for event in _events(content))


def _spell(content: Event | Logical, names: _Names) -> dict[str, Json]:
    if isinstance(content, Logical):
        members = [_spell(member, names) for member in content.members]
        return {"all" if content.operator == "and" else "any": members}
    step: dict[str, Json] = {"as": names.of(content), "event": content.stream}
    if content.filter is not None:
        step["where"] = cel_of(content.filter, names.resolve)
    if content.is_absent:
        step["not"] = True
        if content.for_ms is not None:
            step["within"] = f"{content.for_ms}ms"
    if (content.least, content.most) != (1, 1):
        step["times"] = {"min": content.least, "max": content.most}
        step["greedy"] = False
    return step
