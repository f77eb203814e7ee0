"""Dead letters: events and executions that were given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.dead_letters import LetterState, Queue, RedriveState
from oncue.core.event import Event
from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """The event of a dead letter, by its offset, its id and its type."""

    offset: int
    id: str
    type: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    What was given up: an execution, or an event by a pattern.

    `origin` is the name of the workflow or pattern, `origin_id` and `version`
    say which exactly.
    """

    id: str
    queue: Queue
    state: LetterState
    error: str
    fingerprint: str
    created_at_ms: int
    origin: str
    origin_id: str
    version: int
    execution_id: str | None = None
    closed_at_ms: int | None = None
    """When it was redriven or discarded."""
    redriven_as: str | None = None
    """The execution that goes on with it."""
    event: DeadEvent | None = None
    """What the pattern was shown; also in that queue None, where time alone made it fail."""


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters are meant; None means all."""

    queue: Queue | None = None
    state: LetterState | None = None
    workflow: str | None = None
    pattern: str | None = None
    fingerprint: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """The dead letters of one cause; `error` is that of the newest."""

    fingerprint: str
    error: str
    count: int
    origins: Sequence[str]
    first_at_ms: int
    last_at_ms: int


@dataclass(frozen=True, slots=True)
class Redrive:
    """
    Many dead letters that are tried again one after the other, `interval_ms` apart.

    `filter` and `rate` are as they were written, `version` says which version of
    their workflows goes on with executions. `left` are still to come; what was
    `refused` stays open.
    """

    id: str
    filter: Mapping[str, Json]
    rate: str
    interval_ms: float
    version: str
    created_at_ms: int
    state: RedriveState = RedriveState.RUNNING
    total: int = 0
    redriven: int = 0
    refused: int = 0
    last_error: str | None = None
    last_at_ms: int | None = None
    finished_at_ms: int | None = None
    left: int = 0


class Redrives(Protocol):
    """The redriving of many, for all accounts. Each dead letter is in one that runs at most."""

    async def begin(self, account: str, redrive: Redrive, wanted: LetterFilter) -> Redrive:
        """Return it with the letters chosen that are open and in no other."""

    async def all(
        self, account: str, limit: int, before: tuple[int, str] | None = None
    ) -> list[Redrive]:
        """Return them, newest first, from below (created_at_ms, id) `before`."""

    async def redrive(self, account: str, redrive_id: str) -> Redrive:
        """
        Return one.

        Raises:
            NotFound: this account has none of that id.
        """

    async def running(self) -> list[tuple[str, Redrive]]:
        """Return account and redrive of all that are running."""

    async def coming(self, account: str, redrive_id: str, limit: int) -> list[str]:
        """Return the ids of the letters that come next, oldest first."""

    async def refuse(self, account: str, letter_id: str, error: str, at_ms: int) -> None:
        """Write down that a letter cannot be tried again; it is passed over."""

    async def end(self, account: str, redrive_id: str, state: RedriveState, at_ms: int) -> bool:
        """Return whether it was running, and is ended now."""


class Letters(Protocol):
    """The dead letters of all accounts. The journal adds them in the commits that make them."""

    async def all(
        self,
        account: str,
        wanted: LetterFilter,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[DeadLetter]:
        """Return dead letters, newest first, from below (created_at_ms, id) `before`."""

    async def groups(
        self,
        account: str,
        wanted: LetterFilter,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[LetterGroup]:
        """Return them by cause, newest first, from below (last_at_ms, fingerprint) `before`."""

    async def letter(self, account: str, letter_id: str) -> DeadLetter:
        """
        Return a dead letter.

        Raises:
            NotFound: this account has none of that id.
        """

    async def event(self, account: str, letter_id: str) -> Event | None:
        """Return the event that a pattern raised an exception on, if it was one."""

    async def shown_again(self, account: str, letter_id: str, at_ms: int) -> None:
        """
        Write down that the pattern sees the event again.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it is not open.
        """

    async def counts(self, account: str) -> Mapping[str, int]:
        """Return how many are open in each queue that has some."""

    async def discard(self, account: str, letter_id: str, at_ms: int) -> None:
        """
        Let go of a dead letter.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it is not open.
        """

    async def discard_all(self, account: str, wanted: LetterFilter, at_ms: int) -> int:
        """Let go of those that are open, and return how many that were."""
