"""Dead letters: events and executions that were given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.dead_letters import LetterState, Queue


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
