"""Servers that never end, or swell: nothing of them costs more than its limit."""

import asyncio
import tracemalloc
import zlib

import pytest

from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError
from tests.outgoing.serving import Talk, asked, saying

OK = b"HTTP/1.1 200 OK\r\n"
SWOLLEN = 256 << 20
SHORT_MS = 200


def _swelling(encoding: str, window_bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(SWOLLEN >> 20))
    body += packer.flush()
    return (
        OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


@pytest.mark.parametrize(
    ("encoding", "window_bits"), [("gzip", zlib.MAX_WBITS | 16), ("deflate", zlib.MAX_WBITS)]
)
def test_what_swells_is_let_go_before_it_is_large(encoding: str, window_bits: int) -> None:
    swelling = _swelling(encoding, window_bits)
    tracemalloc.start()
    try:
        error = asked(saying(swelling))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(error, PermanentError)
    assert "larger than" in str(error)
    assert peak < SWOLLEN / 4


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", id="no gzip"),
        pytest.param(b"Content-Length: 99\r\n\r\nhello", id="cut off"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="no chunk"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", id="both"
        ),
    ],
)
def test_half_an_answer_is_none(body: bytes) -> None:
    assert isinstance(asked(saying(OK, body)), OutcomeUnknown)


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        pytest.param(saying(OK, b"X: ", for_ever=b"a" * 10_000), OutcomeUnknown, id="a header"),
        pytest.param(saying(OK, for_ever=b"X: y\r\n" * 1_000), OutcomeUnknown, id="headers"),
        pytest.param(
            saying(for_ever=b"HTTP/1.1 100 Continue\r\n\r\n" * 100), OutcomeUnknown, id="continue"
        ),
        pytest.param(saying(OK, b"\r\n", for_ever=b"x" * 10_000), PermanentError, id="a body"),
        pytest.param(saying(OK), OutcomeUnknown, id="half a head"),
    ],
)
def test_what_never_ends_is_ended(talk: Talk, error: type[ActionError]) -> None:
    assert isinstance(asked(talk, SHORT_MS if error is OutcomeUnknown else 5_000), error)


def test_time_is_measured_over_all_redirects() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readuntil(b"\r\n\r\n")
        if first.startswith(b"GET / "):
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        # Says nothing until the other side goes.
        await reader.read()

    error = asked(talk, SHORT_MS)

    assert isinstance(error, OutcomeUnknown)
    assert f"in {SHORT_MS} ms" in str(error)
