"""Greeting a mail server: let in or not, and nothing is sent."""

import asyncio
from ipaddress import ip_network

import pytest

from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError
from oncue.core.mail import Mail
from oncue.outgoing.guard import Guard
from oncue.outgoing.smtp import SmtpClient
from oncue.testing.vendors import Slow, SmtpSimulator

LOOPBACK = Guard((ip_network("127.0.0.0/8"),), frozenset())


def test_whoever_is_let_in_sends_nothing() -> None:
    async def main() -> None:
        async with SmtpSimulator() as server:
            await SmtpClient(LOOPBACK).greet(server.url)
            assert server.effects == []

    asyncio.run(main())


def test_a_wrong_password_is_told() -> None:
    async def main() -> None:
        async with SmtpSimulator() as server:
            url = server.url.replace(server.password, "wrong-password")
            with pytest.raises(PermanentError, match="answered 5") as refused:
                await SmtpClient(LOOPBACK).greet(url)
            assert "wrong-password" not in str(refused.value)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("guard", "url"),
    [
        (Guard((), frozenset()), None),
        (LOOPBACK, "smtp://127.0.0.1:1"),
        (LOOPBACK, "http://127.0.0.1"),
    ],
)
def test_where_no_server_may_be_reached_that_is_told(guard: Guard, url: str | None) -> None:
    async def main() -> None:
        async with SmtpSimulator() as server:
            with pytest.raises(ActionError):
                await SmtpClient(guard).greet(url or server.url)

    asyncio.run(main())


def test_an_answer_that_is_too_late_leaves_the_outcome_unknown() -> None:
    mail = Mail(
        "a@example.com", ("b@example.com",), b"Subject: Hi\r\n\r\nHello\r\n", timeout_ms=500
    )

    async def main() -> int:
        async with SmtpSimulator() as server:
            server.answer_next(Slow(60_000))
            with pytest.raises(OutcomeUnknown, match="whether the e-mail was taken"):
                await SmtpClient(LOOPBACK).deliver(server.url, mail)
            return len(server.effects)

    assert asyncio.run(main()) == 1
