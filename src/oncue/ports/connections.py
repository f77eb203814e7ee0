"""What accounts connect us with: where it is kept, and what keeps it secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from oncue.core.errors import OnCueError


class LockedError(OnCueError):
    """No key opens a ciphertext; the message names the key that it was made with."""


@dataclass(frozen=True, slots=True)
class Tested:
    """How the vendor took a connection when it was last asked."""

    ok: bool
    detail: str
    duration_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Connection:
    """
    Credentials for an integration, under a name.

    `settings` are open to be read, `hints` show how each secret ends, and the
    secrets themselves are in `sealed`.
    """

    id: str
    name: str
    integration: str
    is_default: bool
    settings: Mapping[str, str]
    hints: Mapping[str, str]
    sealed: bytes = field(repr=False)
    version: int
    created_at_ms: int
    updated_at_ms: int
    last_used_at_ms: int | None = None
    last_test: Tested | None = None


class Connections(Protocol):
    """The connections of all accounts."""

    async def all(self, account: str) -> list[Connection]:
        """Return the connections of an account, newest first."""

    async def add(self, account: str, connection: Connection) -> None:
        """
        Keep a connection; if it is the default of its integration, no other is any more.

        Raises:
            Conflict: the account has one of that name.
        """

    async def change(self, account: str, connection: Connection) -> None:
        """
        Keep the version after the current one.

        Raises:
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """

    async def delete(self, account: str, connection_id: str) -> None:
        """Forget a connection and its secrets."""

    async def reseal(self, account: str, connection_id: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""

    async def note_use(self, account: str, connection_id: str, at_ms: int) -> None:
        """Note when a connection was used."""

    async def note_test(self, account: str, connection_id: str, tested: Tested) -> None:
        """Note how a test of a connection went."""


class CredentialSource(Protocol):
    """Where an action's credentials come from."""

    async def has(self, account: str, integration: str, name: str | None, /) -> bool:
        """
        Return whether an action would go with a connection.

        Raises:
            PermanentError: with one that it cannot go with, or nobody knows with which.
        """

    async def names(self, account: str, integration: str, /) -> frozenset[str]:
        """
        Return the names of the credentials that an action goes with which names no connection.

        Raises:
            PermanentError: as of `has`.
        """

    async def credentials(
        self, account: str, integration: str, name: str | None, /
    ) -> Mapping[str, str]:
        """
        Return what an action goes with; empty where there is nothing.

        Raises:
            ActionError: there is no such connection, or it cannot be used.
        """

    async def budget(self, account: str, integration: str, name: str | None, /) -> str:
        """
        Return what is the same for all calls that a vendor counts together.

        Raises:
            PermanentError: there is no such connection, or nobody knows which.
        """

    async def renew(self, account: str, integration: str, name: str | None, /) -> bool:
        """Return whether the next credentials hold another access token, since one was refused."""


class Vault(Protocol):
    """Encrypts what is bound to an account and a name, and opens it only there."""

    def seal(self, account: str, name: str, secret: bytes) -> bytes:
        """Return `secret` encrypted under the first key."""

    def open(self, account: str, name: str, sealed: bytes) -> bytes:
        """
        Return what was sealed for this account and name.

        Raises:
            LockedError: no key opens it, or it was sealed for another place.
        """

    def fingerprint(self, account: str, secret: bytes) -> str:
        """Return what is the same for the same secret, and tells nothing without the first key."""

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the first key made it."""
