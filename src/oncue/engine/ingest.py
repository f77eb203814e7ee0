"""The way in: from untrusted JSON to an event that is durable."""

from collections.abc import Callable

from oncue.core.event import parse_event
from oncue.core.json_text import Json
from oncue.ports import EventLog, Receipt


class Ingest:
    """Accepts events."""

    def __init__(self, log: EventLog, fresh_id: Callable[[str], str]) -> None:
        self._log = log
        self._fresh_id = fresh_id

    async def accept(self, account: str, value: Json) -> Receipt:
        """
        Return when the event is durable.

        Raises:
            InvalidInput: with all problems; nothing was stored.
        """
        event = parse_event(value, lambda: self._fresh_id("evt"))
        receipts = await self._log.append(account, [event])
        return receipts[0]
