"""
What a history holds.

A *command* is what `decide` wants done. It is written down before it is
carried out, so a crash between the two is seen. An *outcome* is what the world
answered. Both are records; a history is the list of them. All records of one
turn share one instant, which is kept beside them.
"""

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from oncue.core.expression import Spot
from oncue.core.json_text import Json

FORMAT: Final = 1
"""Rises when a record changes its shape; a release reads all older formats."""


class FinalStatus(StrEnum):
    """How an execution ended; it never changes afterwards."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class _Record(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    pass


class AttemptStarted(_Record, frozen=True, tag="attempt_started"):
    """
    An action is called. `input` stands with the first attempt only: it is rendered once.

    So do `cache_key`, under which an earlier answer may be found, and `spots`, at
    which secrets are put into the input when the call is made.
    """

    path: str
    action: str
    attempt: int
    idempotency_key: str
    input: Json = None
    cache_key: str = ""
    spots: list[Spot] = []


class RetryScheduled(_Record, frozen=True, tag="retry_scheduled"):
    """The next attempt waits until `due_ms`."""

    path: str
    due_ms: int


class DelayStarted(_Record, frozen=True, tag="delay_started"):
    """A step waits until `due_ms`."""

    path: str
    due_ms: int


class StepCompleted(_Record, frozen=True, tag="step_completed"):
    """A step ended well; for an action its output stands in `AttemptSucceeded`."""

    path: str
    output: Json = None


class StepFailed(_Record, frozen=True, tag="step_failed"):
    """A step ended badly, and with it whatever depends on it."""

    path: str
    error: str


class StepSkipped(_Record, frozen=True, tag="step_skipped"):
    """A step's guard did not hold."""

    path: str


class StepCancelled(_Record, frozen=True, tag="step_cancelled"):
    """Nobody waits for the step any more; an attempt in flight is not recalled."""

    path: str


class BranchTaken(_Record, frozen=True, tag="branch_taken"):
    """A condition was judged; `branch` is None where no branch applies."""

    path: str
    branch: str | None


class BranchesStarted(_Record, frozen=True, tag="branches_started"):
    """The branches of a parallel step begin."""

    path: str


class LoopStarted(_Record, frozen=True, tag="loop_started"):
    """A loop begins; `items` are what it goes through, None where it has a condition instead."""

    path: str
    items: list[Json] | None = None


class IterationStarted(_Record, frozen=True, tag="iteration_started"):
    """The condition of a loop held once more."""

    path: str
    index: int


class IterationCompleted(_Record, frozen=True, tag="iteration_completed"):
    """All steps of an iteration ended well; `output` holds theirs by step id."""

    path: str
    index: int
    output: dict[str, Json]


class CallbackAwaited(_Record, frozen=True, tag="callback_awaited"):
    """A call was answered, and the step waits for somebody to call back until `due_ms`."""

    path: str
    due_ms: int


class DoubtRaised(_Record, frozen=True, tag="doubt_raised"):
    """Nobody knows whether the call was carried out, and the step waits for somebody to say."""

    path: str


class StepReused(_Record, frozen=True, tag="step_reused"):
    """A step is over as it was in the execution that is replayed; nothing of it happened again."""

    path: str
    status: str
    input: Json = None
    output: Json = None
    error: str | None = None


class AttemptInherited(_Record, frozen=True, tag="attempt_inherited"):
    """
    An attempt of the step in the execution that is redriven may have been carried out.

    `since_ms` is when the first such began.
    """

    path: str
    since_ms: int = 0


class ExecutionFinished(_Record, frozen=True, tag="execution_finished"):
    """The execution ended."""

    status: FinalStatus
    output: Json = None
    error: str | None = None
    by_stop: bool = False
    """A step said so."""


class AttemptSucceeded(_Record, frozen=True, tag="attempt_succeeded"):
    """The action was carried out; where `is_cached`, earlier, and now nothing was called."""

    path: str
    attempt: int
    output: Json = None
    is_cached: bool = False


class AttemptFailed(_Record, frozen=True, tag="attempt_failed"):
    """The action was not carried out; `is_permanent` says that no attempt can succeed."""

    path: str
    attempt: int
    error: str
    is_permanent: bool = False
    retry_after_ms: int | None = None


class AttemptLost(_Record, frozen=True, tag="attempt_lost"):
    """No answer came (or we died while waiting for it, `by_crash`): it may have been carried out."""

    path: str
    attempt: int
    error: str
    by_crash: bool = False


class AttemptParked(_Record, frozen=True, tag="attempt_parked"):
    """
    The attempt was not made and does not count: the vendor takes no calls now.

    The step asks again at `due_ms`, or earlier if there is room.
    """

    path: str
    attempt: int
    reason: str
    due_ms: int


class TimerFired(_Record, frozen=True, tag="timer_fired"):
    """The instant that the step at `path` waited for has come; the execution's own has no path."""

    path: str


class CalledBack(_Record, frozen=True, tag="called_back"):
    """The callback that the step at `path` waited for has come."""

    path: str
    data: Json = None


class Verdict(StrEnum):
    """What somebody says of a call whose outcome is unknown."""

    DONE = "done"
    """It was carried out."""
    RETRY = "retry"
    """It may be called again."""
    FAIL = "fail"
    """The step has failed."""


class DoubtResolved(_Record, frozen=True, tag="doubt_resolved"):
    """Somebody said what became of a call; `output` is what it gave, if it was carried out."""

    path: str
    verdict: Verdict
    output: Json = None


class CancelRequested(_Record, frozen=True, tag="cancel_requested"):
    """Somebody wants the execution to end."""

    reason: str


Command: TypeAlias = (
    AttemptStarted
    | RetryScheduled
    | DelayStarted
    | CallbackAwaited
    | DoubtRaised
    | StepCompleted
    | StepFailed
    | StepSkipped
    | StepCancelled
    | BranchTaken
    | BranchesStarted
    | LoopStarted
    | IterationStarted
    | IterationCompleted
    | StepReused
    | AttemptInherited
    | ExecutionFinished
)
Outcome: TypeAlias = (
    AttemptSucceeded
    | AttemptFailed
    | AttemptLost
    | AttemptParked
    | TimerFired
    | CalledBack
    | DoubtResolved
    | CancelRequested
)
Record: TypeAlias = Command | Outcome

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Record])


def encode_records(records: list[Record]) -> bytes:
    """Return the records of one turn as a JSON list."""
    return _encoder.encode(records)


def decode_records(body: bytes) -> list[Record]:
    """Return the records that `encode_records` wrote."""
    return _decoder.decode(body)
