"""
One active pattern and its state: from events that it may concern to findings.

    admitted ──▶ [sorter, if order matters] ──▶ operator ──hits──▶ cooldown ──▶ findings
                                                  ▲
                       watermark ── deadlines ────┘

Timers that are due fire before an event is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from oncue.core.event import Event
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.pattern.event_time import NEVER, EventTime
from oncue.core.pattern.keyed import KeyBudget
from oncue.core.pattern.memory import Memory
from oncue.core.pattern.operator import BEGUN, Arrival, Hit, Kind, Note, Values
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.sorter import Waiting

NO_LIMIT: Final = 2**62
NO_STATS: Final[Mapping[str, Json]] = {
    "missing_keys": 0,
    "late": 0,
    "keys_refused": 0,
    "keys": 0,
    "watermark": None,
}
"""What is known of a pattern that has looked at nothing yet."""


class Finding(msgspec.Struct, frozen=True):
    """A hit that is a match; `number` counts those of its key, `suppressed` what came before it."""

    pattern: ActivePattern
    hit: Hit
    number: int | None
    suppressed: int


class Watch:
    """A pattern that is being matched, since the record that arrived at `began_ms`."""

    def __init__(
        self, pattern: ActivePattern, began_ms: int, time: EventTime, memory: Memory
    ) -> None:
        plan = pattern.plan
        self.budget = KeyBudget(NO_LIMIT)
        self.pattern = pattern
        self.began_ms = began_ms
        self.memory = memory
        self.operator = memory.operator
        self.has_deadlines = bool(memory.operator and memory.operator.has_deadlines)
        self.sorter = memory.sorter
        self.cooldowns = memory.cooldowns
        self.note: Note | None = None
        """What became of the event looked at last, where it is no part of a match."""
        self.failed_in_row = 0
        """How many times in a row it raised an exception."""
        self._counts_samples = bool(plan.cooldown and plan.cooldown.samples)
        self._key = plan.key.text
        self._sorts, self._drops_late = plan.looking.sorts, plan.looking.drops_late
        self._delay_ms, self._idle_timeout_ms = plan.delay_ms, plan.idle_timeout_ms
        self._time = time
        if plan.is_timed:
            time.watch(plan.idle_timeout_ms)

    def begin(self) -> None:
        """Begin with nothing remembered."""
        if self.operator:
            at_ms = max(self.watermark_ms, self.began_ms)
            self.operator.begin(at_ms, self.pattern.plan.declared_keys)

    def count_in(self, budget: KeyBudget) -> None:
        """Admit keys within a budget that the patterns of an account share."""
        self.budget = budget
        self.memory.count_in(budget)

    def stats(self) -> dict[str, Json]:
        """Return what people ask of a pattern: how far it is, and what it left out."""
        looked_at = self.operator.states() if self.operator else {}
        watermark = self.watermark_ms if self.operator else NEVER
        return {
            **NO_STATS,
            **self.memory.all_counts(),
            "keys": max((len(of) for sort, of in looked_at.items() if sort != BEGUN), default=0),
            "watermark": format_instant(watermark) if watermark > 0 else None,
            **(self.operator.report() if self.operator else {}),
        }

    @property
    def watermark_ms(self) -> int:
        """How far event time has come for this pattern."""
        return self._time.reached(self._idle_timeout_ms, self.began_ms) - self._delay_ms

    def due_ms(self) -> int | None:
        """Return how far event time must come, delay included, for something to be due."""
        if self.operator is None:
            return None
        due = self.operator.deadline()
        if self.sorter and (waiting := self.sorter.due_ms()) is not None:
            due = waiting if due is None else min(due, waiting)
        return None if due is None else due + self._delay_ms

    def advance(self, upto_ms: int) -> Sequence[Finding]:
        """Return what is due up to an instant."""
        if self.operator is None:
            return ()
        found: list[Finding] = []
        while self.sorter and (waiting := self.sorter.take(upto_ms)):
            found += self._look_at(waiting)
        found += self._findings(self.operator.advance(upto_ms))
        return found

    def take(self, event: Event, selectors: int, values: Values) -> Sequence[Finding]:
        """Return what an event completes that was admitted by `selectors`."""
        key = self._key(event, values)
        if key is None:
            if selectors:
                self.memory.counts["missing_keys"] += 1
            return ()
        if self.operator is None:
            return self._match(event, key)
        if self.budget.is_spent and not self.memory.knows(key):
            self.memory.counts["keys_refused"] += bool(selectors)
            return ()
        watermark = self.watermark_ms
        if self._sorts:
            if event.time_ms < watermark:
                if self._drops_late:
                    return self._late(selectors)
            elif self.sorter is not None:
                self.sorter.put(Waiting(key, selectors, event))
                overflow = self.sorter.overflow()
                return self._look_at(overflow) if overflow else ()
        return self._admit(Arrival(key, selectors, event, values, watermark))

    def _look_at(self, waiting: Waiting) -> Sequence[Finding]:
        assert self.operator
        event = waiting.event
        found = self._findings(self.operator.advance(event.time_ms))
        arrival = Arrival(
            waiting.key, waiting.selectors, event, {"event": event.view()}, event.time_ms
        )
        return [*found, *self._admit(arrival)]

    def _admit(self, arrival: Arrival) -> Sequence[Finding]:
        assert self.operator
        if self._counts_samples and arrival.selectors:
            assert self.cooldowns
            self.cooldowns.saw(arrival.key)
        hits = self.operator.admit(arrival)
        self.note = self.operator.last_note
        return self._findings(hits) if hits else ()

    def _match(self, event: Event, key: str) -> Sequence[Finding]:
        hit = Hit(Kind.MATCHED, key, event.time_ms, (("", (event.offset,)),), 1)
        if self.cooldowns is None:
            return (Finding(self.pattern, hit, None, 0),)
        self.cooldowns.saw(key)
        return self._findings((hit,))

    def _findings(self, hits: Iterable[Hit]) -> Sequence[Finding]:
        assert self.cooldowns
        found: list[Finding] = []
        for hit in hits:
            # The end of an alert is told however soon it comes.
            if hit.kind is Kind.CLEARED:
                found.append(Finding(self.pattern, hit, None, 0))
                continue
            admitted = self.cooldowns.admit(hit.key, hit.time_ms, is_repeat=hit.is_repeat)
            if admitted:
                found.append(Finding(self.pattern, hit, admitted.number, admitted.suppressed))
            else:
                self.note = Note.SUPPRESSED
        return found

    def _late(self, selectors: int) -> Sequence[Finding]:
        if selectors:
            self.memory.counts[Note.LATE] += 1
            self.note = Note.LATE
        return ()
