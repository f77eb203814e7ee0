"""What all simulated vendors have in common: a server, a memory, and answers on order."""

import asyncio
import re
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from oncue.core.errors import InvalidInput, MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json
from oncue.ports import Clock
from oncue.system import SystemClock
from oncue.testing.vendors.orders import (
    DROP,
    Faults,
    Fixed,
    Held,
    Lost,
    OnOrder,
    Refused,
    Slow,
    parse_faults,
    parse_orders,
)

_OWN_PATHS: Final = ("/_calls", "/_answers", "/_faults")

# Credentials are shown by their first characters only.
_SECRET = re.compile(
    r"((?:Bearer |Basic |/services/\w+/\w+/|client_secret=|refresh_token=)\w{0,4})[\w.+/=%-]*"
)
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


class Simulator(ABC):
    """
    One simulated vendor on a free port of the loopback.

    `origin` is where the vendor is when it is real. `answers` are those that are
    its own, not those that were ordered word for word.
    """

    origin: str = ""

    def __init__(self) -> None:
        self.calls: list[ReceivedCall] = []
        self.effects: list[dict[str, Json]] = []
        self.base_url = ""
        self.answers: list[tuple[ReceivedCall, Fixed]] = []
        self.faults: Faults | None = None
        self.clock: Clock = SystemClock()
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
        """Treat the next calls so, each once; those after them as usual, or as `faults` has it."""
        self._on_order.extend(answers)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings with which OnCue takes it for the vendor."""
        return {}

    @property
    def allowance(self) -> Mapping[str, str]:
        """The headers with which the vendor says how much may still be asked."""
        return {}

    @abstractmethod
    def answer(self, call: ReceivedCall) -> Fixed:
        """Do what `call` asks for, as the vendor would, and return its answer."""

    def refuse(self, refused: Refused) -> Fixed:
        """Return how the vendor says no to the last of `calls`."""
        return Fixed(refused.status, refused.status.phrase)

    def _told(self, path: str, content: bytes) -> Fixed:
        """Return the answer to somebody who looks, or who orders answers."""
        try:
            match path:
                case "/_answers":
                    orders = parse_orders(parse_json(content))
                    self.answer_next(*orders)
                    return Fixed(200, {"ordered": len(orders)})
                case "/_faults":
                    self.faults = parse_faults(parse_json(content))
                    return Fixed(200, {"rate": self.faults.rate})
                case _:
                    return Fixed(200, [_shown(call) for call in self.calls])
        except InvalidInput as exc:
            problems: list[Json] = [{"path": p.path, "message": p.message} for p in exc.problems]
            return Fixed(422, {"errors": problems})
        except MalformedJson as exc:
            return Fixed(400, {"error": str(exc)})

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path in _OWN_PATHS:
            return _response(self._told(request.path, await request.read()))
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = ReceivedCall(request.method, request.path_qs, headers, await request.read())
        self.calls.append(call)
        ordered = self._on_order.popleft() if self._on_order else self._drawn()
        if isinstance(ordered, Held):
            await ordered.hold()
        answer = self._answer(call, ordered)
        if not isinstance(ordered, Fixed) and ordered is not DROP:
            self.answers.append((call, answer))
        if isinstance(ordered, Slow):
            await asyncio.sleep(ordered.duration_ms / 1_000)
        if isinstance(ordered, Lost):
            assert request.transport is not None
            request.transport.abort()
        return _response(answer)

    def _drawn(self) -> OnOrder:
        return self.faults.draw() if self.faults else None

    def _answer(self, call: ReceivedCall, ordered: OnOrder) -> Fixed:
        match ordered:
            case Fixed():
                return ordered
            case Refused():
                return self.refuse(ordered)
            case Lost.BEFORE:
                return Fixed(500)
            case _:
                answer = self.answer(call)
                return replace(answer, headers={**self.allowance, **answer.headers})


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
    body = call.body
    shown: Json = {
        "method": call.method,
        "path": _SECRET.sub(r"\1…", call.path),
        "headers": {**headers},
        "body": _SECRET.sub(r"\1…", body) if isinstance(body, str) else body,
    }
    return shown
