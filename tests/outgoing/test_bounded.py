"""Lines that are cut: after so many bytes, after so long, and when nobody listens any more."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oncue.core.errors import ActionError, PermanentError, RetryableError
from oncue.core.statements import Statement
from oncue.outgoing.bounded import Line, bounded
from oncue.outgoing.guard import Guard
from oncue.outgoing.postgres import PostgresClient
from oncue.outgoing.smtp import SmtpClient
from tests.outgoing.serving import Talk, serving

PATIENCE_S = 10.0


def _over(talk: Talk, use: Callable[[Line], Awaitable[Any]], most: int, seconds: float) -> Any:
    async def main() -> Any:
        async with serving(talk) as port:
            far = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port))
            async with bounded(far, most, seconds) as line:
                line.near.settimeout(PATIENCE_S)
                return await use(line)

    return asyncio.run(main())


async def _everything(line: Line) -> bytes:
    def read() -> bytes:
        found = b""
        while chunk := line.near.recv(4_096):
            found += chunk
        return found

    return await asyncio.to_thread(read)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(4_096):
        writer.write(chunk)
        await writer.drain()


async def _flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()


async def _silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def test_what_is_said_comes_back_whole() -> None:
    sent = bytes(range(256)) * 1_000

    async def use(line: Line) -> bytes:
        asking = asyncio.create_task(asyncio.to_thread(line.near.sendall, sent))
        found = b""
        while len(found) < len(sent):
            found += await asyncio.to_thread(line.near.recv, 4_096)
        await asking
        return found

    assert _over(_echo, use, len(sent), PATIENCE_S) == sent


def test_a_flood_is_cut_off() -> None:
    async def use(line: Line) -> tuple[int, bool]:
        return len(await _everything(line)), line.is_too_long

    found, is_too_long = _over(_flood, use, 100_000, PATIENCE_S)

    assert found <= 100_000
    assert is_too_long


def test_silence_ends() -> None:
    assert _over(_silence, _everything, 1_000, 0.05) == b""


def test_whoever_hangs_up_is_heard() -> None:
    async def bye(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")

    assert _over(bye, _everything, 1_000, PATIENCE_S) == b"bye"


def _database(*messages: bytes, for_ever: bytes = b"", stays: bool = False) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(b"".join(messages))
        await writer.drain()
        while for_ever:
            writer.write(for_ever)
            await writer.drain()
        while stays and await reader.read(4_096):
            continue

    return talk


NOTICE = b"N" + struct.pack("!i", 60_007) + b"M" + b"x" * 60_000 + b"\0\0"
HUGE = b"R" + struct.pack("!i", 0x7FFF_FFFF)


@pytest.mark.parametrize(
    ("talk", "error", "told"),
    [
        pytest.param(
            _database(HUGE, for_ever=b"x" * 100_000), PermanentError, "at most", id="huge"
        ),
        pytest.param(
            _database(for_ever=NOTICE * 10), PermanentError, "at most", id="notices for ever"
        ),
        pytest.param(_database(b"HTTP/1.1 400 Bad"), RetryableError, "cannot connect", id="HTTP"),
        pytest.param(
            _database(b"?" + struct.pack("!i", 4), stays=True),
            PermanentError,
            "not speak",
            id="no message",
        ),
        pytest.param(_database(), RetryableError, "cannot connect", id="nothing"),
    ],
)
def test_a_database_that_is_none_harms_nobody(
    talk: Talk, error: type[ActionError], told: str
) -> None:
    async def main() -> None:
        async with serving(talk) as port:
            client = PostgresClient(Guard(endpoints={("127.0.0.1", port)}))
            url = f"postgresql://ada@127.0.0.1:{port}/shop?sslmode=disable"
            await client.query(url, Statement("SELECT 1", timeout_ms=1_000))

    with pytest.raises(error, match=told):
        asyncio.run(main())


@pytest.mark.parametrize(
    "greeting",
    [pytest.param(b"220-x\r\n" * 1_000, id="lines"), pytest.param(b"2" * 10_000, id="a line")],
)
def test_a_mail_server_that_greets_for_ever_is_left(greeting: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(greeting)
            await writer.drain()

    async def main() -> None:
        async with serving(talk) as port:
            client = SmtpClient(Guard(endpoints={("127.0.0.1", port)}))
            await client.greet(f"smtp://127.0.0.1:{port}")

    with pytest.raises(PermanentError, match="too long"):
        asyncio.run(main())
