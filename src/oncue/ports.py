"""
What the engine needs of the world, as Protocols, and the values that cross them.

`account` is the first argument of everything that belongs to one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from oncue.core.event import Event, EventFilter, IncomingEvent
from oncue.core.json_text import Json
from oncue.core.pattern.matcher import KeyState
from oncue.core.workflow.records import Record
from oncue.core.workflow.state import ExecutionState, Start, Status


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an incoming event; for a duplicate, `offset` is that of the first."""

    id: str
    offset: int
    is_duplicate: bool = False
    is_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the log: from here on a pattern is seen in this version."""

    offset: int
    received_at_ms: int
    pattern_id: str
    version: int


LogRecord: TypeAlias = Event | Change


@dataclass(frozen=True, slots=True)
class Stretch:
    """The records of a part of the log that somebody watches, and the offset it reaches to."""

    records: Sequence[LogRecord]
    upto: int


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time [from_ms, to_ms), looked at in steps."""

    from_ms: int
    to_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class EventUsage:
    """How many events arrived: by type, and in each step of the span."""

    by_type: Mapping[str, int]
    series: Sequence[int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_type.values())


@dataclass(frozen=True, slots=True)
class PatternVersion:
    """
    One saved version of a pattern; one that is not active ends its state.

    `owner_id` is the workflow that brought the pattern with it, if one did.
    """

    id: str
    name: str
    version: int
    state_version: int
    document: Mapping[str, Json]
    workflow_id: str | None
    owner_id: str | None
    created_at_ms: int
    updated_at_ms: int
    is_active: bool = True
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    """
    One saved version of a workflow.

    `patterns` are those that were saved with it because they changed.
    """

    id: str
    name: str
    version: int
    is_enabled: bool
    document: Json
    created_at_ms: int
    updated_at_ms: int
    patterns: tuple[PatternVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why an execution exists."""

    kind: str
    event_id: str | None = None
    offset: int | None = None
    match_id: str | None = None
    pattern_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewExecution:
    """An execution to begin."""

    workflow_id: str
    workflow: str
    version: int
    trigger: Trigger
    start: Start


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
    pattern starts no workflow.
    """

    id: str
    pattern_id: str
    time_ms: int
    detected_at_ms: int
    body: Mapping[str, Json]
    outcome: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class MatchedRun:
    """What the matcher decided of the log up to `offset`."""

    offset: int
    matches: Sequence[MatchRow]
    started: Sequence[NewExecution]
    states: Sequence[KeyState]


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


@dataclass(frozen=True, slots=True)
class Quotas:
    """What an account may use; None is without bound. Months are those of UTC."""

    max_workflows: int | None = None
    max_executions_per_month: int | None = None
    max_events_per_month: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant; while it is not enabled, its keys open nothing."""

    id: str
    name: str
    created_at_ms: int
    quotas: Quotas = Quotas()
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A secret that names an account, kept by its SHA-256 only; `hint` are its last characters."""

    id: str
    account: str
    hash: str
    scopes: frozenset[str]
    created_at_ms: int
    name: str = ""
    hint: str = ""


class Clock(Protocol):
    """The one source of time."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970; never less than before."""

    async def sleep_until(self, instant_ms: int) -> None:
        """Return when the instant has come."""


class EventLog(Protocol):
    """The truth: what was accepted, in order, per account."""

    async def append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        """Return when all are durable."""

    async def append_change(self, account: str, pattern_id: str, version: int) -> int:
        """Return the offset from which the version is seen; the same if told twice."""

    async def read(self, account: str, after: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records with an offset above `after`."""

    async def stretch(self, account: str, after: int, limit: int, globs: Sequence[str]) -> Stretch:
        """Return the changes, and up to `limit` events of the watched types, above an offset."""

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""

    async def events(
        self, account: str, wanted: EventFilter, limit: int, before: int | None = None
    ) -> list[Event]:
        """Return events with an offset below `before`, newest first."""

    async def usage(self, account: str, span: Span) -> EventUsage:
        """Return how many events arrived in a span of time."""

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """
        Call `listener` with the account whenever records of it have become durable.

        Returns what ends that.
        """

    def head(self, account: str) -> int:
        """Return the offset of the last durable record, 0 if there is none."""


class Journal(Protocol):
    """What was decided, and what is open."""

    async def cursors(self) -> dict[str, int]:
        """Return the offset up to which the log of each account was matched."""

    async def commit_matches(self, account: str, run: MatchedRun) -> None:
        """Write down in one commit how far the log was matched, and what followed."""

    async def key_states(self, account: str) -> list[KeyState]:
        """Return what the patterns of an account remember of their keys, the oldest first."""

    async def commit_turn(self, account: str, turn: Turn) -> None:
        """
        Write down a turn.

        Raises:
            Conflict: the history is not as long as `turn.position`.
        """

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


class Accounts(Protocol):
    """Accounts and their keys."""

    async def all(self, limit: int, before: tuple[int, str] | None = None) -> list[Account]:
        """Return accounts, newest first, from below (created_at_ms, id) `before`."""

    async def ids(self) -> list[str]:
        """Return the ids of all accounts, oldest first."""

    async def account(self, reference: str) -> Account:
        """
        Return the account with that id or name.

        Raises:
            NotFound: there is none.
        """

    async def add(self, account: Account) -> None:
        """
        Keep an account.

        Raises:
            Conflict: there is one of that name.
        """

    async def change(self, account: Account) -> None:
        """
        Keep an account as it is now.

        Raises:
            Conflict: another one has that name.
        """

    async def keys(self, account: str) -> list[ApiKey]:
        """Return the keys of an account, newest first."""

    async def put_api_key(self, account: str, key: ApiKey) -> None:
        """Keep a key, in place of the one with that id if there is one."""

    async def revoke(self, account: str, key_id: str) -> ApiKey:
        """
        Forget a key, and return it.

        Raises:
            NotFound: this account has none of that id.
        """

    async def api_key(self, hash_: str) -> ApiKey | None:
        """Return the key with that hash, of whichever account that is enabled."""


class Catalog(Protocol):
    """Every saved version of every workflow."""

    async def save_workflow(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Keep the first version of a workflow and its patterns.

        Raises:
            Conflict: another workflow of the account has that name.
        """

    async def save_version(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Keep the version after the current one, which it replaces.

        Raises:
            Conflict: another workflow has that name, or somebody saved that version meanwhile.
        """

    async def delete_workflow(
        self, account: str, workflow_id: str, at_ms: int, patterns: Sequence[PatternVersion]
    ) -> None:
        """Let go of a workflow; `patterns` are the versions that end its patterns."""

    async def workflow_id(self, account: str, reference: str) -> str:
        """
        Return the id of the workflow with that id or name.

        Raises:
            NotFound: this account has none.
        """

    async def workflow(
        self, account: str, workflow_id: str, version: int | None = None
    ) -> WorkflowVersion:
        """
        Return one version, by default the current one; also of a workflow that was deleted.

        Raises:
            NotFound: this account has none of that id and version.
        """

    async def workflows(
        self, account: str, limit: int, before: tuple[int, str] | None
    ) -> list[WorkflowVersion]:
        """Return the current versions, newest workflow first, from below (created, id) `before`."""

    async def workflow_count(self, account: str) -> int:
        """Return how many workflows an account has."""

    async def versions(self, account: str, workflow_id: str) -> list[WorkflowVersion]:
        """Return all versions of a workflow, newest first."""


class Patterns(Protocol):
    """Every saved version of every pattern, whether a workflow brought it or a user."""

    async def save(self, account: str, pattern: PatternVersion) -> None:
        """
        Keep a version: the first, or the one after the current, which it replaces.

        Raises:
            Conflict: another pattern has that name, or somebody saved that version meanwhile.
        """

    async def current(self, account: str, reference: str) -> PatternVersion:
        """
        Return the current version of the pattern with that id or name.

        Raises:
            NotFound: this account has none.
        """

    async def all(
        self, account: str, limit: int, before: tuple[int, str] | None
    ) -> list[PatternVersion]:
        """Return the current versions, newest pattern first, from below (created, id) `before`."""

    async def version(self, account: str, pattern_id: str, version: int) -> PatternVersion:
        """
        Return one version.

        Raises:
            NotFound: this account has none of that id and version.
        """

    async def owned_by(self, account: str, workflow_id: str) -> list[PatternVersion]:
        """Return the newest version of each pattern that a workflow brought, also of ended ones."""

    async def announced(self, account: str, pattern_id: str, version: int, offset: int) -> None:
        """Write down from which offset a version is seen."""

    async def unannounced(self) -> list[tuple[str, PatternVersion]]:
        """Return account and version of all that are saved and not known to be in the log."""

    async def seen_at(self, account: str, offset: int) -> list[PatternVersion]:
        """Return the version of each pattern that is seen after the record at `offset`."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How an action went that no execution asked for; secrets in its requests are masked."""

    output: Json
    error: str | None
    requests: Sequence[Json]


class Actions(Protocol):
    """The outside world, one attempt at a time."""

    async def perform(
        self, account: str, action: str, rendered: Json, key: str, *, is_repeat: bool
    ) -> Json:
        """
        Return what the action gave.

        Raises:
            ActionError: the outside world said no, or nothing.
        """

    async def rehearse(
        self, account: str, action: str, rendered: Json, key: str, *, is_dry: bool
    ) -> Rehearsal:
        """Return how the action went; where `is_dry`, what it would have sent first."""
