"""
The live tail of a log as Server-Sent Events.

A reader is fed from the log itself, so nothing is buffered for it: one that is
slow falls behind, and one that falls too far behind is told which offsets it
missed and goes on near the end.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import StreamingResponse

from oncue.core.event import Event, EventFilter
from oncue.core.json_text import Json
from oncue.web import render
from oncue.web.context import Context
from oncue.web.sse import STILL_HERE, event_stream, is_soon, message

MAX_BEHIND: Final = 10_000
"""Records that a reader may be behind before some are left out."""
_RECORDS_PER_READ: Final = 256


def stream(
    context: Context, account: str, wanted: EventFilter, after: int | None
) -> StreamingResponse:
    """Return the events after an offset, by default from now on, as they come."""
    offset = context.world.log.head(account) if after is None else after
    return event_stream(_follow(context, account, wanted, offset))


async def _follow(
    context: Context, account: str, wanted: EventFilter, offset: int
) -> AsyncIterator[bytes]:
    log, is_wanted = context.world.log, wanted.compile()
    grown = asyncio.Event()
    unsubscribe = log.subscribe(lambda whose: grown.set() if whose == account else None)
    try:
        yield b": events follow; each id is an offset\n\n"
        while True:
            grown.clear()
            head = log.head(account)
            if head - offset > MAX_BEHIND:
                gap: Json = {"from": offset + 1, "to": head - _RECORDS_PER_READ}
                offset = head - _RECORDS_PER_READ
                yield message("gap", offset, gap)
            for record in await log.read(account, offset, _RECORDS_PER_READ):
                offset = record.offset
                if isinstance(record, Event) and is_wanted(record):
                    yield message("event", offset, render.event(record))
            if offset >= log.head(account):
                more = asyncio.ensure_future(grown.wait())
                if not await is_soon(more, context.world.clock):
                    yield STILL_HERE
    finally:
        unsubscribe()
