"""What a history amounts to: the state of an execution, for `decide` and for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from oncue.core.expression import Spot
from oncue.core.json_text import Json
from oncue.core.workflow.records import (
    CalledBack,
    CancelRequested,
    DoubtResolved,
    FinalStatus,
)


class Status(StrEnum):
    """Where an execution stands."""

    PENDING = "pending"
    """It exists, and nothing was decided yet."""
    RUNNING = "running"
    """An action is being called, or could be at once."""
    WAITING = "waiting"
    """Nothing happens before a timer or a signal."""
    COMPLETED = "completed"
    """All its steps ended well."""
    FAILED = "failed"
    """A step ended badly, and nothing caught it."""
    CANCELLED = "cancelled"
    """Somebody ended it."""


class StepStatus(StrEnum):
    """Where a step stands."""

    RUNNING = "running"
    """It is at work."""
    WAITING = "waiting"
    """It waits for an instant, or for somebody."""
    COMPLETED = "completed"
    """It ended well; its output is final."""
    FAILED = "failed"
    """It ended badly."""
    SKIPPED = "skipped"
    """Its guard did not hold."""
    CANCELLED = "cancelled"
    """It was given up before its end."""


class AttemptStatus(StrEnum):
    """How one try of a step went."""

    RUNNING = "running"
    """It was allowed to begin, and no answer is known."""
    COMPLETED = "completed"
    """It was carried out."""
    FAILED = "failed"
    """It was not carried out."""
    IN_DOUBT = "in_doubt"
    """It may have been carried out."""


@dataclass(slots=True)
class Attempt:
    """One try of a step, counted from 1."""

    attempt: int
    started_at_ms: int
    status: AttemptStatus = AttemptStatus.RUNNING
    finished_at_ms: int | None = None
    error: str | None = None
    is_permanent: bool = False
    retry_after_ms: int | None = None
    by_crash: bool = False
    is_cached: bool = False


@dataclass(slots=True)
class StepState:
    """A step that was reached."""

    path: str
    status: StepStatus
    attempts: list[Attempt] = field(default_factory=list)
    idempotency_key: str = ""
    cache_key: str = ""
    """Under which an earlier answer may be found; empty where none is wanted."""
    input: Json = None
    spots: Sequence[Spot] = ()
    """Where secrets belong in the input."""
    output: Json = None
    error: str | None = None
    due_ms: int | None = None
    """The instant that it waits for, or waited for last."""
    is_due: bool = False
    """That instant has come, and nothing was decided on it yet."""
    awaits_callback: bool = False
    callback: CalledBack | None = None
    parked: str | None = None
    """Why it may not call now, if it may not."""
    parked_at_ms: int | None = None
    """Since when it may not call."""
    asks: bool = False
    """It waits for somebody to say what became of its last attempt."""
    resolved: DoubtResolved | None = None
    """What somebody said of it."""
    branch: str | None = None
    """What a condition chose."""
    items: list[Json] | None = None
    """What a loop goes through."""
    iterations: dict[int, dict[str, Json]] = field(default_factory=dict)
    """The outputs of the iterations that ended."""
    last_started: int = -1
    """The last iteration for which the condition of a loop held."""
    first_open: int = 0
    """All iterations before it have ended."""
    is_reused: bool = False
    """It is over as it was in the execution that is replayed."""

    @property
    def is_cached(self) -> bool:
        """Whether its output is an earlier answer."""
        return bool(self.attempts) and self.attempts[-1].is_cached

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status not in (StepStatus.RUNNING, StepStatus.WAITING)


@dataclass(frozen=True, slots=True)
class Start:
    """
    What an execution begins with.

    `event` is what its templates see as `event`; `match` likewise. `root_id`
    is the execution that idempotency keys are made of: itself, or the one that
    it replays.
    """

    execution_id: str
    root_id: str
    created_at_ms: int
    event: Json
    match: Json
    input: Json
    expires_at_ms: int | None = None
    """When it fails if it has not ended by then."""
    callback_url: str | None = None
    """Where to call back, before the path of the step that waits."""
    connected: Mapping[str, list[str]] | None = None
    """By what each integration was reached that was connected when it began, if it may ask."""
    generation: int = 0
    """Which replay of the root it is; idempotency keys are made of it, too."""
    reused: int = 0
    """How many records it took over of the execution that it replays."""
    vars: Mapping[str, Json] = field(default_factory=dict)
    """The account's variables that it may read, as they were when it began."""


@dataclass(slots=True)
class ExecutionState:
    """The fold of a history. It belongs to the fold: `evolve` changes it in place."""

    start: Start
    now_ms: int
    """The instant of the last record."""
    position: int = 0
    """How many records were folded in."""
    steps: dict[str, StepState] = field(default_factory=dict)
    open: dict[str, StepState] = field(default_factory=dict)
    """The steps that are not over."""
    calling: dict[str, StepState] = field(default_factory=dict)
    """The steps with an attempt that was allowed to begin and has no outcome."""
    waiting: dict[str, StepState] = field(default_factory=dict)
    """The steps that wait for an instant or for somebody."""
    inherited: dict[str, int] = field(default_factory=dict)
    """When the execution that is redriven began what it may have carried out, by step."""
    final: FinalStatus | None = None
    by_stop: bool = False
    """A `stop` step ended it."""
    is_expired: bool = False
    cancel: CancelRequested | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    output: Json = None
    error: str | None = None

    @property
    def status(self) -> Status:
        """Where it stands."""
        if self.final:
            return Status(self.final)
        if self.position <= self.start.reused:
            return Status.PENDING
        return Status.RUNNING if self.calling else Status.WAITING

    def timers(self) -> dict[str, int]:
        """Return the instants it waits for, by step path; its own end has no path."""
        if self.final:
            return {}
        due = {
            path: step.due_ms
            for path, step in self.waiting.items()
            if step.due_ms is not None and not step.is_due
        }
        expires_at = self.start.expires_at_ms
        # A row for each execution would cost what a turn costs; most end long before.
        is_worth_a_row = not self.calling or self._is_short
        if expires_at is not None and self.position and is_worth_a_row and not self.is_expired:
            due[""] = expires_at
        return due

    @property
    def _is_short(self) -> bool:
        expires_at = self.start.expires_at_ms
        return expires_at is not None and expires_at - self.start.created_at_ms <= _SHORT_MS


_SHORT_MS = 3_600_000


def begin(start: Start) -> ExecutionState:
    """Return the state of an execution without history."""
    return ExecutionState(start=start, now_ms=start.created_at_ms)
