"""
Who would see the events that OnCue emits about itself.

To tell of each execution and match would double what the log takes. So what goes well is told
only where a pattern of the account watches that type; a failure is always told.
"""

from collections.abc import Callable
from typing import Final

from oncue.core.own_events import EXECUTION_FAILED, OWN_TYPES, compile_watched
from oncue.core.pattern.plan import ActivePattern
from oncue.ports import Patterns, PatternVersion

_PAGE: Final = 500

Ready = Callable[[str, PatternVersion], ActivePattern]


class Audience:
    """The patterns of each account that watch OnCue's own events, read when first asked for."""

    def __init__(self, patterns: Patterns, ready: Ready) -> None:
        self._patterns = patterns
        self._ready = ready
        self._watched: dict[str, dict[str, frozenset[str]]] = {}
        self._changes = 0

    async def wants(self, account: str, event_type: str) -> bool:
        """Return whether an event of one of our own types is to be told."""
        if event_type == EXECUTION_FAILED:
            return True
        watched = self._watched.get(account)
        if watched is None:
            watched = await self._read(account)
        return any(event_type in types for types in watched.values())

    def take(self, account: str, pattern: PatternVersion) -> None:
        """Take note of a version that was saved, before anybody is told so."""
        self._changes += 1
        watched = self._watched.get(account)
        if watched is not None:
            self._put(watched, account, pattern)

    async def _read(self, account: str) -> dict[str, frozenset[str]]:
        while True:
            changes, before = self._changes, None
            watched: dict[str, frozenset[str]] = {}
            while rows := await self._patterns.all(account, _PAGE, before):
                for row in rows:
                    self._put(watched, account, row)
                before = (rows[-1].created_at_ms, rows[-1].id)
            # What was saved while this was read may be missing in it.
            if changes == self._changes:
                self._watched[account] = watched
                return watched

    def _put(
        self, watched: dict[str, frozenset[str]], account: str, pattern: PatternVersion
    ) -> None:
        types = self._types(account, pattern) if pattern.is_active else frozenset[str]()
        if types:
            watched[pattern.id] = types
        else:
            watched.pop(pattern.id, None)

    def _types(self, account: str, pattern: PatternVersion) -> frozenset[str]:
        looking = self._ready(account, pattern).plan.looking
        sees = [compile_watched(glob) for one in looking.selections for glob in one.globs]
        return frozenset(own for own in OWN_TYPES if any(is_seen(own) for is_seen in sees))
