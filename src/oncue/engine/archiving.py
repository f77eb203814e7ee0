"""Archives what the log has gathered, a stretch of each account at a time."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from oncue.core.errors import Overloaded
from oncue.engine.loop import Loop
from oncue.ports import Clock

_log = logging.getLogger(__name__)

_PAUSE_MS: Final = 10_000
_PAUSE_AFTER_REFUSAL_MS: Final = 60_000

ArchiveNext: TypeAlias = Callable[[], Awaitable[int]]
"""Archives what is due, and says of how many accounts there was something."""


class Archiving(Loop):
    """Looks every ten seconds; where the archive takes nothing, the log keeps everything."""

    def __init__(self, archive_next: ArchiveNext, clock: Clock) -> None:
        super().__init__("archiving", clock)
        self._archive_next = archive_next

    async def _turn(self) -> bool:
        pause_ms = _PAUSE_MS
        try:
            if await self._archive_next():
                return True
        except Overloaded as exc:
            _log.warning("nothing is archived for a minute: %s", exc)
            pause_ms = _PAUSE_AFTER_REFUSAL_MS
        await self._clock.sleep_until(self._clock.now_ms() + pause_ms)
        return True
