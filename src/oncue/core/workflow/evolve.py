"""One record folded into the state."""

from collections.abc import Callable, Mapping

from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptInherited,
    AttemptLost,
    AttemptParked,
    AttemptStarted,
    AttemptSucceeded,
    BranchesStarted,
    BranchTaken,
    CallbackAwaited,
    CalledBack,
    CancelRequested,
    DelayStarted,
    DoubtRaised,
    DoubtResolved,
    ExecutionFinished,
    IterationCompleted,
    IterationStarted,
    LoopStarted,
    Record,
    RetryScheduled,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepReused,
    StepSkipped,
    TimerFired,
)
from oncue.core.workflow.state import (
    Attempt,
    AttemptStatus,
    ExecutionState,
    StepState,
    StepStatus,
)


def evolve(state: ExecutionState, record: Record, at_ms: int) -> ExecutionState:
    """Return `state` with `record` of the instant `at_ms` folded in; the argument is used up."""
    state.now_ms = at_ms
    state.position += 1
    if state.started_at_ms is None:
        state.started_at_ms = at_ms
    _FOLDS[record.__class__](state, record)
    return state


def _open(state: ExecutionState, path: str) -> StepState:
    step = state.steps.get(path)
    if step is None:
        step = state.steps[path] = state.open[path] = StepState(path, StepStatus.RUNNING)
    return step


def _wait(state: ExecutionState, path: str, due_ms: int | None) -> StepState:
    step = _open(state, path)
    step.status, step.due_ms, step.is_due = StepStatus.WAITING, due_ms, False
    state.waiting[path] = state.open[path] = step
    return step


def _end(state: ExecutionState, path: str, status: StepStatus) -> StepState:
    step = _open(state, path)
    step.status, step.is_due = status, False
    for among in (state.open, state.calling, state.waiting):
        among.pop(path, None)
    return step


def _attempt_started(state: ExecutionState, record: AttemptStarted) -> None:
    step = _open(state, record.path)
    if not step.idempotency_key:
        step.input, step.idempotency_key = record.input, record.idempotency_key
        step.cache_key, step.spots = record.cache_key, record.spots
    step.status, step.is_due, step.asks, step.parked = StepStatus.RUNNING, False, False, None
    step.attempts.append(Attempt(record.attempt, state.now_ms))
    state.waiting.pop(record.path, None)
    state.calling[record.path] = step


def _ended_attempt(
    state: ExecutionState, record: AttemptSucceeded | AttemptFailed | AttemptLost
) -> tuple[StepState, Attempt]:
    step = state.steps[record.path]
    attempt = step.attempts[-1]
    attempt.finished_at_ms, step.parked_at_ms = state.now_ms, None
    state.calling.pop(record.path, None)
    return step, attempt


def _attempt_succeeded(state: ExecutionState, record: AttemptSucceeded) -> None:
    step, attempt = _ended_attempt(state, record)
    attempt.status, attempt.is_cached = AttemptStatus.COMPLETED, record.is_cached
    if not step.is_over:
        step.output = record.output
        _end(state, record.path, StepStatus.COMPLETED)


def _attempt_failed(state: ExecutionState, record: AttemptFailed) -> None:
    _, attempt = _ended_attempt(state, record)
    attempt.status, attempt.error = AttemptStatus.FAILED, record.error
    attempt.is_permanent, attempt.retry_after_ms = record.is_permanent, record.retry_after_ms


def _attempt_lost(state: ExecutionState, record: AttemptLost) -> None:
    _, attempt = _ended_attempt(state, record)
    attempt.status, attempt.error = AttemptStatus.IN_DOUBT, record.error
    attempt.by_crash = record.by_crash


def _attempt_parked(state: ExecutionState, record: AttemptParked) -> None:
    step = state.steps[record.path]
    step.attempts.pop()
    state.calling.pop(record.path, None)
    if not step.is_over:
        _wait(state, record.path, record.due_ms)
        step.parked = record.reason
        step.parked_at_ms = step.parked_at_ms or state.now_ms


def _delay_started(state: ExecutionState, record: DelayStarted | RetryScheduled) -> None:
    _wait(state, record.path, record.due_ms)


def _callback_awaited(state: ExecutionState, record: CallbackAwaited) -> None:
    _wait(state, record.path, record.due_ms).awaits_callback = True


def _timer_fired(state: ExecutionState, record: TimerFired) -> None:
    if record.path:
        state.steps[record.path].is_due = True
    else:
        state.is_expired = True


def _called_back(state: ExecutionState, record: CalledBack) -> None:
    state.steps[record.path].callback = record


def _doubt_raised(state: ExecutionState, record: DoubtRaised) -> None:
    step = _wait(state, record.path, None)
    step.asks, step.resolved = True, None


def _doubt_resolved(state: ExecutionState, record: DoubtResolved) -> None:
    state.steps[record.path].resolved = record


def _cancel_requested(state: ExecutionState, record: CancelRequested) -> None:
    state.cancel = record


def _branch_taken(state: ExecutionState, record: BranchTaken) -> None:
    _open(state, record.path).branch = record.branch


def _branches_started(state: ExecutionState, record: BranchesStarted) -> None:
    _open(state, record.path)


def _loop_started(state: ExecutionState, record: LoopStarted) -> None:
    _open(state, record.path).items = record.items


def _iteration_started(state: ExecutionState, record: IterationStarted) -> None:
    state.steps[record.path].last_started = record.index


def _iteration_completed(state: ExecutionState, record: IterationCompleted) -> None:
    step = state.steps[record.path]
    step.iterations[record.index] = record.output
    while step.first_open in step.iterations:
        step.first_open += 1


def _step_completed(state: ExecutionState, record: StepCompleted) -> None:
    _end(state, record.path, StepStatus.COMPLETED).output = record.output


def _step_failed(state: ExecutionState, record: StepFailed) -> None:
    _end(state, record.path, StepStatus.FAILED).error = record.error


def _step_skipped(state: ExecutionState, record: StepSkipped) -> None:
    _end(state, record.path, StepStatus.SKIPPED)


def _step_cancelled(state: ExecutionState, record: StepCancelled) -> None:
    _end(state, record.path, StepStatus.CANCELLED)


def _step_reused(state: ExecutionState, record: StepReused) -> None:
    step = _end(state, record.path, StepStatus(record.status))
    step.input, step.output, step.error = record.input, record.output, record.error
    step.is_reused = True


def _attempt_inherited(state: ExecutionState, record: AttemptInherited) -> None:
    state.inherited[record.path] = record.since_ms


def _execution_finished(state: ExecutionState, record: ExecutionFinished) -> None:
    state.final, state.by_stop = record.status, record.by_stop
    state.finished_at_ms = state.now_ms
    state.output, state.error = record.output, record.error
    for step in state.open.values():
        step.status = StepStatus.CANCELLED
    for among in (state.open, state.calling, state.waiting):
        among.clear()


_FOLDS: Mapping[type, Callable[..., None]] = {
    AttemptStarted: _attempt_started,
    AttemptSucceeded: _attempt_succeeded,
    AttemptFailed: _attempt_failed,
    AttemptLost: _attempt_lost,
    AttemptParked: _attempt_parked,
    RetryScheduled: _delay_started,
    DelayStarted: _delay_started,
    CallbackAwaited: _callback_awaited,
    TimerFired: _timer_fired,
    CalledBack: _called_back,
    DoubtRaised: _doubt_raised,
    DoubtResolved: _doubt_resolved,
    CancelRequested: _cancel_requested,
    BranchTaken: _branch_taken,
    BranchesStarted: _branches_started,
    LoopStarted: _loop_started,
    IterationStarted: _iteration_started,
    IterationCompleted: _iteration_completed,
    StepCompleted: _step_completed,
    StepFailed: _step_failed,
    StepSkipped: _step_skipped,
    StepCancelled: _step_cancelled,
    StepReused: _step_reused,
    AttemptInherited: _attempt_inherited,
    ExecutionFinished: _execution_finished,
}
