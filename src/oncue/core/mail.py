"""One e-mail on its way to a mail server."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """The envelope, and the whole message as RFC 5322 has it."""

    sender: str
    recipients: Sequence[str]
    content: bytes
    timeout_ms: int = 60_000
