"""
Patterns that fail on everything are paused, so that they bury nobody in dead letters.

That it is paused is written down with the last of its failures; then an inactive
version of it is saved and announced to the log like any other. What a crash left
between the two is done at the next start.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from oncue.core.errors import Conflict
from oncue.core.pattern.matcher import Failure
from oncue.engine.patterns import PatternDefinitions, next_version
from oncue.ports import Clock, Patterns, PatternVersion, Pause, Pauses

_log = logging.getLogger(__name__)

FAILURES_IN_A_ROW: Final = 10
"""After so many exceptions, and nothing that went well in between, a pattern is paused."""


def pauses_after(failures: Sequence[Failure]) -> list[Pause]:
    """Return what is paused because of some failures."""
    worst = {one.pattern.id: one for one in failures if one.in_row >= FAILURES_IN_A_ROW}
    return [
        Pause(
            one.pattern.id,
            one.pattern.version,
            one.at_ms,
            f"{one.in_row} exceptions in a row, the last: {one.reason}",
        )
        for one in worst.values()
    ]


class PauseBook:
    """The paused patterns of all accounts."""

    def __init__(
        self, pauses: Pauses, patterns: Patterns, definitions: PatternDefinitions, clock: Clock
    ) -> None:
        self._pauses = pauses
        self._patterns = patterns
        self._definitions = definitions
        self._clock = clock
        self.count = 0
        """How many were paused since the start."""
        self.failures = 0
        """How often patterns raised an exception since the start."""

    async def consider(self, account: str, failures: Sequence[Failure]) -> None:
        """Let patterns see nothing more that are to be paused because of some failures."""
        self.failures += len(failures)
        await self._carry_out(account, pauses_after(failures))

    async def _carry_out(self, account: str, pauses: Sequence[Pause]) -> None:
        for pause in pauses:
            current = await self._patterns.version(account, pause.pattern_id, pause.version)
            try:
                await self._turn(account, current, is_active=False)
            except Conflict:
                # Somebody saved another version meanwhile, which may well be mended.
                continue
            self.count += 1
            _log.warning("pattern %s is paused: %s", current.name, pause.reason)

    async def recover(self) -> None:
        """Pause what a crash left to be paused."""
        for account, pause in await self._pauses.all():
            await self._carry_out(account, [pause])

    async def of(self, account: str, pattern: PatternVersion) -> Pause | None:
        """Return why a pattern is paused, if it is."""
        pause = (await self._pauses.of(account)).get(pattern.id)
        return pause if pause and _holds(pause, pattern) else None

    async def resume(self, account: str, current: PatternVersion) -> PatternVersion:
        """
        Return the version with which a paused pattern goes on, with empty state.

        Raises:
            Conflict: it is not paused.
        """
        if await self.of(account, current) is None:
            raise Conflict(f"expected a paused pattern, got {current.name!r}")
        return await self._turn(account, current, is_active=True)

    async def _turn(
        self, account: str, current: PatternVersion, *, is_active: bool
    ) -> PatternVersion:
        wanted = replace(current, is_active=is_active, updated_at_ms=self._clock.now_ms())
        changed = next_version(current, wanted)
        return await self._definitions.save(account, changed) if changed else current

    async def paused(self, account: str, patterns: Sequence[PatternVersion]) -> list[str]:
        """Return the names of those of some patterns that are paused."""
        pauses = await self._pauses.of(account)
        return [
            one.name for one in patterns if (pause := pauses.get(one.id)) and _holds(pause, one)
        ]


def _holds(pause: Pause, pattern: PatternVersion) -> bool:
    return not pattern.is_active and pattern.version == pause.version + 1
