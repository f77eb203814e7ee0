"""The HTTP API on a free port of the loopback, over an engine on the virtual clock."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import aiohttp
import uvicorn

from oncue.actions.library import ActionLibrary
from oncue.ports import ApiKey
from oncue.web.api import create_app
from oncue.web.auth import hash_key
from oncue.web.context import Limits
from tests.installation import ACCOUNT, Installed, installed

KEY = "key-of-the-test-account"
READER = "key-that-may-only-read"


@dataclass(frozen=True)
class Answer:
    """What the server said; `body` is parsed if it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Served:
    """A running server, and what is behind it."""

    world: Installed
    session: aiohttp.ClientSession

    async def request(
        self, method: str, path: str, *, key: str | None = KEY, data: bytes | IO[bytes] | None = None, **options: Any
    ) -> Answer:  # fmt: skip
        headers = options.pop("headers", {})
        if key is not None:
            headers = {"Authorization": f"Bearer {key}", **headers}
        if isinstance(data, bytes):
            headers = {"Content-Type": "application/json", **headers}
        async with self.session.request(
            method, path, headers=headers, data=data, **options
        ) as answer:
            media_type = answer.headers.get("Content-Type", "")
            is_json = "json" in media_type and "ndjson" not in media_type
            body = await answer.json(content_type=None) if is_json else await answer.text()
            return Answer(answer.status, dict(answer.headers), body)


class _QuietServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(
    folder: Path,
    limits: Limits | None = None,
    vendors: ActionLibrary | None = None,
    **options: Any,
) -> AsyncIterator[Served]:
    """Serve until the block ends; `options` are those of `installed`."""
    async with installed(folder, vendors=vendors, **options) as world:
        for key, scope in ((KEY, "operator"), (READER, "read")):
            await world.parts.accounts.put_api_key(
                ACCOUNT, ApiKey(f"key_{scope}", ACCOUNT, hash_key(key), frozenset((scope,)), 0)
            )
        app = create_app(world.engine, world.parts, limits)
        listener = socket.create_server(("127.0.0.1", 0))
        server = _QuietServer(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        port = listener.getsockname()[1]
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                yield Served(world, session)
        finally:
            server.should_exit = True
            await serving


def serve(
    folder: Path, use: Callable[[Served], Awaitable[Any]], limits: Limits | None = None
) -> Any:
    """Return what `use` returns of a server that runs as long."""

    async def main() -> Any:
        async with served(folder, limits) as server:
            return await use(server)

    return asyncio.run(main())
