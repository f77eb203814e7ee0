"""
A line to a server that comes to an end: after so many bytes, or after so long.

Who reads at the near end is a library in a thread, which knows no bounds, and may
encrypt what it says. What lies between counts what comes, and hangs up.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

_CHUNK: Final = 64 << 10


@dataclass(slots=True)
class Line:
    """`near` is the end to talk at; where more came than may, it `is_too_long`."""

    near: socket.socket
    is_too_long: bool = False


@asynccontextmanager
async def bounded(far: socket.socket, max_bytes: int, seconds: float) -> AsyncIterator[Line]:
    """Give a line to whoever `far` is connected to; it is cut when the block ends."""
    near, between = socket.socketpair()
    line = Line(near)
    try:
        outside = await _opened(far)
        inside = await _opened(between)
        carrying = asyncio.create_task(_carry(line, outside, inside, (max_bytes, seconds)))
        try:
            yield line
        finally:
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)
            await _let_go(outside[1], inside[1])
    finally:
        near.close()


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _opened(sock: socket.socket) -> _Stream:
    sock.setblocking(False)
    return await asyncio.open_connection(sock=sock)


async def _carry(line: Line, outside: _Stream, inside: _Stream, bounds: tuple[int, float]) -> None:
    max_bytes, seconds = bounds

    async def inward() -> None:
        left = max_bytes
        while chunk := await outside[0].read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                line.is_too_long = True
                return
            inside[1].write(chunk)
            await inside[1].drain()

    async def outward() -> None:
        while chunk := await inside[0].read(_CHUNK):
            outside[1].write(chunk)
            await outside[1].drain()

    ways = [asyncio.create_task(inward()), asyncio.create_task(outward())]
    try:
        # Whichever side hangs up first, the other is told.
        await asyncio.wait(ways, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        # What is on its way still arrives, and then the end.
        for _, writer in (outside, inside):
            writer.write_eof()


async def _let_go(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
