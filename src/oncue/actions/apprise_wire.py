"""
Apprise, made to speak through us.

Its plugins are written for `requests`, which knows nothing of our address guard.
In their modules `requests` is replaced by one whose every request is sent by the
client that all actions send with: addresses are checked after resolution and on
each redirect, and dry runs and tests stand in for it. Nothing else of the world
is left to them: attachments, which may be files or URLs, are not there, and
`open` refuses.

A plugin waits for its answers, so it runs in a thread; the loop that asked sends.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from threading import Lock
from types import SimpleNamespace
from typing import Any, Final, NoReturn

from oncue.core.action import HttpAnswer, HttpRequest, Send
from oncue.core.errors import PermanentError

MAX_REQUESTS: Final = 50
"""What one notification may send: one request for each of its targets, most often."""
_PATIENCE_MS: Final = 30_000
# Threads of its own: those of the event loop look names up, which the answers wait for.
_THREADS: Final = 16
# What `requests` would set or choose; aiohttp does.
_OF_THE_WIRE: Final = frozenset(("content-length", "host", "transfer-encoding"))


@dataclass(slots=True)
class Exchange:
    """The requests of one notification: what was answered, and what ended it."""

    send: Send
    loop: asyncio.AbstractEventLoop
    answers: list[HttpAnswer] = field(default_factory=list)
    error: BaseException | None = None
    is_closed: bool = False
    _sending: "Future[HttpAnswer] | None" = None

    def ask(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer; nothing where there is none, and from then on none is asked for."""
        if len(self.answers) >= MAX_REQUESTS and not self.error:
            self.error = PermanentError(f"expected at most {MAX_REQUESTS} requests, got more")
        if self.error or self.is_closed:
            return None
        self._sending = asyncio.run_coroutine_threadsafe(_sent(self.send, request), self.loop)
        if self.is_closed:
            # Closed by the loop while this thread was about to ask.
            self._sending.cancel()
        try:
            self.error = self._sending.exception()
        except CancelledError:
            self.is_closed = True
        if self.error or self.is_closed:
            return None
        self.answers.append(self._sending.result())
        return self.answers[-1]

    def close(self) -> None:
        """Ask for nothing more."""
        self.is_closed = True
        if self._sending:
            self._sending.cancel()


async def _sent(send: Send, request: HttpRequest) -> HttpAnswer:
    return await send(request)


_CURRENT: ContextVar[Exchange] = ContextVar("exchange")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "apprise")


async def in_thread(exchange: Exchange, work: Callable[[], object]) -> object:
    """Return what `work` gives or raises, in a thread whose requests are those of `exchange`."""

    def run() -> object:
        token = _CURRENT.set(exchange)
        try:
            return work()
        finally:
            _CURRENT.reset(token)

    working = exchange.loop.run_in_executor(_threads(), run)
    try:
        (found,) = await asyncio.gather(working, return_exceptions=True)
    finally:
        exchange.close()
    return found


_loading: Final = Lock()


def apprise() -> Any:
    """Return Apprise, all of its plugins loaded and bound to our way out."""
    # Two at once could meet plugins that are loaded and not bound yet.
    with _loading:
        return _bound()


@cache
def _bound() -> Any:
    import requests
    from apprise import Apprise, AppriseAsset
    from apprise.manager_plugins import NotificationManager

    # What it logs holds pieces of URLs, which are secrets.
    logging.getLogger("apprise").disabled = True
    plugins: Any = NotificationManager()  # type: ignore[no-untyped-call] # Apprise has no types there
    plugins.schemas()
    asset = AppriseAsset(secure_logging=True, async_mode=False)
    ours = _requests(requests)
    for name, module in [*sys.modules.items()]:
        if name == "apprise" or name.startswith("apprise."):
            if getattr(module, "requests", None) is requests:
                setattr(module, "requests", ours)  # noqa: B010 no module declares it
            if name.startswith("apprise.plugins"):
                setattr(module, "open", _refuse)  # noqa: B010 no module declares it
                if hasattr(module, "AppriseAttachment"):
                    setattr(module, "AppriseAttachment", _NoAttachment)  # noqa: B010 as above

    def is_bound(plugin: object) -> bool:
        return getattr(sys.modules[type(plugin).__module__], "requests", None) is ours

    return SimpleNamespace(
        instantiate=partial(Apprise.instantiate, asset=asset), is_bound=is_bound, plugins=plugins
    )


class _NoAttachment:
    """Attachments, of which there are none."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def add(self, *_: object, **__: object) -> bool:
        """Add nothing."""
        return False


def _refuse(*_: object, **__: object) -> NoReturn:
    raise OSError("no files here")


def _requests(library: Any) -> Any:
    """Return what stands for the library `requests`: the same, with another way out."""

    def request(method: str, url: str, **options: Any) -> Any:
        content = {name: value for name, value in options.items() if name in _CONTENT}
        prepared = library.Request(method, url, **content).prepare()
        exchange = _CURRENT.get(None)
        answer = exchange.ask(_request_of(prepared)) if exchange else None
        if answer is None:
            raise library.ConnectionError("not sent")
        return _response_of(library, prepared, answer)

    verbs = {
        verb: partial(request, verb.upper())
        for verb in ("get", "post", "put", "patch", "delete", "head", "options")
    }
    return SimpleNamespace(
        **{**vars(library), "Session": _refuse, "session": _refuse, "request": request, **verbs}
    )


_CONTENT: Final = frozenset(("params", "data", "json", "headers", "files", "auth", "cookies"))


def _request_of(prepared: Any) -> HttpRequest:
    body = prepared.body
    headers = {_text(name): _text(value) for name, value in prepared.headers.items()}
    return HttpRequest(
        method=prepared.method,
        url=prepared.url,
        headers={k: v for k, v in headers.items() if k.lower() not in _OF_THE_WIRE},
        body=body.encode() if isinstance(body, str) else body,
        timeout_ms=_PATIENCE_MS,
        is_encoded=True,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _response_of(library: Any, prepared: Any, answer: HttpAnswer) -> Any:
    response = library.Response()
    response.status_code = answer.status
    response.headers = library.structures.CaseInsensitiveDict(_unpacked(answer.headers))
    response.encoding = library.utils.get_encoding_from_headers(response.headers)
    response.url = prepared.url
    response.request = prepared
    response._content = answer.body
    return response


def _unpacked(headers: Mapping[str, str]) -> dict[str, str]:
    # The body is decompressed already.
    return {name: value for name, value in headers.items() if name != "content-encoding"}
