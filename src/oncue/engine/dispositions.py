"""What became of an event, pattern by pattern: asked, not kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import ActivePattern
from oncue.core.pattern.index import TypeIndex
from oncue.core.pattern.matcher import match_of
from oncue.core.pattern.seen import Seen
from oncue.engine.patterns import PatternDefinitions
from oncue.ports import History, Journal


class Fate(StrEnum):
    """What a pattern did with an event."""

    MATCHED = "matched"
    FILTERED = "filtered"
    NO_KEY = "no_key"
    SUPPRESSED = "suppressed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Disposition:
    """What one pattern did with an event, and what followed."""

    pattern: ActivePattern
    fate: Fate
    clause: str | None = None
    error: str | None = None
    match_id: str | None = None
    outcome: Mapping[str, Json] | None = None


class Dispositions:
    """Looks again at events with the patterns that saw them."""

    def __init__(self, patterns: PatternDefinitions, journal: Journal, history: History) -> None:
        self._patterns = patterns
        self._journal = journal
        self._history = history

    async def of(self, account: str, event: Event) -> list[Disposition]:
        """Return what each pattern that watches the event's type did with it."""
        active = await self._patterns.active_at(account, event.offset)
        index = TypeIndex((pattern, pattern.selection.globs) for pattern in active)
        is_read = (await self._journal.cursors()).get(account, 0) >= event.offset
        return [
            await self._by(account, pattern, event, is_read=is_read)
            for pattern in index.watching(event.type)
        ]

    async def _by(
        self, account: str, pattern: ActivePattern, event: Event, *, is_read: bool
    ) -> Disposition:
        values = Seen(event)
        refusal = pattern.selection.refusal(event, values)
        if refusal:
            return Disposition(pattern, Fate.FILTERED, refusal.clause, refusal.error)
        text = pattern.key.text(event, values)
        if text is None:
            return Disposition(pattern, Fate.NO_KEY, "by")
        if not is_read:
            return Disposition(pattern, Fate.PENDING)
        match = await self._history.match(
            account, match_of(pattern, event, pattern.key.named(text)).id
        )
        if match is None:
            return Disposition(pattern, Fate.SUPPRESSED, "cooldown")
        return Disposition(pattern, Fate.MATCHED, match_id=match.id, outcome=match.outcome)
