"""The running OnCue that commands talk to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from rich.console import Console

from oncue.core.errors import MalformedJson, Problem
from oncue.core.json_text import Json, encode_json, parse_json
from oncue.settings import Settings, load_settings

Found = TypeVar("Found")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
# Where `make up` keeps its data, seen from the checkout.
_CHECKOUT_DATA = Path(".oncue")


def print_failure(whose: str, message: str) -> None:
    """Print why a command failed; brackets in it are no styles."""
    err.print(f"{whose}: ", style="red", end="")
    err.print(message, markup=False)


class CommandError(Exception):
    """Why a command cannot do what it was asked for, for a person."""


class Refusal(CommandError):
    """What the server answered instead, with what it found wrong."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(_words(status, answer))
        errors = answer.get("errors") if isinstance(answer, dict) else None
        self.problems = [Problem(one["path"], one["message"]) for one in errors or ()]


@dataclass(frozen=True, slots=True)
class Address:
    """Where it listens, and a key."""

    url: str
    api_key: str


class Remote:
    """A session with the API."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, method: str, path: str, body: Json = None) -> Any:
        """
        Return the body of the answer.

        Raises:
            CommandError: the answer is a problem, whose words it repeats.
        """
        return _parsed(await self.content(method, path, body, "application/json"))

    async def content(self, method: str, path: str, body: Json, accept: str) -> bytes:
        """
        Return the body of the answer as it came, of a media type.

        Raises:
            CommandError: the answer is a problem, whose words it repeats.
        """
        data = None if body is None else encode_json(body)
        headers = {"Accept": accept, **({"Content-Type": "application/json"} if data else {})}
        async with self._session.request(method, path, data=data, headers=headers) as answer:
            content = await answer.read()
        if answer.status >= 400:
            raise Refusal(answer.status, _parsed(content))
        return content

    async def messages(
        self, path: str, query: Mapping[str, str] = {}, *, body: Json = None
    ) -> AsyncIterator[tuple[str, bytes]]:
        """
        Yield the kind and data of each Server-Sent Event, as long as there are some.

        An answer in JSON is one message, of the kind `answer`.

        Raises:
            CommandError: the answer is a problem, whose words it repeats.
        """
        # A quiet stream is no broken one.
        patience = aiohttp.ClientTimeout(total=None, sock_read=None)
        method, data = ("GET", None) if body is None else ("POST", encode_json(body))
        headers = {"Accept": "text/event-stream"}
        if data:
            headers["Content-Type"] = "application/json"
        async with self._session.request(
            method, path, params=query, data=data, headers=headers, timeout=patience
        ) as answer:
            if answer.status >= 400:
                raise Refusal(answer.status, _parsed(await answer.read()))
            if answer.content_type == "application/json":
                yield "answer", await answer.read()
                return
            fields: dict[bytes, bytes] = {}
            async for line in _lines(answer.content):
                name, _, value = line.strip().partition(b": ")
                if name:
                    fields[name] = value
                elif b"data" in fields:
                    yield fields.get(b"event", b"message").decode(), fields[b"data"]
                    fields = {}

    async def pages(self, path: str) -> list[Any]:
        """Return all rows of a list."""
        rows: list[Any] = []
        cursor = ""
        while True:
            page = await self.ask("GET", f"{path}?limit=500{cursor}")
            rows += page["data"]
            if page["next_cursor"] is None:
                return rows
            cursor = f"&cursor={page['next_cursor']}"


def talk(use: Callable[[Remote], Awaitable[Found]]) -> Found:
    """
    Return what `use` returns of a session with the running OnCue.

    Raises:
        CommandError: there is none, or it refuses.
    """
    address = find_address(load_settings({}))

    async def main() -> Found:
        headers = {"Authorization": f"Bearer {address.api_key}"}
        async with aiohttp.ClientSession(address.url, headers=headers) as session:
            try:
                return await use(Remote(session))
            except aiohttp.ClientConnectionError as exc:
                raise CommandError(
                    f"nobody answers at {address.url}: is `oncue up` running?"
                ) from exc

    return asyncio.run(main())


def delete_each(place: str, names: Iterable[str], *, is_forced: bool = False) -> None:
    """
    Delete what lies at a place under each of these names, and tell it.

    Raises:
        CommandError: there is none of that name, or something needs it.
    """

    async def delete_all(remote: Remote) -> None:
        for name in names:
            await remote.ask("DELETE", f"{place}/{name}{'?force=true' if is_forced else ''}")
            out.print(f"deleted {name}", markup=False)

    talk(delete_all)


def find_address(settings: Settings) -> Address:
    """
    Return what the settings name, or the OnCue that runs on this machine.

    Raises:
        CommandError: neither.
    """
    if settings.url and settings.api_key:
        return Address(settings.url, settings.api_key)
    for folder in (settings.data, _CHECKOUT_DATA):
        if (folder / "server.json").exists() and (folder / "admin-key").exists():
            server = parse_json((folder / "server.json").read_bytes())
            assert isinstance(server, dict)
            key = (folder / "admin-key").read_text().strip()
            return Address(settings.url or str(server["url"]), key)
    raise CommandError(
        "found no running OnCue: start `oncue up`, or set ONCUE_URL and ONCUE_API_KEY"
    )


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield lines, however long: those of the reader itself end at 128 KiB."""
    begun: list[bytes] = []
    async for chunk in content.iter_any():
        first, *more = chunk.split(b"\n")
        begun.append(first)
        for line in more:
            yield b"".join(begun)
            begun = [line]


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content) if content else None
    except MalformedJson:
        return content.decode("utf-8", "replace")


def _words(status: int, problem: Any) -> str:
    if not isinstance(problem, dict):
        return f"answered {status}: {problem}"
    errors = problem.get("errors") or []
    lines = [f"{e['path']}: {e['message']}" if e["path"] else e["message"] for e in errors]
    return "\n".join(lines) or f"{problem.get('title')}: {problem.get('detail')}"
