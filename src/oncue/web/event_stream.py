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
from oncue.core.json_text import Json, encode_json
from oncue.web import render
from oncue.web.context import Context

MAX_BEHIND: Final = 10_000
"""Records that a reader may be behind before some are left out."""
_RECORDS_PER_READ: Final = 256
# Comments keep proxies from closing a quiet connection.
_SILENCE_MS: Final = 15_000
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def stream(
    context: Context, account: str, wanted: EventFilter, after: int | None
) -> StreamingResponse:
    """Return the events after an offset, by default from now on, as they come."""
    offset = context.world.log.head(account) if after is None else after
    return StreamingResponse(
        _follow(context, account, wanted, offset),
        media_type="text/event-stream",
        headers=_HEADERS,
    )


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
                yield _message("gap", offset, gap)
            for record in await log.read(account, offset, _RECORDS_PER_READ):
                offset = record.offset
                if isinstance(record, Event) and is_wanted(record):
                    yield _message("event", offset, render.event(record))
            if offset >= log.head(account) and not await _within_silence(context, grown):
                yield b": still here\n\n"
    finally:
        unsubscribe()


async def _within_silence(context: Context, grown: asyncio.Event) -> bool:
    clock = context.world.clock
    waits = {
        asyncio.create_task(grown.wait()),
        asyncio.create_task(clock.sleep_until(clock.now_ms() + _SILENCE_MS)),
    }
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    return grown.is_set()


def _message(kind: str, offset: int, data: Json) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (offset, kind.encode(), encode_json(data))
