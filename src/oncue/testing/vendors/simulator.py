"""What all simulated vendors have in common: a server, a memory, and answers on order."""

import asyncio
import re
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json

# Credentials are shown by their first characters only.
_SECRET = re.compile(r"((?:Bearer |Basic |/services/\w+/\w+/)\w{0,4})[\w.+/=-]*")
_BARE_KEY = re.compile(r"^(\S{0,4})\S*$")


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """A request as it came; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Json:
        """The content as JSON, or as text where it is none."""
        try:
            return parse_json(self.content)
        except MalformedJson:
            return self.content.decode("utf-8", "replace")

    @property
    def form(self) -> dict[str, str]:
        """The content as the fields of a form; of a repeated one the first."""
        found = parse_qs(self.content.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL."""
        found = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    @property
    def idempotency_key(self) -> str | None:
        """What the header of that name says."""
        return self.headers.get("idempotency-key")


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer given without doing anything."""

    status: int
    body: Json | bytes = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Lost(Enum):
    """The connection ends without an answer."""

    BEFORE = "before"
    AFTER = "after"


DROP: Final = Lost.BEFORE
"""Nothing is done, and the connection ends."""
LOSE_ANSWER: Final = Lost.AFTER
"""What was asked is done, and the connection ends before the answer."""


class Held:
    """An answer that waits: `await arrived()`, look, then `release()`."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()

    async def arrived(self) -> None:
        """Return when the request is there."""
        await self._arrived.wait()

    def release(self) -> None:
        """Let the request be carried out and answered."""
        self._released.set()

    async def hold(self) -> None:
        """Return when released."""
        self._arrived.set()
        await self._released.wait()


OnOrder: TypeAlias = Fixed | Lost | Held | None
"""None: as usual."""


class Simulator(ABC):
    """
    One simulated vendor on a free port of the loopback.

    `origin` is where the vendor is when it is real.
    """

    origin: str = ""

    def __init__(self) -> None:
        self.calls: list[ReceivedCall] = []
        self.effects: list[dict[str, Json]] = []
        self.base_url = ""
        self._on_order: deque[OnOrder] = deque()
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        server = web.Server(self._receive, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        await web.SockSite(self._runner, listener).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    def answer_next(self, *answers: OnOrder) -> None:
        """Treat the next calls so, each once; those after them as usual."""
        self._on_order.extend(answers)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings with which OnCue takes it for the vendor."""
        return {}

    @abstractmethod
    def answer(self, call: ReceivedCall) -> Fixed:
        """Do what `call` asks for, as the vendor would, and return its answer."""

    def _order(self, content: bytes) -> Fixed:
        try:
            answers = _all_ordered(parse_json(content))
        except (MalformedJson, ValueError) as exc:
            return Fixed(400, {"error": str(exc)})
        self.answer_next(*answers)
        return Fixed(200, {"ordered": len(answers)})

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/_calls":
            return _response(Fixed(200, [_shown(call) for call in self.calls]))
        if request.path == "/_answers":
            return _response(self._order(await request.read()))
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = ReceivedCall(request.method, request.path_qs, headers, await request.read())
        self.calls.append(call)
        ordered = self._on_order.popleft() if self._on_order else None
        if isinstance(ordered, Fixed):
            return _response(ordered)
        if isinstance(ordered, Held):
            await ordered.hold()
        if ordered is not DROP:
            answer = self.answer(call)
        if isinstance(ordered, Lost):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return _response(answer)


def _all_ordered(documents: Json) -> list[OnOrder]:
    match documents:
        case [*those]:
            return [_ordered(one) for one in those]
        case other:
            raise ValueError(f"expected a list of answers, got {other!r}")


def _ordered(document: Json) -> OnOrder:
    if document is None:
        return None
    if not isinstance(document, Mapping):
        raise ValueError(f"expected an answer such as {{'status': 429}}, got {document!r}")  # noqa: TRY004 it is data
    match document.get("status"), document.get("headers", {}), document.get("lost"):
        case None, _, "before" | "after" as moment:
            return Lost(moment)
        case int(status), Mapping() as headers, None:
            named = {name: str(value) for name, value in headers.items()}
            return Fixed(status, document.get("body", ""), named)
        case _:
            raise ValueError(f"expected a status or what is lost, got {document!r}")


def _response(answer: Fixed) -> web.Response:
    if isinstance(answer.body, str):
        return web.Response(status=answer.status, text=answer.body, headers=dict(answer.headers))
    if isinstance(answer.body, bytes):
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
    return web.Response(
        status=answer.status,
        body=encode_json(answer.body),
        content_type="application/json",
        headers=dict(answer.headers),
    )


def _shown(call: ReceivedCall) -> Json:
    headers = {name: _SECRET.sub(r"\1…", value) for name, value in call.headers.items()}
    if key := headers.get("authorization"):
        headers["authorization"] = _BARE_KEY.sub(r"\1…", key)
    shown: Json = {
        "method": call.method,
        "path": _SECRET.sub(r"\1…", call.path),
        "headers": {**headers},
        "body": call.body,
    }
    return shown
