"""Patterns as the matcher sees them: ready to match, and seen from a record of the log on."""

from collections.abc import Callable, Sequence
from typing import Final

from oncue.core.errors import InvalidInput, NotFound
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.scanning import excess
from oncue.engine.audience import Audience
from oncue.ports import Patterns, PatternVersion

MAX_READY: Final = 20_000
"""Versions that are kept compiled."""


class ActivePatterns:
    """The patterns of all accounts that are matched, or were at some record."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._ready: dict[tuple[str, str, int], ActivePattern] = {}
        self.audience = Audience(patterns, self.ready)
        self._listeners: list[Callable[[str, PatternVersion], None]] = []

    def subscribe(self, listener: Callable[[str, PatternVersion], None]) -> None:
        """Tell a listener of each version, once it is seen."""
        self._listeners.append(listener)

    def tell(self, account: str, pattern: PatternVersion) -> None:
        """Say that a version is seen from now on."""
        for listener in self._listeners:
            listener(account, pattern)

    async def version(self, account: str, pattern_id: str, version: int) -> ActivePattern | None:
        """Return a version, ready to match; nothing, if it ends the pattern."""
        known = self._ready.get((account, pattern_id, version))
        if known:
            return known
        pattern = await self._patterns.version(account, pattern_id, version)
        return self.ready(account, pattern) if pattern.is_active else None

    def ready(self, account: str, pattern: PatternVersion) -> ActivePattern:
        """Return a version, ready to match."""
        place = account, pattern.id, pattern.version
        active = self._ready.get(place)
        if active is None:
            if len(self._ready) >= MAX_READY:
                self._ready.clear()
            active = self._ready[place] = activated(pattern)
        return active

    async def at(self, account: str, offset: int) -> list[ActivePattern]:
        """Return the patterns that are seen after the record at `offset`, the oldest first."""
        seen = await self._patterns.seen_at(account, offset)
        # Ids sort by the time of their making: the order in which a matcher met them, too.
        return [
            self.ready(account, one) for one in sorted(seen, key=lambda p: p.id) if one.is_active
        ]

    async def check_room(
        self, account: str, offset: int, wanted: Sequence[PatternVersion], path: str
    ) -> None:
        """
        Return if there is room for patterns beside those that are seen at `offset`.

        Raises:
            InvalidInput: they would make each event cost too much.
        """
        added = [
            selection
            for pattern in wanted
            if pattern.is_active
            # Not kept: another version may be saved under that number.
            for selection in activated(pattern).plan.looking.selections
        ]
        if all(selection.cost_class == "indexed" for selection in added):
            return
        ids = {pattern.id for pattern in wanted}
        present = [
            selection
            for pattern in await self.at(account, offset)
            if pattern.id not in ids
            for selection in pattern.plan.looking.selections
        ]
        if problem := excess(present, added, path):
            raise InvalidInput([problem])

    async def then(self, account: str, pattern_id: str, offset: int) -> ActivePattern:
        """
        Return the version of a pattern that saw the event at `offset`.

        Raises:
            NotFound: it was not there then.
        """
        for pattern in await self.at(account, offset):
            if pattern.id == pattern_id:
                return pattern
        raise NotFound("the pattern had not begun, or was disabled, when the event came")

    async def state_begins(self, account: str, offset: int) -> list[int]:
        """Return where the states began of those seen at `offset` that remember something."""
        return [
            await self.state_begin(account, pattern)
            for pattern in await self.at(account, offset)
            if pattern.plan.is_stateful
        ]

    async def state_begin(self, account: str, pattern: ActivePattern) -> int:
        """Return the offset of the record with which the state of a pattern began."""
        return await self._patterns.state_begin(account, pattern.id, pattern.state_version)


def activated(pattern: PatternVersion) -> ActivePattern:
    """Return a version that may not be saved yet, ready to match."""
    return parse_pattern(pattern.document).named(
        pattern.id, pattern.version, pattern.state_version, pattern.workflow_id
    )
