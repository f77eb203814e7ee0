"""Named values of accounts: secrets, which are sealed, and variables, which are plain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that only calls see; before it is given, nothing is `sealed`."""

    name: str
    description: str
    sealed: bytes | None = field(repr=False)
    version: int
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that everybody of the account may see."""

    name: str
    description: str
    value: Json
    version: int
    created_at_ms: int
    updated_at_ms: int


NamedValue = TypeVar("NamedValue", bound=Secret | Variable)


class NamedValues(Protocol[NamedValue]):
    """The secrets, or the variables, of all accounts."""

    async def all(self, account: str) -> list[NamedValue]:
        """Return those of an account, newest first."""

    async def add(self, account: str, value: NamedValue) -> None:
        """
        Keep one.

        Raises:
            Conflict: the account has one of that name.
        """

    async def change(self, account: str, value: NamedValue) -> None:
        """
        Keep the version after the current one.

        Raises:
            Conflict: somebody saved that version meanwhile.
        """

    async def delete(self, account: str, name: str) -> None:
        """Forget one."""


class Secrets(NamedValues[Secret], Protocol):
    """The secrets of all accounts."""

    async def reseal(self, account: str, name: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""


Variables = NamedValues[Variable]
"""The variables of all accounts."""


class SecretSource(Protocol):
    """Where the secrets of a call come from."""

    async def values(self, account: str, names: Collection[str]) -> Mapping[str, str]:
        """
        Return secrets by their names.

        Raises:
            PermanentError: there is none of a name, it has no value, or no key opens it.
        """
