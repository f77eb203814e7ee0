"""Schedules: when they fire next, and how far they have come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a schedule has come: `next_ms` is the first tick that is undecided; None never fires.

    `zone` is where its ticks are read, and from `anchor_ms` periods are counted.
    `missed` ticks, since the last that fired, never do.
    """

    zone: str
    anchor_ms: int
    next_ms: int | None
    last_ms: int | None = None
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    A schedule as it is kept; one that is not enabled never fires.

    `owner_id` is the workflow that brought it, if one did. A version that is not
    `begins_anew` keeps the progress of the one before.
    """

    id: str
    name: str
    document: Mapping[str, Json]
    owner_id: str | None
    is_enabled: bool
    has_own_zone: bool
    version: int
    created_at_ms: int
    updated_at_ms: int
    progress: Progress
    begins_anew: bool = True
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """A schedule as it was read, and how far it has come since."""

    schedule: Schedule
    progress: Progress


class Schedules(Protocol):
    """The schedules of all accounts."""

    async def save(self, account: str, schedule: Schedule) -> None:
        """
        Keep a version: the first, or the one after the current, which it replaces.

        Raises:
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """

    async def delete(self, account: str, schedule_id: str) -> None:
        """Forget a schedule."""

    async def current(self, account: str, reference: str) -> Schedule:
        """
        Return the schedule with that id or name; of several names one that no workflow owns.

        Raises:
            NotFound: this account has none.
        """

    async def all(self, account: str, limit: int, before: tuple[int, str] | None) -> list[Schedule]:
        """Return schedules, newest first, from below (created_at_ms, id) `before`."""

    async def owned_by(self, account: str, workflow_id: str) -> list[Schedule]:
        """Return the schedules that a workflow brought."""

    async def advance(self, account: str, advances: Sequence[Advance]) -> None:
        """Write down how far schedules have come, but not of those that changed meanwhile."""

    async def due(self, instant_ms: int, limit: int) -> list[tuple[str, Schedule]]:
        """Return account and schedule of what is due at an instant, earliest first."""

    async def next_due_ms(self) -> int | None:
        """Return the first instant at which anything is due."""

    async def adrift(self) -> list[tuple[str, Schedule]]:
        """Return account and schedule of all that follow another time zone than the account's."""
