"""Answers of steps that are used again, kept in the namespace `cache` of the account's keys."""

from oncue.core.errors import InvalidInput, Overloaded
from oncue.core.json_text import Json
from oncue.core.key_values import Entry, Namespace, Slot, Terms
from oncue.ports import KeyValues


class StepCache:
    """Finds and keeps answers; without a key it does neither."""

    def __init__(self, keys: KeyValues) -> None:
        self._keys = keys

    async def find(self, account: str, key: str) -> Entry | None:
        """Return the answer that is kept under a key and is still good."""
        return await self._keys.get(account, Slot(Namespace.CACHE, key)) if key else None

    async def keep(self, account: str, key: str, output: Json, ttl_ms: int) -> None:
        """Keep an answer for `ttl_ms`; where that cannot be, the next step calls anew."""
        try:
            await self._keys.set(account, Slot(Namespace.CACHE, key), output, Terms(ttl_ms))
        except (InvalidInput, Overloaded):
            return
