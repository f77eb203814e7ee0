"""
A mail server, as far as taking e-mails goes (RFC 5321, AUTH PLAIN of RFC 4954).

It knows no encryption, so a client has to be told that none is needed.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from oncue.testing.vendors.orders import DROP, LOSE_ANSWER, Lost, Slow

_READY: Final = "220 simulated.example ESMTP"
_DONE: Final = "250 2.0.0 Ok"


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """An e-mail as it came."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code and a text in answer to one command: MAIL, RCPT, DATA, or CONTENT after it."""

    command: str
    answer: str


class SmtpSimulator:
    """Takes e-mails of one user."""

    user: Final = "oncue"
    password: Final = "simulated-password"

    def __init__(self) -> None:
        self.effects: list[ReceivedMail] = []
        self._on_order: deque[Refusal | Lost | Slow] = deque()
        self._server: asyncio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it is, with its user."""
        return f"smtp://{self.user}:{self.password}@127.0.0.1:{self._port}?tls=none"

    @property
    def settings(self) -> Mapping[str, str]:
        """The server, and a sender."""
        return {"ONCUE_SMTP_URL": self.url, "ONCUE_EMAIL_FROM": "us@example.com"}

    def answer_next(self, *answers: Refusal | Lost | Slow) -> None:
        """Treat the next e-mails so, each once."""
        self._on_order.extend(answers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, reader, writer)
        try:
            await session.converse(self._on_order.popleft() if self._on_order else None)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def knows(self, response: str) -> bool:
        """Return whether an answer to AUTH PLAIN is the user's."""
        return response == base64.b64encode(f"\0{self.user}\0{self.password}".encode()).decode()


class _Session:
    def __init__(
        self, server: SmtpSimulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader, self._writer = reader, writer
        self._is_known = False
        self._sender = ""
        self._recipients: list[str] = []

    async def converse(self, ordered: Refusal | Lost | Slow | None) -> None:
        refused = ordered if isinstance(ordered, Refusal) else Refusal("", "")
        await self._say(_READY)
        while line := (await self._reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb == refused.command:
                await self._say(refused.answer)
            elif verb == "DATA":
                await self._take(ordered, refused)
            elif verb == "QUIT":
                await self._say("221 2.0.0 Bye")
                return
            else:
                await self._say(self._answer(verb, rest))
            if self._writer.is_closing():
                return

    def _answer(self, verb: str, rest: str) -> str:
        match verb:
            case "EHLO":
                return "250-simulated.example\r\n250-AUTH PLAIN\r\n250 8BITMIME"
            case "AUTH":
                self._is_known = self._server.knows(rest.removeprefix("PLAIN").strip())
                return "235 2.7.0 Ok" if self._is_known else "535 5.7.8 Authentication failed"
            case "MAIL" if not self._is_known:
                return "530 5.7.0 Authentication required"
            case "MAIL":
                self._sender = _between(rest)
                return _DONE
            case "RCPT":
                self._recipients.append(_between(rest))
                return _DONE
            case "RSET" | "NOOP":
                return _DONE
            case _:
                return "502 5.5.1 Command not implemented"

    async def _take(self, ordered: Refusal | Lost | Slow | None, refused: Refusal) -> None:
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        content = await self._reader.readuntil(b"\r\n.\r\n")
        if refused.command == "CONTENT":
            await self._say(refused.answer)
            return
        if ordered is not DROP:
            unstuffed = content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
            mail = ReceivedMail(self._sender, tuple(self._recipients), unstuffed)
            self._server.effects.append(mail)
        if isinstance(ordered, Slow):
            # Whoever waits says nothing, or goes.
            with suppress(TimeoutError):
                async with asyncio.timeout(ordered.duration_ms / 1_000):
                    await self._reader.read(1)
        if ordered in (DROP, LOSE_ANSWER):
            self._writer.transport.abort()
            return
        await self._say("250 2.0.0 Ok: queued")

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


def _between(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]
