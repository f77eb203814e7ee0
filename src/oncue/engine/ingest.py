"""The way in: from untrusted JSON to events that are durable."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import IncomingEvent, parse_event, refuse_own_source
from oncue.core.json_text import Json
from oncue.engine.quotas import QuotaGuard
from oncue.ports import EventLog, Receipt

Parse: TypeAlias = Callable[[Json, Callable[[], str]], IncomingEvent]


class Ingest:
    """Accepts events."""

    def __init__(self, log: EventLog, quotas: QuotaGuard, fresh_id: Callable[[str], str]) -> None:
        self._log = log
        self._quotas = quotas
        self._fresh_id = fresh_id
        self.accepted = 0
        self.duplicates = 0

    async def accept(self, account: str, value: Json, parse: Parse = parse_event) -> Receipt:
        """
        Return when the event is durable.

        Raises:
            InvalidInput: with all problems; nothing was stored.
            QuotaExceeded: the account had as many as it may; nothing was stored.
        """
        event = self._read(value, parse)
        await self._quotas.admit_events(account, 1)
        receipts = await self._append(account, [event])
        return receipts[0]

    async def accept_all(
        self, account: str, values: Sequence[Json], parse: Parse = parse_event
    ) -> list[Receipt]:
        """
        Return when all events are durable.

        Raises:
            InvalidInput: with all problems of all events; nothing was stored.
            QuotaExceeded: the account had as many as it may; nothing was stored.
        """
        events: list[IncomingEvent] = []
        problems: list[Problem] = []
        for index, value in enumerate(values):
            try:
                events.append(self._read(value, parse))
            except InvalidInput as exc:
                problems += (_within(index, problem) for problem in exc.problems)
        if problems:
            raise InvalidInput(problems)
        await self._quotas.admit_events(account, len(events))
        return await self._append(account, events)

    async def _append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        receipts = await self._log.append(account, events)
        duplicates = sum(receipt.is_duplicate for receipt in receipts)
        self.duplicates += duplicates
        self.accepted += len(receipts) - duplicates
        return receipts

    def _read(self, value: Json, parse: Parse) -> IncomingEvent:
        event = parse(value, self._event_id)
        refuse_own_source(event)
        return event

    def _event_id(self) -> str:
        return self._fresh_id("evt")


def _within(index: int, problem: Problem) -> Problem:
    path = f"[{index}].{problem.path}" if problem.path else f"[{index}]"
    return Problem(path, problem.message)
