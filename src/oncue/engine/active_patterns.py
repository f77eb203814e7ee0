"""Patterns as the matcher sees them: ready to match, and seen from a record of the log on."""

from oncue.core.errors import NotFound
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.plan import ActivePattern
from oncue.ports import Patterns, PatternVersion


class ActivePatterns:
    """The patterns of all accounts that are matched, or were at some record."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns

    async def version(self, account: str, pattern_id: str, version: int) -> ActivePattern | None:
        """Return a version, ready to match; nothing, if it ends the pattern."""
        pattern = await self._patterns.version(account, pattern_id, version)
        return activate(pattern) if pattern.is_active else None

    async def at(self, account: str, offset: int) -> list[ActivePattern]:
        """Return the patterns that are seen after the record at `offset`, the oldest first."""
        seen = await self._patterns.seen_at(account, offset)
        # Ids sort by the time of their making: the order in which a matcher met them, too.
        return [activate(one) for one in sorted(seen, key=lambda p: p.id) if one.is_active]

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


def activate(pattern: PatternVersion) -> ActivePattern:
    """Return `pattern` ready to match."""
    return parse_pattern(pattern.document).named(
        pattern.id, pattern.version, pattern.state_version, pattern.workflow_id
    )
