"""E-mail, both ways: complete by Resend, and by a mail server, which cannot tell a repeat."""

import asyncio
import base64
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.core.mail import Mail
from oncue.outgoing.guard import Guard
from oncue.outgoing.smtp import SmtpClient
from oncue.testing.vendors import DROP, LOSE_ANSWER, Refusal, Simulators
from tests.vendors import Ask, with_vendors

EMAIL: dict[str, Json] = {
    "to": ["Ada <ada@example.com>", "bob@example.com"],
    "subject": "Grüße",
    "html": "<p>Hello</p>",
    "text": "Hello",
    "from": "Us <us@example.com>",
    "cc": "cc@example.com",
    "bcc": ["bcc@example.com"],
    "reply_to": "re@example.com",
    "attachments": [
        {
            "filename": "a.csv",
            "content": base64.b64encode(b"a,b").decode(),
            "content_type": "text/csv",
        }
    ],
}
SHORT: dict[str, Json] = {"to": "ada@example.com", "subject": "Hi", "html": "<p>Hello</p>"}


def test_everything_of_an_email_goes_to_resend() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        await ask("send_email", EMAIL)
        return vendors.resend.calls[0]

    call = with_vendors(use)

    assert call.body == EMAIL


def _mailed(document: Json, *answers: Any, is_repeat: bool = False) -> tuple[Any, list[Any]]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.hide("RESEND_API_KEY")
        vendors.smtp.answer_next(*answers)
        output = await ask("send_email", document, is_repeat=is_repeat)
        assert vendors.resend.calls == []
        return output, vendors.smtp.effects

    return with_vendors(use)


def _read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_everything_of_an_email_goes_to_a_mail_server() -> None:
    output, (mail,) = _mailed(EMAIL)

    everybody = ("ada@example.com", "bob@example.com", "cc@example.com", "bcc@example.com")
    assert (mail.sender, mail.recipients) == ("us@example.com", everybody)
    message = _read(mail.content)
    assert message["To"] == "Ada <ada@example.com>, bob@example.com"
    assert (message["Cc"], message["Bcc"]) == ("cc@example.com", None)
    assert (message["Subject"], message["Reply-To"]) == ("Grüße", "re@example.com")
    assert message["Message-ID"] == output["message_id"]
    assert output["message_id"].endswith("@example.com>")
    assert message["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"
    text, html, attachment = [
        part.get_content() for part in message.walk() if not part.is_multipart()
    ]
    assert (text.strip(), html.strip(), attachment.strip()) == ("Hello", "<p>Hello</p>", "a,b")


def test_the_message_id_is_that_of_the_step() -> None:
    (first, _), (second, _) = _mailed(SHORT), _mailed(SHORT)

    assert first == second


def test_a_repeat_is_not_mailed_unasked() -> None:
    with pytest.raises(PermanentError, match="may have been delivered"):
        _mailed(SHORT, is_repeat=True)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({**SHORT, "subject": "Hi\r\nBcc: all@example.com"}, "cannot be written"),
        (
            {**SHORT, "to": "ada@example.com\nRCPT TO:<x@example.com>"},
            "cannot be written|addresses",
        ),
        ({**SHORT, "from": "us"}, "expected addresses"),
        ({**SHORT, "attachments": [{"filename": "x", "content": "?"}]}, "Base64"),
    ],
)
def test_what_cannot_be_mailed_is_told(document: Json, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        _mailed(document)


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (Refusal("RCPT", "550 5.1.1 No such user"), PermanentError, "550"),
        (Refusal("RCPT", "450 4.2.1 Busy"), RetryableError, "450"),
        (Refusal("MAIL", "553 5.7.1 Not yours"), PermanentError, "553"),
        (Refusal("AUTH", "535 5.7.8 No"), PermanentError, "535"),
        (Refusal("AUTH", "454 4.7.0 Later"), RetryableError, "454"),
        (Refusal("DATA", "451 4.3.0 Later"), RetryableError, "451"),
        (Refusal("CONTENT", "554 5.7.1 Spam"), PermanentError, "554"),
        (Refusal("CONTENT", "452 4.3.1 Full"), RetryableError, "452"),
        (DROP, OutcomeUnknown, "no answer"),
        (LOSE_ANSWER, OutcomeUnknown, "no answer"),
    ],
)
def test_what_a_mail_server_says(answer: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        _mailed(SHORT, answer)

    assert "simulated-password" not in str(caught.value)


def test_one_refused_recipient_means_that_nobody_gets_it() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.hide("RESEND_API_KEY")
        vendors.smtp.answer_next(Refusal("RCPT", "550 5.1.1 No such user"))
        with pytest.raises(PermanentError):
            await ask("send_email", EMAIL)
        return vendors.smtp.effects

    assert with_vendors(use) == []


MAIL = Mail(
    "a@example.com", ("b@example.com",), b"Subject: Hi\r\n\r\n.a line that begins with a dot\r\n"
)


def test_a_server_by_others_takes_it_as_well(tmp_path: Path) -> None:
    inbox = Mailbox(tmp_path / "mail")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(inbox, loop=loop), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            client = SmtpClient(Guard(endpoints={("127.0.0.1", port)}))
            await client.deliver(f"smtp://127.0.0.1:{port}", MAIL)

    asyncio.run(main())

    (mail,) = inbox.mailbox.values()
    assert (mail["Subject"], mail.get_payload()) == ("Hi", ".a line that begins with a dot\n")


@pytest.mark.parametrize(
    ("url", "error", "told"),
    [
        ("smtp://127.0.0.1:2525", PermanentError, "no public address"),
        ("smtp://169.254.169.254:25", PermanentError, "no public address"),
        ("smtp://[::ffff:127.0.0.1]:25", PermanentError, "no public address"),
        ("smtps://localhost", PermanentError, "no public address"),
        ("smtp://user:secret@2130706433:25", PermanentError, "no public address"),
        ("http://example.com", PermanentError, "expected a URL such as"),
        ("smtp://host.invalid", RetryableError, "cannot connect"),
    ],
)
def test_a_mail_server_is_guarded_like_everything(
    url: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        asyncio.run(SmtpClient(Guard()).deliver(url, MAIL))


def test_a_password_is_not_said_in_the_open() -> None:
    async def main() -> None:
        async with Simulators() as vendors:
            open_url = vendors.smtp.url.removesuffix("?tls=none")
            port = int(open_url.rpartition(":")[2])
            client = SmtpClient(Guard(endpoints={("127.0.0.1", port)}))
            await client.deliver(open_url, MAIL)

    with pytest.raises(PermanentError, match="no encryption"):
        asyncio.run(main())
