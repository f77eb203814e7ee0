"""Deletes what has expired under keys, and looks again every hour."""

import logging
from typing import Final

from oncue.engine.loop import Loop
from oncue.ports import Accounts, Clock, KeyValues

_log = logging.getLogger(__name__)

_HOUR_MS: Final = 3_600_000


class KeySweep(Loop):
    """Gives back the room of what nobody sees any more, also of accounts that write nothing."""

    def __init__(self, keys: KeyValues, accounts: Accounts, clock: Clock) -> None:
        super().__init__("sweep of keys", clock)
        self._keys = keys
        self._accounts = accounts

    async def _turn(self) -> bool:
        swept = 0
        for account in await self._accounts.ids():
            while part := await self._keys.sweep(account):
                swept += part
        if swept:
            _log.info("keys expired=%d", swept)
        await self._clock.sleep_until(self._clock.now_ms() + _HOUR_MS)
        return True
