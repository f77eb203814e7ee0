"""
The one HTTP client for everything that leaves the machine.

What it raises says what is known: nothing was sent, or something was and no
whole answer came. Its messages name the place but never the path or query of
a URL, which may be secret (a Slack webhook is nothing but its path).
"""

import asyncio
import re
import socket
from collections.abc import Collection
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from oncue.core.action import HttpAnswer, HttpRequest
from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.outgoing.guard import Guard, Network
from oncue.outgoing.redirects import redirected

MAX_ANSWER_BYTES = 5 << 20
MAX_REDIRECTS = 5
CONNECT_TIMEOUT_S = 10
_CHUNK = 64 << 10
# The time for the whole is measured around all redirects together.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)
# RFC 9110 §5.5: what a field value may hold; no CR, LF or NUL.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
# RFC 9110 §7.6.1, RFC 9112 §6: they say where a request ends. Connections are shared, so
# whoever could say that of his own request could put a second one before somebody else's.
_FRAMING = frozenset(
    (
        *("connection", "content-length", "expect", "keep-alive", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    )
)


class _RefusedError(OSError):
    """The guard said no to the address that was about to be connected to."""


class OutgoingClient:
    """Sends requests to public addresses, and to what the guard was told to allow."""

    def __init__(
        self,
        *,
        allowed_networks: tuple[Network, ...] = (),
        allowed_endpoints: Collection[tuple[str, int]] = frozenset(),
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.guard = Guard(allowed_networks, allowed_endpoints)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            socket_factory=self._socket, resolver=self._resolver, limit=0, limit_per_host=0
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
            headers={"User-Agent": "OnCue"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """
        Return the answer, whatever its status.

        Raises:
            PermanentError: the request cannot be sent anywhere.
            RetryableError: nothing was sent.
            OutcomeUnknown: it was sent, and no whole answer came.
        """
        url = _checked_url(request)
        _check_headers(request)
        place = f"{url.scheme}://{url.host}:{url.port}"
        try:
            async with asyncio.timeout(request.timeout_ms / 1_000):
                return await self._follow(request, url)
        except _RefusedError as exc:
            raise PermanentError(f"{place} leads to {exc}, which is not a public address") from exc
        except aiohttp.ClientConnectorError as exc:
            if isinstance(exc.os_error, _RefusedError):
                refused = f"{place} leads to {exc.os_error}, which is not a public address"
                raise PermanentError(refused) from exc
            raise RetryableError(f"cannot connect to {place}: {exc.os_error}") from exc
        except aiohttp.ConnectionTimeoutError as exc:
            raise RetryableError(f"cannot connect to {place} in {CONNECT_TIMEOUT_S} s") from exc
        except aiohttp.InvalidURL as exc:
            raise PermanentError(f"{place} is, or redirects to, no valid address") from exc
        except TimeoutError as exc:
            raise OutcomeUnknown(f"no answer from {place} in {request.timeout_ms} ms") from exc
        except aiohttp.ClientError as exc:
            raise OutcomeUnknown(f"no whole answer from {place}: {type(exc).__name__}") from exc

    async def _follow(self, request: HttpRequest, url: URL) -> HttpAnswer:
        place = url.origin()
        for _ in range(MAX_REDIRECTS + 1):
            reached = await self._exchange(request, url)
            if isinstance(reached, HttpAnswer):
                return reached
            request, url = reached, URL(reached.url, encoded=reached.is_encoded)
        raise PermanentError(f"{place} redirects more than {MAX_REDIRECTS} times")

    async def _exchange(self, request: HttpRequest, url: URL) -> HttpAnswer | HttpRequest:
        """Return the answer, or the request that it sends us on to."""
        assert self._session is not None
        async with self._session.request(
            request.method,
            url,
            headers=request.headers,
            data=request.body,
            timeout=_TIMEOUT,
            allow_redirects=False,
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if there := redirected(request, answer.status, headers):
                # Whatever else it says may be without an end.
                answer.close()
                return there
            body = bytearray()
            # By chunks after decompression, so that a bomb is noticed while it unfolds.
            async for chunk in answer.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    answer.close()
                    raise PermanentError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            return HttpAnswer(answer.status, headers, bytes(body))

    def _socket(self, info: tuple[object, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        assert isinstance(address, tuple)
        host, port = address[:2]
        if not self.guard.allows(host, port):
            raise _RefusedError(f"{host}:{port}")
        return socket.socket(family, kind, protocol)  # type: ignore[arg-type] # as aiohttp says


def _checked_url(request: HttpRequest) -> URL:
    try:
        url = URL(request.url, encoded=request.is_encoded)
        is_complete = url.scheme in ("http", "https") and bool(url.host) and bool(url.port)
    except (ValueError, UnicodeError) as exc:
        raise PermanentError("expected an http or https URL, got something else") from exc
    if not is_complete:
        raise PermanentError(f"expected an http or https URL, got the scheme {url.scheme!r}")
    return url


def _check_headers(request: HttpRequest) -> None:
    # CONNECT makes something else than requests of a connection.
    if not _HEADER_NAME.fullmatch(request.method) or request.method.upper() == "CONNECT":
        raise PermanentError(f"expected an HTTP method, got {request.method!r}")
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise PermanentError(f"expected the name of a header, got {name!r}")
        if name.lower() in _FRAMING:
            raise PermanentError(f"expected no header {name}, which is the connection's own")
        if not _HEADER_VALUE.fullmatch(value):
            raise PermanentError(f"expected one line in the header {name}, got control characters")
