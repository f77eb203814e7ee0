"""Archives what the log has gathered, a stretch of each account at a time, and merges what is small."""

import logging
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import Overloaded
from oncue.engine.loop import Loop
from oncue.ports import Archive, Archived, Clock

_log = logging.getLogger(__name__)

_PAUSE_MS: Final = 10_000
_PAUSE_AFTER_REFUSAL_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the archive takes nothing, and since when."""

    since_ms: int
    message: str


class Archiving(Loop):
    """
    Looks every ten seconds; where the archive takes nothing, the log keeps everything.

    Every hour it looks for what may be merged. Trouble is told once, until it is over.
    """

    def __init__(self, archive: Archive, clock: Clock) -> None:
        super().__init__("archiving", clock)
        self._archive = archive
        self._writing: Trouble | None = None
        self._merging: Trouble | None = None
        self._merges_at_ms = 0
        self._has_merged = True

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong, if anything is."""
        return self._writing or self._merging

    def archived(self, account: str | None = None) -> Archived:
        """Return what the archive holds of an account, without one of all."""
        return self._archive.archived(account)

    async def _turn(self) -> bool:
        pause_ms = _PAUSE_MS
        try:
            if await self._archive.archive_due():
                return True
            self._over(self._writing)
            self._writing = None
        except Overloaded as exc:
            self._writing = self._told(self._writing, exc)
            pause_ms = _PAUSE_AFTER_REFUSAL_MS
        else:
            if await self._merge():
                return True
        await self._archive.rest()
        await self._clock.sleep_until(self._clock.now_ms() + pause_ms)
        return True

    async def _merge(self) -> bool:
        """Return whether there may be more to merge at once."""
        if self._clock.now_ms() < self._merges_at_ms:
            return False
        try:
            if await self._archive.merge_next():
                return True
        except Overloaded as exc:
            self._merging = self._told(self._merging, exc)
            self._has_merged = False
            return True
        if self._has_merged:
            self._over(self._merging)
            self._merging = None
        self._has_merged = True
        self._merges_at_ms = self._clock.now_ms() + _HOUR_MS
        return False

    def _told(self, before: Trouble | None, refusal: Overloaded) -> Trouble:
        if before is None:
            _log.warning("archive_failing events_stay_in_the_log=true why=%s", refusal)
        return Trouble(before.since_ms if before else self._clock.now_ms(), str(refusal))

    def _over(self, before: Trouble | None) -> None:
        if before:
            _log.info("archive_recovered after_ms=%d", self._clock.now_ms() - before.since_ms)
