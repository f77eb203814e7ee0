"""The journal of executions, and what is read of their history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.event import Event, IncomingEvent
from oncue.core.json_text import Json
from oncue.core.workflow.records import Record
from oncue.core.workflow.state import ExecutionState, Start, Status
from oncue.ports.log import Span


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why an execution exists."""

    kind: str
    event_id: str | None = None
    offset: int | None = None
    match_id: str | None = None
    pattern_id: str | None = None
    execution_id: str | None = None
    """The execution that this one replays, if it does."""

    def view(self) -> dict[str, Json]:
        """Return what expressions and people see of it."""
        return {
            "type": self.kind,
            "event_id": self.event_id,
            "offset": self.offset,
            "match_id": self.match_id,
            "pattern_id": self.pattern_id,
            "execution_id": self.execution_id,
        }


@dataclass(frozen=True, slots=True)
class NewExecution:
    """An execution to begin."""

    workflow_id: str
    workflow: str
    version: int
    trigger: Trigger
    start: Start


@dataclass(frozen=True, slots=True)
class Replay:
    """
    An execution that begins with records of another.

    With `is_anew` it is of a generation of its own; `letter_id` is the dead letter
    that it redrives, if it does.
    """

    new: NewExecution
    records: Sequence[Record]
    is_anew: bool = False
    letter_id: str | None = None


@dataclass(frozen=True, slots=True)
class OnceKey:
    """An `Idempotency-Key`, what it belongs to, and the digest of the request it came with."""

    scope: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class MatchRow:
    """
    A match as it is kept.

    `outcome` is `{"execution_id"}`, `{"skipped": reason}`, or nothing where the
    pattern starts no workflow. `told` is the event that says that it matched.
    """

    id: str
    pattern_id: str
    time_ms: int
    detected_at_ms: int
    body: Mapping[str, Json]
    outcome: Mapping[str, Json] | None
    told: IncomingEvent | None = None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """
    A pattern raised an exception on the record at `offset`, which therefore did nothing to it.

    It is a dead letter; `event` is what it was shown, None where time alone made it fail.
    """

    pattern_id: str
    pattern: str
    version: int
    offset: int
    reason: str
    at_ms: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class Pause:
    """A version of a pattern failed again and again; the one after it is to see nothing."""

    pattern_id: str
    version: int
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class MatchedRun:
    """What the matcher decided of the log up to `offset`."""

    offset: int
    matches: Sequence[MatchRow]
    started: Sequence[NewExecution]
    failures: Sequence[FailureRow] = ()
    pauses: Sequence[Pause] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """What began with a commit of matches, and the events that are in the outbox since."""

    started: Sequence[NewExecution]
    told: Sequence[IncomingEvent]


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions somebody wants to see; None wants all."""

    workflow: str | None = None
    status: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of an execution writes; `position` counts the records before it."""

    execution_id: str
    position: int
    at_ms: int
    records: Sequence[Record]
    status: Status
    finished_at_ms: int | None
    error: str | None
    timers_set: Mapping[str, int]
    timers_cleared: Sequence[str]
    is_dead: bool = False
    """It failed, and becomes a dead letter."""
    told: IncomingEvent | None = None
    """The event that says how it ended."""


@dataclass(frozen=True, slots=True)
class StoredExecution:
    """An execution with its whole history folded."""

    new: NewExecution
    state: ExecutionState


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """An execution without its steps."""

    id: str
    workflow: str
    version: int
    status: Status
    trigger: Trigger
    created_at_ms: int
    started_at_ms: int | None
    finished_at_ms: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Timer:
    """An execution waits for this instant."""

    account: str
    execution_id: str
    path: str
    due_ms: int


class Journal(Protocol):
    """What was decided, and what is open."""

    async def cursors(self) -> dict[str, int]:
        """Return the offset up to which the log of each account was matched."""

    async def commit_matches(self, account: str, run: MatchedRun) -> Followed:
        """
        Write down in one commit how far the log was matched, and what followed.

        Returns what is new; what an earlier commit wrote down already is not.
        """

    async def commit_turn(self, account: str, turn: Turn) -> None:
        """
        Write down a turn.

        Raises:
            Conflict: the history is not as long as `turn.position`.
        """

    async def outbox(self) -> list[tuple[str, IncomingEvent]]:
        """Return account and event of all that is to be told, oldest first in each account."""

    async def clear_outbox(self, account: str, ids: Sequence[str]) -> None:
        """Let go of events that are in the log."""

    async def load(self, account: str, execution_id: str) -> StoredExecution:
        """
        Return an execution.

        Raises:
            NotFound: this account has none of that id.
        """

    async def unfinished(self) -> list[tuple[str, StoredExecution]]:
        """Return account and execution of all that are pending or running."""

    async def timers_before(self, instant_ms: int) -> list[Timer]:
        """Return the timers due before an instant, earliest first."""

    async def start_once(
        self, account: str, new: NewExecution, once: OnceKey | None
    ) -> NewExecution:
        """
        Return the execution to begin: `new`, or the one that an earlier request with the key began.

        Raises:
            Conflict: the key came with another request.
        """

    async def start_replay(self, account: str, replay: Replay) -> NewExecution:
        """
        Return the execution to begin, with its generation; its dead letter is closed.

        Raises:
            NotFound: this account has no such dead letter.
            Conflict: the dead letter is not open.
        """


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """What became of the executions that began in a span of time, and of the matches found in it."""

    by_status: Mapping[str, int]
    series: Sequence[int]
    duration_ms: Mapping[str, int]
    """`p50`, `p95`, `p99` of those that ended; empty if none did."""
    top_errors: Sequence[tuple[str, int]]
    matches: int
    unfinished: int
    oldest_unfinished_ms: int | None
    """Of all that are pending or running now, whenever they began; waiting ones wait for nobody."""


class Finished(Protocol):
    """What is over: executions with their attempts, and dead letters."""

    async def drop(self, account: str, before_ms: int) -> int:
        """
        Delete some of what was over before an instant, and return how much; 0 when nothing is left.

        Executions whose dead letters are open stay.
        """


class Pauses(Protocol):
    """Why patterns were paused. The journal adds them in the commits of the failures."""

    async def all(self) -> list[tuple[str, Pause]]:
        """Return account and pause of all patterns that were paused last."""

    async def of(self, account: str) -> dict[str, Pause]:
        """Return the last pause of each pattern of an account that had one, by its id."""


class History(Protocol):
    """What was decided, to look at."""

    async def executions(
        self,
        account: str,
        wanted: ExecutionFilter,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[ExecutionSummary]:
        """Return executions, newest first, from below (created_at_ms, id) `before`."""

    async def open_executions(self, account: str, workflow_id: str) -> list[str]:
        """Return the ids of the executions of a workflow that have not ended."""

    async def counts(self, account: str, since_ms: int) -> dict[str, int]:
        """Return how many executions that began since an instant have which status."""

    async def report(self, account: str, span: Span) -> ExecutionReport:
        """Return what happened in a span of time, in numbers."""

    async def match(self, account: str, match_id: str) -> MatchRow | None:
        """Return a match; nothing if this account has none of that id."""

    async def matches(
        self, account: str, pattern_id: str, limit: int, before: tuple[int, str] | None = None
    ) -> list[MatchRow]:
        """Return matches, newest first, from below (detected_at_ms, id) `before`."""

    async def match_counts(self, account: str, pattern_id: str) -> tuple[int, int | None]:
        """Return how many matches a pattern has, and the time of the last detected."""
