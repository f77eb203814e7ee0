"""
What became of an event, pattern by pattern: asked, not kept.

A pattern that remembers nothing is asked again. For one that does, the log is
read again from as far back as its memory reaches, and what it says of the event
then is what it said.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from oncue.core.event import Event
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from oncue.core.own_events import compile_watched
from oncue.core.pattern.index import PatternIndex
from oncue.core.pattern.match import match_id
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.records import LogRecord
from oncue.core.pattern.seen import Seen
from oncue.core.pattern.selection import EVERYTHING, Refusal, Selection
from oncue.core.pattern.watch import Finding, Watch
from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.reading import RECORDS_PER_TURN, event_time
from oncue.ports import EventLog, History, Journal

MAX_RECORDS: Final = 50_000
"""How much of the log is read again for explanations."""
MAX_LOOKS: Final = 2_000_000
"""And less where many patterns look at each of its records."""
_RECORDS_IN_A_ROW = 32


class Fate(StrEnum):
    """What a pattern did with an event."""

    MATCHED = "matched"
    FILTERED = "filtered"
    NO_KEY = "no_key"
    LATE = "late"
    LEARNING = "learning"
    SUPPRESSED = "suppressed"
    DEAD_LETTERED = "dead_lettered"
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
    A pattern that looks at a part of the log once more, from the record after `since` on.

    `found` is what the last record completed, `failure` the exception on it, `nearest` the partial match that had
    come farthest before the event, perhaps gone by now; `is_waiting` says that the
    event waits for others that may come before it.
    """

    pattern: ActivePattern
    key: str
    since: int
    watch: Watch | None = None
    found: Sequence[Finding] = ()
    failure: str | None = None
    nearest: Mapping[str, Json] = field(default_factory=dict)
    is_waiting: bool = False

    def remember(self) -> None:
        operator = self.watch.operator if self.watch else None
        nearest = operator.describe(self.key).get("nearest") if operator else None
        if isinstance(nearest, Mapping):
            self.nearest = nearest

    def remember_after(self, event: Event, seen: Seen) -> None:
        if self.pattern.plan.looking.steps and self.pattern.plan.key.text(event, seen) == self.key:
            self.remember()

    def takes(self, found: Sequence[Finding]) -> None:
        self.found = [one for one in found if one.pattern.id == self.pattern.id]


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
        return await self._explain(account, await self._watching(account, event), event)

    async def by(self, account: str, pattern: ActivePattern, event: Event) -> Explanation:
        """Return what a pattern did with an event, as far as so much of the log tells."""
        (explanation,) = await self._explain(account, [pattern], event)
        return explanation

    async def begun(self, account: str, event: Event, workflow_id: str | None) -> str | None:
        """Return the first execution that an event began, of one workflow if that is named."""
        for pattern in await self._watching(account, event):
            if pattern.workflow_id is None or workflow_id not in (None, pattern.workflow_id):
                continue
            outcome = (await self.by(account, pattern, event)).outcome or {}
            if "execution_id" in outcome:
                return str(outcome["execution_id"])
        return None

    async def _watching(self, account: str, event: Event) -> list[ActivePattern]:
        return [
            pattern
            for pattern in await self._patterns.at(account, event.offset)
            if any(_watches(selection, event) for selection in pattern.plan.looking.selections)
        ]

    async def _explain(
        self, account: str, patterns: Sequence[ActivePattern], event: Event
    ) -> list[Explanation]:
        """Return what patterns did with an event; the log is read again once for all of them."""
        seen, explained = Seen(event), dict[str, Explanation]()
        is_read = (await self._journal.cursors()).get(account, 0) >= event.offset
        max_records = min(MAX_RECORDS, MAX_LOOKS // max(len(patterns), 1))
        looking: list[_Again] = []
        for pattern in patterns:
            refusal = _refusal(pattern, event, seen)
            key = pattern.plan.key.text(event, seen)
            if refusal:
                gone = Explanation(pattern, Fate.FILTERED, refusal.clause, refusal.error)
                explained[pattern.id] = gone
            elif key is None:
                explained[pattern.id] = Explanation(pattern, Fate.NO_KEY, "by")
            elif not is_read:
                explained[pattern.id] = Explanation(pattern, Fate.PENDING)
            else:
                since = await self._since(account, pattern, event, max_records)
                looking.append(_Again(pattern, key, since))
        async for explanation in self._look_again(account, looking, event):
            explained[explanation.pattern.id] = await self._with_outcome(account, explanation)
        return [explained[pattern.id] for pattern in patterns]

    async def _with_outcome(self, account: str, explanation: Explanation) -> Explanation:
        if explanation.match_id:
            match = await self._history.match(account, explanation.match_id)
            if match:
                return replace(explanation, outcome=match.outcome)
        return explanation

    async def _look_again(
        self, account: str, looking: Sequence[_Again], event: Event
    ) -> AsyncIterator[Explanation]:
        """Yield what came of the event when patterns looked at it, and what they knew right after."""
        present: list[_Again] = []
        async for record, joined, matcher in self._once_more(account, looking):
            present += joined
            if record.offset == event.offset:
                for again in present:
                    again.remember()
            found = matcher.fold(record)
            if record.offset < event.offset:
                matcher.take_failures()
                _remember(present, record)
                continue
            failures = {one.pattern.id: one.reason for one in matcher.take_failures()}
            for again in present:
                again.takes(found)
                again.failure = failures.get(again.pattern.id)
                if not _is_waiting(again, event):
                    yield _explained(event, again)
            present = [again for again in present if _is_waiting(again, event)]
            if not present:
                return
        for again in present:
            again.found, again.is_waiting = [], True
            yield _explained(event, again)

    async def _once_more(
        self, account: str, looking: Sequence[_Again]
    ) -> AsyncIterator[tuple[LogRecord, list[_Again], Matcher]]:
        """Yield the records of the log from where the first pattern looks, and who looks from there."""
        joining = sorted(looking, key=lambda again: -again.since)
        if not joining:
            return
        cursor, head = joining[-1].since, self._log.head(account)
        matcher = Matcher(event_time(await self._log.past.mark(account, cursor)))
        globs = _globs(looking)
        while cursor < head:
            stretch = await self._log.stretch(
                account, cursor, RECORDS_PER_TURN, globs, in_passing=True
            )
            for place, record in enumerate(stretch.records, 1):
                if place % _RECORDS_IN_A_ROW == 0:
                    await asyncio.sleep(0)
                joined: list[_Again] = []
                while joining and joining[-1].since < record.offset:
                    joined.append(await self._joined(account, joining.pop(), matcher, record))
                yield record, joined, matcher
            cursor = stretch.upto

    async def _joined(
        self, account: str, again: _Again, matcher: Matcher, record: LogRecord
    ) -> _Again:
        """Return a pattern that looks from this record on: where its state began, if it is that one."""
        if again.pattern.plan.is_timed and not matcher.is_timed:
            mark = await self._log.past.mark(account, again.since)
            if mark:
                matcher.time.saw(mark.newest_ms, mark.last_received_ms)
        again.watch = matcher.put(again.pattern, record.received_at_ms)
        return again

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


def _globs(looking: Sequence[_Again]) -> tuple[str, ...]:
    index = PatternIndex()
    for again in looking:
        shown = again.pattern.plan.looking
        everything = (EVERYTHING,) if shown.sees_all else ()
        index.put(again.pattern.id, (*shown.selections, *everything))
    return index.globs


def _refusal(pattern: ActivePattern, event: Event, seen: Seen) -> Refusal | None:
    """Return why no selector admits an event: the reason of the first that watches its type."""
    refusals = [
        selection.refusal(event, seen)
        for selection in pattern.plan.looking.selections
        if _watches(selection, event)
    ]
    return None if None in refusals else next(iter(refusals), None)


def _watches(selection: Selection, event: Event) -> bool:
    return any(compile_watched(glob)(event.type) for glob in selection.globs)


def _remember(present: Sequence[_Again], record: LogRecord) -> None:
    if isinstance(record, Event):
        seen = Seen(record)
        for again in present:
            again.remember_after(record, seen)


def _is_waiting(again: _Again, event: Event) -> bool:
    sorter = again.watch.sorter if again.watch else None
    return sorter is not None and event.offset in sorter


def _explained(event: Event, again: _Again) -> Explanation:
    pattern, watch, key = again.pattern, again.watch, again.key
    assert watch
    shown = pattern.plan.key.named(key)
    state = watch.operator.describe(key) if watch.operator else {}
    for finding in again.found:
        if any(event.offset in offsets for _, offsets in finding.hit.bindings):
            id_ = match_id(pattern, finding.hit)
            return Explanation(pattern, Fate.MATCHED, match_id=id_, key=shown, state=state)
    if again.failure:
        return Explanation(pattern, Fate.DEAD_LETTERED, error=again.failure, key=shown, state=state)
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
