"""A client and a server of HTTP/1.1 that cost next to nothing: they are not what is measured."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Return a connection to a port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(
        self, method: str, path: str, key: str, body: object = None
    ) -> tuple[int, bytes]:
        """Return status and body of the answer; bytes are sent as they are."""
        if isinstance(body, bytes):
            content = body
        else:
            content = b"" if body is None else json.dumps(body).encode()
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()


class Stub(asyncio.Protocol):
    """Answers everything with `{}`; remembers when each event arrived first."""

    arrivals: ClassVar[dict[str, float]] = {}
    awaited: ClassVar[dict[str, asyncio.Event]] = {}

    @classmethod
    async def arrived(cls, path: str) -> None:
        """Return when a request for `path` has come."""
        if path not in cls.arrivals:
            await cls.awaited.setdefault(path, asyncio.Event()).wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = 0
            if b"content-length: " in head:
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            path = head.split(b" ", 2)[1].decode()
            self._buffer = self._buffer[end + 4 + length :]
            Stub.arrivals.setdefault(path, time.perf_counter())
            if event := Stub.awaited.pop(path, None):
                event.set()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
            )


async def start_stub() -> tuple[asyncio.Server, int]:
    """Return a running stub and its port."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Put the seconds that the block took into the list it gives."""
    seconds: list[float] = []
    start = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - start)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(arguments: list[str], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Run Python with `arguments` until the block ends, once it listens on `port`."""
    server = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        await_listener(port)
        yield
    finally:
        server.terminate()
        server.wait(20)


def await_listener(port: int, patience_s: float = 20) -> None:
    """Return once something listens on a port."""
    deadline = time.perf_counter() + patience_s
    while time.perf_counter() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {patience_s} s")
