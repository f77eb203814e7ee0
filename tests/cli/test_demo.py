"""The demo's source of events."""

import asyncio

import pytest

from oncue.cli import demo

ANSWER = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
PATIENCE_S = 30


def test_it_goes_on_though_the_server_closes_idle_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo, "PAUSE_S", 0)

    async def main() -> None:
        events: asyncio.Queue[bytes] = asyncio.Queue()

        async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Hang up on the second request, as if the connection had been idle for too long."""
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            content = await reader.readexactly(length)
            if head.startswith(b"POST /events "):
                events.put_nowait(content)
            writer.write(ANSWER)
            await reader.read(1)
            writer.close()

        server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
        source = demo._Source(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key")
        await source.start()
        async with asyncio.timeout(PATIENCE_S):
            sent = [await events.get() for _ in range(3)]
        await source.stop()
        server.close()
        assert all(b'"source": "demo"' in content for content in sent)

    asyncio.run(main())
