"""
What became of an event, pattern by pattern: asked, not kept.

A pattern that remembers nothing is asked again. For one that does, the log is
read again from as far back as its memory reaches, and what it says of the event
then is what it said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from oncue.core.event import Event
from oncue.core.globs import compile_glob
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from oncue.core.pattern.match import match_id
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.seen import Seen
from oncue.core.pattern.selection import Refusal, Selection
from oncue.core.pattern.watch import Finding, Watch
from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.reading import RECORDS_PER_TURN, event_time
from oncue.ports import EventLog, History, Journal

MAX_RECORDS: Final = 50_000
"""How much of the log is read again for one explanation."""
MAX_RECORDS_OF_EACH: Final = 2_000
"""And how much for each, where all patterns that watch an event are asked."""


class Fate(StrEnum):
    """What a pattern did with an event."""

    MATCHED = "matched"
    FILTERED = "filtered"
    NO_KEY = "no_key"
    LATE = "late"
    LEARNING = "learning"
    SUPPRESSED = "suppressed"
    COUNTED = "counted"
    STARTED = "started"
    ADVANCED = "advanced"
    IGNORED = "ignored"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    What one pattern did with an event, and what followed.

    `state` is what the pattern remembers of the event's key after it, in people's terms.
    """

    pattern: ActivePattern
    fate: Fate
    clause: str | None = None
    error: str | None = None
    match_id: str | None = None
    outcome: Mapping[str, Json] | None = None
    key: Mapping[str, Json] = field(default_factory=dict)
    state: Mapping[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class _Again:
    """
    A part of the log, looked at once more by one pattern.

    `found` is what the last record completed, `nearest` the partial match that had
    come farthest before the event, perhaps gone by now; `is_waiting` says that the
    event waits for others that may come before it.
    """

    watch: Watch
    found: Sequence[Finding] = ()
    nearest: Mapping[str, Json] = field(default_factory=dict)
    is_waiting: bool = False

    def remember(self, key: str) -> None:
        operator = self.watch.operator
        nearest = operator.describe(key).get("nearest") if operator else None
        if isinstance(nearest, Mapping):
            self.nearest = nearest


class Explanations:
    """Looks again at events with the patterns that saw them."""

    def __init__(
        self, patterns: ActivePatterns, log: EventLog, journal: Journal, history: History
    ) -> None:
        self._patterns = patterns
        self._log = log
        self._journal = journal
        self._history = history

    async def of(self, account: str, event: Event) -> list[Explanation]:
        """Return what each pattern that watches the event's type did with it."""
        return [
            await self.by(account, pattern, event, max_records=MAX_RECORDS_OF_EACH)
            for pattern in await self._patterns.at(account, event.offset)
            if any(_watches(selection, event) for selection in pattern.plan.looking.selections)
        ]

    async def by(
        self,
        account: str,
        pattern: ActivePattern,
        event: Event,
        *,
        max_records: int = MAX_RECORDS,
    ) -> Explanation:
        """Return what a pattern did with an event, as far as so much of the log tells."""
        seen = Seen(event)
        refusal = _refusal(pattern, event, seen)
        if refusal:
            return Explanation(pattern, Fate.FILTERED, refusal.clause, refusal.error)
        key = pattern.plan.key.text(event, seen)
        if key is None:
            return Explanation(pattern, Fate.NO_KEY, "by")
        if (await self._journal.cursors()).get(account, 0) < event.offset:
            return Explanation(pattern, Fate.PENDING)
        cursor = await self._since(account, pattern, event, max_records)
        again = await self._again(account, pattern, event, (cursor, key))
        explanation = _explained(pattern, event, again, key)
        if explanation.match_id:
            match = await self._history.match(account, explanation.match_id)
            if match:
                return replace(explanation, outcome=match.outcome)
        return explanation

    async def _again(
        self, account: str, pattern: ActivePattern, event: Event, begin: tuple[int, str]
    ) -> _Again:
        """Return what came of the event when it was looked at, and the pattern right after that."""
        cursor, key = begin
        matcher = Matcher(event_time(await self._log.past.mark(account, cursor)))
        # Where the state begins, the first record is the one with which it began.
        first = await self._log.read(account, cursor, 1)
        watch = matcher.put(pattern, first[0].received_at_ms if first else 0)
        again = _Again(watch)
        while True:
            stretch = await self._log.stretch(
                account, cursor, RECORDS_PER_TURN, matcher.index.globs, in_passing=True
            )
            for record in stretch.records:
                again.found = matcher.fold(record)
                if record.offset < event.offset:
                    again.remember(key)
                elif not _is_waiting(watch, event):
                    return again
            if stretch.upto == cursor:
                again.found, again.is_waiting = [], True
                return again
            cursor = stretch.upto

    async def _since(
        self, account: str, pattern: ActivePattern, event: Event, max_records: int
    ) -> int:
        plan = pattern.plan
        if not plan.is_stateful:
            return event.offset - 1
        begin = await self._patterns.state_begin(account, pattern)
        pause = plan.cooldown.for_ or 0 if plan.cooldown else 0
        # Twice as far as it remembers: an event that came too late is told what it missed.
        reach_ms = 2 * max(plan.looking.reach_ms, pause) + plan.delay_ms + plan.idle_timeout_ms
        earliest = await self._log.past.offset_before(account, event.received_at_ms - reach_ms)
        return max(begin - 1, earliest, event.offset - max_records, 0)


def _refusal(pattern: ActivePattern, event: Event, seen: Seen) -> Refusal | None:
    """Return why no selector admits an event: the reason of the first that watches its type."""
    refusals = [
        selection.refusal(event, seen)
        for selection in pattern.plan.looking.selections
        if _watches(selection, event)
    ]
    return None if None in refusals else next(iter(refusals), None)


def _watches(selection: Selection, event: Event) -> bool:
    return any(compile_glob(glob)(event.type) for glob in selection.globs)


def _is_waiting(watch: Watch, event: Event) -> bool:
    return watch.sorter is not None and event.offset in watch.sorter


def _explained(pattern: ActivePattern, event: Event, again: _Again, key: str) -> Explanation:
    watch = again.watch
    shown = pattern.plan.key.named(key)
    state = watch.operator.describe(key) if watch.operator else {}
    for finding in again.found:
        if any(event.offset in offsets for _, offsets in finding.hit.bindings):
            id_ = match_id(pattern, finding.hit)
            return Explanation(pattern, Fate.MATCHED, match_id=id_, key=shown, state=state)
    if again.is_waiting:
        return Explanation(pattern, Fate.PENDING, "watermark", key=shown, state=state)
    fate = Fate(watch.note.value) if watch.note else Fate.IGNORED
    clause = "cooldown" if fate is Fate.SUPPRESSED else None
    if fate in (Fate.IGNORED, Fate.STARTED):
        clause, missed = _missed(pattern, event, again.nearest)
        state = {**state, **missed}
    return Explanation(pattern, fate, clause, key=shown, state=state)


def _missed(
    pattern: ActivePattern, event: Event, nearest: Mapping[str, Json]
) -> tuple[str | None, Mapping[str, Json]]:
    """Return why a sequence that waited for a step like this one did not go on with it."""
    seen, waiting_for = Seen(event), nearest.get("waiting_for") or ()
    for (name, path), selection in zip(
        pattern.plan.looking.steps, pattern.plan.looking.selections, strict=False
    ):
        if not (isinstance(waiting_for, Sequence) and name in waiting_for):
            continue
        if selection.refusal(event, seen) is not None:
            continue
        until = nearest.get("until")
        over_ms = event.time_ms - parse_instant(until) if isinstance(until, str) else -1
        if over_ms < 0:
            return f"{path.partition('.')[2]}.where", {}
        text = f"{nearest['text']}; {name!r} came {over_ms / 1_000:g} s after the window"
        return "within", {"missed": {**nearest, "text": text}}
    return None, {}
