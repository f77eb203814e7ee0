"""
A mail server of the account's, reached by a guarded socket.

All recipients or none: where the server refuses one, the e-mail is taken back
before its content is sent. From the content on, silence means that nobody knows.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
)

from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.mail import Mail
from oncue.outgoing.guard import Guard

_CONNECT_S: Final = 10
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpClient:
    """Connects for each e-mail, to addresses that the guard lets through."""

    guard: Guard

    async def deliver(self, url: str, mail: Mail) -> None:
        """
        Return once the server at `smtp[s]://user:password@host:port` has taken the e-mail.

        Raises:
            PermanentError: it will not take it, or is no server that may be reached.
            RetryableError: nothing was delivered.
            OutcomeUnknown: the content was sent, and no answer came.
        """
        await self._talk(url, mail, mail.timeout_ms / 1_000)

    async def greet(self, url: str) -> None:
        """
        Return once the server has let us in; nothing is sent.

        Raises:
            ActionError: it does not.
        """
        await self._talk(url, None, _CONNECT_S)

    async def _talk(self, url: str, mail: Mail | None, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise PermanentError("expected a URL such as smtp://user:password@host:587")
        place = f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"
        client = SMTP(
            hostname=parts.hostname,
            timeout=timeout_s,
            use_tls=parts.scheme == "smtps",
            start_tls=False,
            sock=await self._socket(parts.hostname, parts.port or _PORTS[parts.scheme]),
            # Its own name is nobody's business, and looking it up takes time.
            local_hostname="oncue.invalid",
        )
        try:
            await _greet(client, parts)
            if mail is None:
                await client.noop()
            else:
                await _address(client, mail)
                await _send(client, mail, place)
        except SMTPResponseException as exc:
            raise _refusal(exc, place) from exc
        except SMTPConnectError as exc:
            raise RetryableError(f"cannot connect to {place}: {exc}") from exc
        except (SMTPException, OSError) as exc:
            raise RetryableError(f"the connection to {place} ended: {exc}") from exc
        finally:
            client.close()

    async def _socket(self, host: str, port: int) -> socket.socket:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise RetryableError(f"cannot connect to {host}:{port}: {exc}") from exc
        for *_, address in found:
            if not self.guard.allows(str(address[0]), port):
                raise PermanentError(f"{host}:{port} leads to no public address")
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await loop.sock_connect(sock, address)
        except OSError as exc:
            sock.close()
            raise RetryableError(f"cannot connect to {host}:{port}: {exc}") from exc
        return sock


async def _greet(client: SMTP, parts: SplitResult) -> None:
    await client.connect()
    await client.ehlo()
    if parts.scheme == "smtp" and client.supports_extension("starttls"):
        await client.starttls()
    if parts.username is None:
        return
    may_be_plain = parse_qs(parts.query).get("tls") == ["none"]
    if client.get_transport_info("sslcontext") is None and not may_be_plain:
        raise PermanentError("the mail server offers no encryption, so the password stays here")
    try:
        await client.login(unquote(parts.username), unquote(parts.password or ""))
    except SMTPNotSupported as exc:
        raise PermanentError(f"the mail server takes no password: {exc}") from exc


async def _address(client: SMTP, mail: Mail) -> None:
    await client.mail(mail.sender)
    for recipient in mail.recipients:
        await client.rcpt(recipient)


async def _send(client: SMTP, mail: Mail, place: str) -> None:
    try:
        await client.data(mail.content)
    except SMTPResponseException:
        raise
    except (SMTPException, OSError) as exc:
        raise OutcomeUnknown(f"no answer from {place} whether the e-mail was taken") from exc


def _refusal(exc: SMTPResponseException, place: str) -> ActionError:
    told = f"{place} answered {exc.code}: {exc.message}"
    # RFC 5321 §4.2.1: 4yz may pass, 5yz will not.
    return RetryableError(told) if 400 <= exc.code < 500 else PermanentError(told)
