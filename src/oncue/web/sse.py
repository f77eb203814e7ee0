"""Server-Sent Events (HTML Living Standard, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import StreamingResponse

from oncue.core.json_text import Json, encode_json
from oncue.ports import Clock

# Comments keep proxies from closing a quiet connection.
_SILENCE_MS: Final = 15_000
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

STILL_HERE: Final = b": still here\n\n"


def event_stream(messages: AsyncIterator[bytes]) -> StreamingResponse:
    """Return an answer that goes on as long as there are messages."""
    return StreamingResponse(messages, media_type="text/event-stream", headers=_HEADERS)


def message(kind: str, number: int, data: Json) -> bytes:
    """Return one message; `number` is its id."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), encode_json(data))


async def is_soon(happened: asyncio.Future[Any], clock: Clock) -> bool:
    """Return whether it happened before the reader should hear something; it is cancelled if not."""
    silence = asyncio.create_task(clock.sleep_until(clock.now_ms() + _SILENCE_MS))
    try:
        await asyncio.wait({happened, silence}, return_when=asyncio.FIRST_COMPLETED)
        return happened.done()
    finally:
        silence.cancel()
        happened.cancel()
