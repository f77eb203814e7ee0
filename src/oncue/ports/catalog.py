"""What accounts define and own: workflows, patterns, keys, quotas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from oncue.core.json_text import Json
from oncue.ports.hooks import Hook
from oncue.ports.schedules import Schedule


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
class Brought:
    """
    What a workflow brings with it, as far as it changes or ends with one version.

    `made` are the secrets that were made for hooks, by their ids: they are shown once.
    """

    patterns: tuple[PatternVersion, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    hooks: tuple[Hook, ...] = ()
    made: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    """One saved version of a workflow, and what was saved with it."""

    id: str
    name: str
    version: int
    is_enabled: bool
    document: Json
    created_at_ms: int
    updated_at_ms: int
    brought: Brought = Brought()


@dataclass(frozen=True, slots=True)
class Quotas:
    """What an account may use; None is without bound. Months are those of UTC."""

    max_workflows: int | None = None
    max_executions_per_month: int | None = None
    max_events_per_month: int | None = None


MIN_QUERY_MS: Final = 100
MAX_QUERY_MS: Final = 600_000
MIN_QUERY_MEMORY_MB: Final = 64
MAX_QUERY_MEMORY_MB: Final = 65_536
MIN_QUERY_BYTES: Final = 1 << 10
MAX_QUERY_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class QueryBounds:
    """What a question over events may take; None is what the operator lets all have."""

    timeout_ms: int | None = None
    memory_mb: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant; while it is not enabled, its keys open nothing."""

    id: str
    name: str
    created_at_ms: int
    quotas: Quotas = Quotas()
    is_enabled: bool = True
    time_zone: str = "UTC"
    query_bounds: QueryBounds = QueryBounds()


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


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request was answered; `digest` tells the request from others with its key."""

    digest: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    created_at_ms: int


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
        Keep the first version of a workflow and what it brings.

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
        self, account: str, workflow_id: str, at_ms: int, ends: Brought
    ) -> None:
        """Let go of a workflow; `ends` ends what it brought."""

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

    async def workflow_count(self, account: str, but: Sequence[str] = ()) -> int:
        """Return how many workflows an account has beside those of some ids."""

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

    async def state_begin(self, account: str, pattern_id: str, state_version: int) -> int:
        """Return the offset of the record with which a state of a pattern began."""


class Answers(Protocol):
    """What requests with an `Idempotency-Key` were answered."""

    async def find(self, account: str, key: str, since_ms: int) -> KeptAnswer | None:
        """Return what a request with that key was answered, if that was after an instant."""

    async def keep(self, account: str, key: str, answer: KeptAnswer, since_ms: int) -> None:
        """Keep an answer; those of the account from before an instant are forgotten."""
