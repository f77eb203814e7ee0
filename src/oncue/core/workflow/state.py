"""What a history amounts to: the state of an execution, for `decide` and for people."""

from dataclasses import dataclass, field
from enum import StrEnum

from oncue.core.json_text import Json
from oncue.core.workflow.records import FinalStatus


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
    """It waits for an instant."""
    COMPLETED = "completed"
    """It ended well; its output is final."""
    FAILED = "failed"
    """It ended badly."""


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


@dataclass(slots=True)
class StepState:
    """A step that was reached."""

    path: str
    status: StepStatus
    attempts: list[Attempt] = field(default_factory=list)
    idempotency_key: str = ""
    input: Json = None
    output: Json = None
    error: str | None = None
    due_ms: int | None = None
    """The instant that it waits for, or waited for last."""
    is_due: bool = False
    """That instant has come, and nothing was decided on it yet."""


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


@dataclass(slots=True)
class ExecutionState:
    """The fold of a history. It belongs to the fold: `evolve` changes it in place."""

    start: Start
    now_ms: int
    """The instant of the last record."""
    position: int = 0
    """How many records were folded in."""
    steps: dict[str, StepState] = field(default_factory=dict)
    final: FinalStatus | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    output: Json = None
    error: str | None = None

    @property
    def status(self) -> Status:
        """Where it stands."""
        if self.final:
            return Status(self.final)
        if not self.position:
            return Status.PENDING
        steps = self.steps.values()
        if any(step.status is StepStatus.RUNNING or step.is_due for step in steps):
            return Status.RUNNING
        return Status.WAITING

    def timers(self) -> dict[str, int]:
        """Return the instants it waits for, by step path."""
        return {
            step.path: step.due_ms
            for step in self.steps.values()
            if step.status is StepStatus.WAITING and step.due_ms is not None and not step.is_due
        }

    def calls(self) -> list[StepState]:
        """Return the steps with an attempt that was allowed to begin and has no outcome."""
        return [
            step
            for step in self.steps.values()
            if step.attempts and step.attempts[-1].status is AttemptStatus.RUNNING
        ]


def begin(start: Start) -> ExecutionState:
    """Return the state of an execution without history."""
    return ExecutionState(start=start, now_ms=start.created_at_ms)
