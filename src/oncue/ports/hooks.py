"""Hooks: URLs to which others post, and what keeps their secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True)
class Hook:
    """
    A hook as it is kept.

    `hints` show how each secret ends, and the secrets themselves are in `sealed`.
    `owner_id` is the workflow that brought it, if one did.
    """

    id: str
    name: str
    document: Mapping[str, Json]
    hints: tuple[str, ...]
    sealed: bytes = field(repr=False)
    owner_id: str | None
    is_enabled: bool
    version: int
    created_at_ms: int
    updated_at_ms: int
    is_deleted: bool = False


class Hooks(Protocol):
    """The hooks of all accounts."""

    async def all(self, account: str) -> list[Hook]:
        """Return the hooks of an account, newest first."""

    async def save(self, account: str, hook: Hook) -> None:
        """
        Keep a version: the first, or the one after the current, which it replaces.

        Raises:
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """

    async def delete(self, account: str, hook_id: str) -> None:
        """Forget a hook and its secrets."""

    async def reseal(self, account: str, hook_id: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""
