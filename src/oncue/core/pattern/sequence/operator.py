"""
The operator of ordered sequences: it keeps the partial matches of each key, and knows when
each of them is due.

    admit ──▶ what the event is to the key ──▶ the automaton ──▶ partial matches, hits
    advance ─▶ the due keys, one by one ─────▶ the automaton ──▶ partial matches, hits

A key without a partial match is not remembered.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.nfa.combinations import Combinations
from oncue.core.pattern.nfa.partial import UNSTARTED, Partial
from oncue.core.pattern.nfa.runner import Open, Runner, Turn
from oncue.core.pattern.nfa.sight import Sight
from oncue.core.pattern.nfa.single import SingleMatches
from oncue.core.pattern.operator import Arrival, Hit, Note
from oncue.core.pattern.sequence.description import describe_partials
from oncue.core.pattern.sequence.hits import hits_of
from oncue.core.pattern.sequence.keyed_operator import KeyedOperator
from oncue.core.pattern.sequence.memory import SequenceKey, dump, load
from oncue.core.pattern.sequence.plan import SequencePlan

# Looked up as attributes of the enumeration they would cost 70 ns each.
_STARTED: Final = Note.STARTED
_ADVANCED: Final = Note.ADVANCED
_IGNORED: Final = Note.IGNORED


class SequenceOperator(KeyedOperator[SequenceKey]):
    """The state of a sequence: partial matches by key."""

    def __init__(self, plan: SequencePlan) -> None:
        super().__init__(Keyed(plan.limits.max_keys, plan.limits.key_ttl, dump, load))
        self._plan = plan
        self._runner: Runner = (
            Combinations(plan.graph, plan.after_match)
            if plan.emits_all
            else SingleMatches(plan.graph, plan.after_match, plan.overlap, plan.reopens_at)
        )
        self._is_dynamic = plan.wheres.are_dynamic

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event, and return what it completes."""
        key = arrival.key
        state = self._keys.edit(key)
        sight = self._sight(arrival, 1 if state is None else state.seen + 1)
        if state is None:
            if self._is_of_no_use(sight.bits):
                self.last_note = _IGNORED
                return ()
            state = SequenceKey()
        turn = self._runner.take(Open(state.partials, state.completed), sight)
        # What may raise has been evaluated: from here on the key changes.
        state.seen = sight.turn
        if turn.has_started:
            self.last_note = _STARTED
        else:
            self.last_note = _ADVANCED if turn.has_taken else _IGNORED
        self._keep(key, state, turn, max(arrival.event.time_ms, arrival.watermark_ms))
        return hits_of(self._plan, key, turn.completions) if turn.completions else ()

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield what is due: all deadlines up to the watermark, in the order of (deadline, key)."""
        for at_ms, key in self._due.until(watermark_ms):
            self._forget_expired(at_ms)
            state = self._keys.edit(key)
            if state is None:
                continue
            turn = self._runner.pass_time(Open(state.partials, state.completed), at_ms)
            self._keep(key, state, turn, None)
            yield from hits_of(self._plan, key, turn.completions)
        self._forget_expired(watermark_ms)

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin at an instant of event time; `keys` are known although no event of theirs came."""
        for key in keys if self._plan.is_keyed else ("",):
            state = SequenceKey()
            state.partials = self._runner.begin(at_ms)
            if state.partials:
                self._remember(key, state, self._runner.due_at(state.partials), at_ms)

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is remembered of a key, in the terms of people."""
        state = self._keys.get(key)
        return describe_partials(self._plan, state.partials if state else [])

    def restored(self) -> None:
        """Make what is derived from the states, after these were read back."""
        for key, state in self._keys.items():
            self._due.set(key, self._runner.due_at(state.partials))

    def _is_of_no_use(self, bits: int) -> bool:
        """Return whether an event of an unknown key can begin nothing."""
        return not (self._runner.standing.is_needed or self._plan.graph.may_start(bits))

    def _sight(self, arrival: Arrival, turn: int) -> Sight:
        event = arrival.event
        wheres = self._plan.wheres
        sight = Sight(turn, event.offset, event.time_ms, arrival.selectors)
        if wheres.fixed_untils:
            sight.bits = wheres.fixed(sight.bits, arrival.values, self.counts)
        if self._is_dynamic:
            view = arrival.values["event"]
            sight.refine = wheres.refine(view, self.counts)
            sight.views = wheres.captures.views(view, sight.bits)
        return sight

    def _keep(self, key: str, state: SequenceKey, turn: Turn, used_ms: int | None) -> None:
        partials = turn.partials
        if turn.missed_targets:
            self.counts["skip_targets_missed"] += turn.missed_targets
        excess = len(partials) - self._plan.limits.max_partials_per_key
        if excess > 0:
            self.counts["partials_dropped"] += excess
            positions = self._plan.graph.positions
            partials = _without_oldest(
                partials,
                excess,
                lambda each: each.start == UNSTARTED and positions[each.state] == 0,
            )
        state.partials = partials
        state.completed = turn.completed
        if partials:
            self._remember(key, state, self._runner.due_at(partials), used_ms)
        else:
            self._drop(key)


def _without_oldest(
    partials: list[Partial], excess: int, is_first: Callable[[Partial], bool]
) -> list[Partial]:
    """Return partial matches without the oldest; those that wait for a first event stay."""
    places = [place for place, each in enumerate(partials) if not is_first(each)]
    oldest = set(sorted(places, key=lambda place: partials[place].start)[:excess])
    return [each for place, each in enumerate(partials) if place not in oldest]
