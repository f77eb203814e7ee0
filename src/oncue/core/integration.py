"""
What an integration needs to know of an account, as a value.

Forms, `GET /connections/schemas` and the check of what somebody gives are read
off it; a value that is secret never comes out again.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.action import Query, Send
from oncue.core.errors import Problem
from oncue.core.json_text import Json
from oncue.core.masking import HOSTED
from oncue.core.problems import nearest

MAX_VALUE: Final = 8_192
HINT_MASK: Final = "••••"
_HINT_CHARS: Final = 4
# Of a shorter secret four characters would tell too much.
_SHORTEST_HINTED: Final = 12
_MAX_PORT: Final = 65_535
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Credential:
    """
    One value that an integration may need.

    Without one of its own a connection takes the operator's where `is_inherited`
    (where the vendor is, never who we are there), else the `default`.
    """

    name: str
    description: str
    is_secret: bool = True
    is_inherited: bool = False
    default: str = ""
    pattern: str = r".*"
    example: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """The ways by which a vendor is asked whether it knows us; all are guarded."""

    send: Send
    query: Query
    greet: Callable[[str], Awaitable[None]]
    now_ms: Callable[[], int]


Probe = Callable[[Mapping[str, str], Reach], Awaitable[str]]
"""Asks the vendor something harmless; returns what it said, or raises `ActionError`."""


@dataclass(frozen=True, slots=True)
class Integration:
    """
    An outside service and what opens it.

    Of `enough` any one set of values suffices. Actions of one that `has_own` go
    without a connection, too: only the default one is taken where a step names none.
    Where `refreshes`, the `token` is fetched with a refresh token, and again.
    """

    name: str
    title: str
    credentials: tuple[Credential, ...]
    enough: tuple[tuple[str, ...], ...]
    probe: Probe | None = None
    has_own: bool = False
    refreshes: bool = False

    @property
    def by_name(self) -> dict[str, Credential]:
        """The credentials by name."""
        return {credential.name: credential for credential in self.credentials}

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON Schema of its values; what is secret is `writeOnly`."""
        properties: dict[str, Json] = {one.name: _schema_of(one) for one in self.credentials}
        enough: list[Json] = [{"required": [*names]} for names in self.enough]
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "anyOf": enough,
        }

    def is_secret(self, name: str) -> bool:
        """Return whether a value never comes out again."""
        credential = self.by_name.get(name)
        return credential is None or credential.is_secret

    def lacks(self, values: Mapping[str, str]) -> str | None:
        """Return what is missing, if no set of values is complete."""
        if any(all(name in values for name in names) for names in self.enough):
            return None
        return " or ".join(" with ".join(names) for names in self.enough)

    def problems_in(self, values: Mapping[str, Json]) -> list[Problem]:
        """Return what is wrong with values; none of them stands in the words."""
        return [
            Problem(f"values.{name}", message)
            for name, value in values.items()
            if (message := self._problem(name, value))
        ]

    def _problem(self, name: str, value: Json) -> str | None:
        credential = self.by_name.get(name)
        if credential is None:
            return f"expected no such value for {self.name}{nearest(name, self.by_name)}"
        if not isinstance(value, str):
            return "expected text, got something else"
        if not 0 < len(value) <= MAX_VALUE:
            return f"expected 1 to {MAX_VALUE} characters, got {len(value)}"
        if value.startswith(HINT_MASK):
            return "expected the secret, got what is shown in its place"
        if not _PRINTABLE.fullmatch(value) or value != value.strip():
            return "expected text without line breaks and outer spaces"
        if not re.fullmatch(credential.pattern, value) or not _may_be_url(value):
            return f"expected something like {credential.example!r}, got something else"
        return None


def hint_of(secret: str) -> str:
    """
    Return what is shown of a secret, so that people know it again.

    >>> hint_of("xoxb-1234567890")
    '••••7890'
    >>> hint_of("password")
    '••••'
    """
    return HINT_MASK + (secret[-_HINT_CHARS:] if len(secret) >= _SHORTEST_HINTED else "")


def _may_be_url(value: str) -> bool:
    scheme, _, rest = value.partition("://")
    if scheme.lower() not in HOSTED:
        return True
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    _, has_port, port = host.removesuffix("]").rpartition(":")
    if not has_port or host.endswith("]"):
        return True
    return port.isascii() and port.isdecimal() and int(port) <= _MAX_PORT


def _schema_of(credential: Credential) -> Json:
    shown: dict[str, Json] = {
        "type": "string",
        "description": credential.description,
        "minLength": 1,
        "maxLength": MAX_VALUE,
        "writeOnly": credential.is_secret,
    }
    if credential.pattern != r".*":
        shown["pattern"] = f"^{credential.pattern}$"
    if credential.default:
        shown["default"] = credential.default
    if credential.example:
        shown["examples"] = [credential.example]
    return shown
