"""The outgoing client against real servers on the loopback."""

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from oncue.core.action import HttpAnswer, HttpRequest
from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.outgoing.client import MAX_ANSWER_BYTES, OutgoingClient

Use = Callable[[OutgoingClient, int], Awaitable[Any]]
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _serve(answer: Answer, use: Use, **options: Any) -> Any:
    """Return what `use` returns of a client that may reach the port of a server, and no other."""

    async def main() -> Any:
        server = web.Server(answer, handler_cancellation=True)
        runner = web.ServerRunner(server)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        endpoints = frozenset({("127.0.0.1", port)})
        async with OutgoingClient(allowed_endpoints=endpoints, **options) as client:
            try:
                return await use(client, port)
            finally:
                await runner.cleanup()

    return asyncio.run(main())


def _failure(answer: Answer, request: Callable[[int], HttpRequest]) -> ActionError:
    async def use(client: OutgoingClient, port: int) -> None:
        await client.send(request(port))

    with pytest.raises(ActionError) as caught:
        _serve(answer, use)
    return caught.value


def _get(port: int, path: str = "/") -> HttpRequest:
    return HttpRequest("GET", f"http://127.0.0.1:{port}{path}")


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    body = await request.read()
    return web.Response(body=body, headers={"X-Key": request.headers.get("Idempotency-Key", "")})


def test_what_is_sent_arrives_and_what_comes_back_is_returned() -> None:
    async def use(client: OutgoingClient, port: int) -> HttpAnswer:
        url = f"http://127.0.0.1:{port}/a?b=c"
        return await client.send(HttpRequest("POST", url, {"Idempotency-Key": "k"}, b"hello"))

    answer = _serve(_echo, use)

    assert (answer.status, answer.body, answer.headers["x-key"]) == (200, b"hello", "k")


def test_an_error_status_is_an_answer() -> None:
    async def gone(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=410)

    async def use(client: OutgoingClient, port: int) -> int:
        return (await client.send(_get(port))).status

    assert _serve(gone, use) == 410


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://2130706433/",
        "http://0x7f.1:9/",
        "http://169.254.169.254/latest/meta-data",
        "http://user:password@127.0.0.1:9/",
    ],
)
def test_a_private_address_is_refused_whatever_its_spelling(url: str) -> None:
    async def use(client: OutgoingClient, _: int) -> None:
        await client.send(HttpRequest("GET", url))

    with pytest.raises((PermanentError, RetryableError)) as caught:
        _serve(_echo, use)

    # A resolver may not know the odd spellings at all; then nothing was connected to either.
    said = str(caught.value)
    assert any(part in said for part in ("not a public address", "cannot connect", "no valid"))
    assert "password" not in said


class _Resolver(AbstractResolver):
    """Resolves every name to one address."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=self._host, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


class _Rebinding(_Resolver):
    """Resolves a name to a good address first, and to a bad one from then on."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        self._host = "169.254.169.254"
        return found


def test_a_name_that_is_bound_anew_is_refused_the_second_time() -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(headers={"Connection": "close"})

    async def use(client: OutgoingClient, port: int) -> None:
        assert (await client.send(HttpRequest("GET", f"http://one.example:{port}/"))).status == 200
        # The same name under another port is looked up anew.
        await client.send(HttpRequest("GET", "http://one.example:80/"))

    with pytest.raises(PermanentError, match=r"169\.254\.169\.254:80, which is not a public"):
        _serve(answer, use, resolver=_Rebinding())


def test_what_stands_in_a_url_ends_no_line() -> None:
    seen: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.path_qs)
        return web.Response()

    async def use(client: OutgoingClient, port: int) -> None:
        url = f"http://127.0.0.1:{port}/a\r\nX-Evil: 1?b=\r\n\r\nGET /c"
        await client.send(HttpRequest("GET", url))

    with suppress(PermanentError):
        _serve(answer, use)
    assert all("\n" not in path and "\r" not in path for path in seen)
    assert len(seen) <= 1


def test_a_public_name_with_a_private_address_is_refused() -> None:
    async def use(client: OutgoingClient, _: int) -> None:
        await client.send(HttpRequest("GET", "http://innocent.example/"))

    with pytest.raises(PermanentError, match=r"leads to 127\.0\.0\.1:80, which is not a public"):
        _serve(_echo, use, resolver=_Resolver("127.0.0.1"))


def test_a_redirect_to_a_private_address_is_refused() -> None:
    async def astray(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})

    error = _failure(astray, _get)

    assert isinstance(error, PermanentError)
    assert "169.254.169.254" in str(error)


def test_redirects_end() -> None:
    async def around(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/"})

    assert isinstance(_failure(around, _get), PermanentError)


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.headers.get("Host"), request.headers.get("Authorization")))
        if request.path == "/away":
            port = request.url.port
            return web.Response(status=302, headers={"Location": f"http://other.example:{port}/"})
        return web.Response()

    async def use(client: OutgoingClient, port: int) -> None:
        url = f"http://first.example:{port}/away"
        await client.send(HttpRequest("GET", url, {"Authorization": "Bearer secret"}))

    _serve(answer, use, resolver=_Resolver("127.0.0.1"))

    assert [authorization for _, authorization in seen] == ["Bearer secret", None]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (HttpRequest("GET", "ftp://example.com/"), "the scheme 'ftp'"),
        (HttpRequest("GET", "example.com"), "http or https URL"),
        (HttpRequest("GET", "http:///x"), "http or https URL"),
        (HttpRequest("GET", "http://example.com:99999/"), "http or https URL"),
        (HttpRequest("G ET", "http://example.com/"), "HTTP method"),
        (HttpRequest("GET", "http://example.com/", {"X y": "1"}), "name of a header"),
        (HttpRequest("GET", "http://example.com/", {"X": "1\r\nEvil: 2"}), "one line"),
        (HttpRequest("GET", "http://example.com/", {"X": "1\0"}), "one line"),
        (HttpRequest("GET", "http://example.com/", {"X\n": "1"}), "name of a header"),
        (HttpRequest("GET\r\n", "http://example.com/"), "HTTP method"),
        (HttpRequest("connect", "http://example.com/"), "HTTP method"),
        *(
            (HttpRequest("POST", "http://example.com/", {name: "1"}), f"no header {name}")
            for name in ("Content-Length", "transfer-encoding", "Connection", "TE", "Upgrade")
        ),
    ],
)
def test_what_cannot_be_sent_is_refused(request_: HttpRequest, message: str) -> None:
    error = _failure(_echo, lambda _: request_)

    assert isinstance(error, PermanentError)
    assert message in str(error)


def test_no_connection_means_that_nothing_was_sent() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        async with OutgoingClient(allowed_networks=(ip_network("127.0.0.0/8"),)) as client:
            await client.send(_get(port))

    with pytest.raises(RetryableError, match="cannot connect"):
        asyncio.run(main())


def test_a_connection_that_ends_without_an_answer_leaves_the_outcome_unknown() -> None:
    async def drop(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    error = _failure(drop, lambda port: HttpRequest("POST", f"http://127.0.0.1:{port}/hook?s=1"))

    assert isinstance(error, OutcomeUnknown)
    assert "hook" not in str(error)


def test_no_answer_in_time_leaves_the_outcome_unknown() -> None:
    async def silent(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    error = _failure(
        silent, lambda port: HttpRequest("GET", f"http://127.0.0.1:{port}/", timeout_ms=50)
    )

    assert isinstance(error, OutcomeUnknown)


def test_a_large_answer_is_refused_while_it_unfolds() -> None:
    async def bomb(_: web.BaseRequest) -> web.StreamResponse:
        body = gzip.compress(b"0" * (MAX_ANSWER_BYTES + 1))
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    assert "larger than" in str(_failure(bomb, _get))
