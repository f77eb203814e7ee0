"""Servers on the loopback that say whatever they like."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from oncue.core.action import HttpRequest
from oncue.core.errors import ActionError
from oncue.outgoing.client import OutgoingClient

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[int]:
    """Give the port of a server that talks so to everybody, until the block ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def saying(*parts: bytes, for_ever: bytes = b"") -> Talk:
    """Return a server of HTTP that answers any request so."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"".join(parts))
        await writer.drain()
        while for_ever:
            writer.write(for_ever)
            await writer.drain()

    return talk


def asked(talk: Talk, timeout_ms: int = 5_000, **options: Any) -> ActionError | int:
    """Return the status that a client gets of such a server, or its error."""

    async def main() -> ActionError | int:
        async with serving(talk) as port:
            endpoints = {("127.0.0.1", port)}
            async with OutgoingClient(allowed_endpoints=endpoints, **options) as client:
                url = f"http://127.0.0.1:{port}/"
                try:
                    return (
                        await client.send(HttpRequest("GET", url, timeout_ms=timeout_ms))
                    ).status
                except ActionError as exc:
                    return exc

    return asyncio.run(main())
