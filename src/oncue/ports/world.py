"""What else the engine needs of the world: time, what is kept under keys, actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.action import Origin
from oncue.core.expression import Spot
from oncue.core.json_text import Json
from oncue.core.key_values import ANY_TERMS, Count, Entry, EntryPage, Namespace, Slot, Terms
from oncue.core.objects import StoredObject
from oncue.core.statements import Rows, Statement


class Clock(Protocol):
    """The one source of time."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970; never less than before."""

    async def sleep_until(self, instant_ms: int) -> None:
        """Return when the instant has come."""


class Disk(Protocol):
    """The disk that all is kept on."""

    def trouble(self) -> str | None:
        """Return why nothing can be written now; none if something can."""


class KeyValues(Protocol):
    """What accounts keep under keys; what has expired is not there."""

    async def get(self, account: str, slot: Slot) -> Entry | None:
        """Return what is kept there, if anything."""

    async def set(self, account: str, slot: Slot, value: Json, terms: Terms = ANY_TERMS) -> int:
        """
        Return the version under which `value` is kept from now on.

        Raises:
            Conflict: another version is there than the terms ask for.
            InvalidInput: the value is too large.
        """

    async def increment(
        self, account: str, slot: Slot, amount: float, terms: Terms = ANY_TERMS
    ) -> Count:
        """
        Return the number there after `amount` was added; without one it counts from 0.

        One that was there keeps its time to live.

        Raises:
            Conflict: another version is there than the terms ask for.
            InvalidInput: what is there is no number, or the sum is too large.
        """

    async def delete(self, account: str, slot: Slot, terms: Terms = ANY_TERMS) -> bool:
        """
        Return whether something was there, which now is gone.

        Raises:
            Conflict: another version is there than the terms ask for.
        """

    async def scan(
        self, account: str, namespace: Namespace, prefix: str, after: str | None, limit: int
    ) -> EntryPage:
        """Return entries whose keys begin with `prefix`, in their order, above the key `after`."""

    async def sweep(self, account: str) -> int:
        """Delete some of what has expired, give back its room, and return how many it was."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How an action went that no execution asked for; secrets in its requests are masked."""

    output: Json
    error: str | None
    requests: Sequence[Json]


class Files(Protocol):
    """What accounts keep in files: a database each, and objects."""

    async def query(self, account: str, statement: Statement) -> Rows:
        """
        Return what a statement on the account's own database gave.

        Raises:
            ActionError: it is wrong, may not do what it wants, or somebody else is writing.
        """

    async def put_object(self, account: str, key: str, content: bytes, content_type: str) -> str:
        """Return the tag of the object that stands under a key from now on."""

    async def get_object(self, account: str, key: str) -> StoredObject | None:
        """Return what stands under a key, if anything does."""


class Actions(Protocol):
    """The outside world, one attempt at a time."""

    async def perform(  # noqa: PLR0913 what an attempt is made of
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_repeat: bool,
        origin: Origin | None = None,
        connection: str | None = None,
        spots: Sequence[Spot] = (),
    ) -> Json:
        """
        Return what the action gave; `origin` is the execution that asks, if one does.

        It goes with the `connection` of that name, else with the usual one. At `spots`
        secrets are put into the input; where the answer repeats them, they are masked.

        Raises:
            ActionError: the outside world said no, or nothing.
        """

    async def missing(self, account: str, action: str, connection: str | None = None) -> str | None:
        """Return what an action of this account would need and does not have."""

    async def goes_with(self, account: str, action: str) -> list[str] | None:
        """Return the credentials, of those that one of would do, that it has; None if it cannot go."""

    async def rehearse(  # noqa: PLR0913 what an attempt is made of
        self,
        account: str,
        action: str,
        rendered: Json,
        key: str,
        *,
        is_dry: bool,
        connection: str | None = None,
        spots: Sequence[Spot] = (),
    ) -> Rehearsal:
        """Return how the action went; where `is_dry`, what it would have sent first."""
