"""
The workflow interpreter: no clock, no network, no database.

An execution is its history. `evolve` folds one record into the state; `decide`
says what must happen next. `advance` turns the two until nothing more can be
decided; what it returns is one *turn*: the engine writes it down in one commit
and only then carries out the commands in it.

    outcomes ──▶ evolve ──▶ state ──▶ decide ──▶ commands ─┐
                   ▲                                       │
                   └───────────── the same turn ◀──────────┘

Two rules make a crash harmless. `decide` reads nothing but its arguments, so
the same history gives the same commands; and a command is a record that names
its step and attempt, so one that was allowed and has no outcome is seen.
"""

from collections.abc import Iterable, Mapping

from oncue.core.errors import EvaluationError
from oncue.core.expression import Expression, Template, to_json
from oncue.core.ids import digest
from oncue.core.instants import format_instant, parse_duration, parse_instant
from oncue.core.json_text import Json, encode_json
from oncue.core.workflow.plan import ActionNode, DelayNode, Node, Plan, TransformNode
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    Command,
    DelayStarted,
    ExecutionFinished,
    FinalStatus,
    Outcome,
    Record,
    RetryScheduled,
    StepCompleted,
    StepFailed,
    TimerFired,
)
from oncue.core.workflow.retry import OnUnknown
from oncue.core.workflow.state import (
    Attempt,
    AttemptStatus,
    ExecutionState,
    StepState,
    StepStatus,
)


def advance(
    plan: Plan, state: ExecutionState, outcomes: Iterable[Outcome], now_ms: int
) -> list[Record]:
    """Return the records of one turn: `outcomes`, and all that follows from them without waiting."""
    turn: list[Record] = []
    for outcome in outcomes:
        turn.append(outcome)
        evolve(state, outcome, now_ms)
    while commands := decide(plan, state, now_ms):
        turn.extend(commands)
        for command in commands:
            evolve(state, command, now_ms)
    return turn


def evolve(state: ExecutionState, record: Record, at_ms: int) -> ExecutionState:
    """Return `state` with `record` of the instant `at_ms` folded in; the argument is used up."""
    state.now_ms = at_ms
    state.position += 1
    if state.started_at_ms is None:
        state.started_at_ms = at_ms
    match record:
        case ExecutionFinished():
            state.final = record.status
            state.finished_at_ms = at_ms
            state.output, state.error = record.output, record.error
        case AttemptStarted():
            _begin_attempt(state, record, at_ms)
        case AttemptSucceeded() | AttemptFailed() | AttemptLost():
            _end_attempt(state.steps[record.path], record, at_ms)
        case DelayStarted() | RetryScheduled():
            step = state.steps.setdefault(record.path, StepState(record.path, StepStatus.WAITING))
            step.status, step.due_ms = StepStatus.WAITING, record.due_ms
        case TimerFired():
            step = state.steps[record.path]
            step.is_due = True
        case StepCompleted():
            step = state.steps.setdefault(record.path, StepState(record.path, StepStatus.RUNNING))
            step.status, step.output, step.is_due = StepStatus.COMPLETED, record.output, False
        case StepFailed():
            step = state.steps.setdefault(record.path, StepState(record.path, StepStatus.RUNNING))
            step.status, step.error = StepStatus.FAILED, record.error
    return state


def decide(plan: Plan, state: ExecutionState, now_ms: int) -> tuple[Command, ...]:
    """Return what must happen next; nothing, if that depends on an outcome or a timer."""
    if state.final:
        return ()
    seen: dict[str, Json] = {}
    for node in plan.steps:
        step = state.steps.get(node.id)
        if step is None or step.status in (StepStatus.RUNNING, StepStatus.WAITING):
            return _next_of_step(node, step, _Scope(plan, state, seen, now_ms))
        if step.status is StepStatus.FAILED:
            error = f"step {node.id!r}: {step.error}"
            return (ExecutionFinished(FinalStatus.FAILED, error=error),)
        seen[node.id] = {"output": step.output, "status": step.status.value}
    return (_completion(plan, _Scope(plan, state, seen, now_ms)),)


class _Scope:
    """What the templates of one step may read."""

    __slots__ = ("now_ms", "plan", "seen", "state")

    def __init__(
        self, plan: Plan, state: ExecutionState, seen: Mapping[str, Json], now_ms: int
    ) -> None:
        self.plan, self.state, self.seen, self.now_ms = plan, state, seen, now_ms

    def render(self, source: Template | Expression) -> Json:
        start = self.state.start
        values = {
            "event": start.event,
            "match": start.match,
            "input": start.input,
            "steps": self.seen,
            "vars": self.plan.vars,
            "execution": {"id": start.execution_id, "now": format_instant(self.state.now_ms)},
        }
        if isinstance(source, Expression):
            return to_json(source.evaluate(values))
        return source.render(values)


def _next_of_step(node: Node, step: StepState | None, scope: _Scope) -> tuple[Command, ...]:
    try:
        match node:
            case ActionNode():
                command = _next_of_action(node, step, scope)
            case DelayNode():
                command = _next_of_delay(node, step, scope)
            case TransformNode():
                command = StepCompleted(node.id, scope.render(node.output))
    except EvaluationError as exc:
        command = StepFailed(node.id, str(exc))
    return (command,) if command else ()


def _next_of_action(node: ActionNode, step: StepState | None, scope: _Scope) -> Command | None:
    if step is None:
        rendered = scope.render(node.input)
        key = digest([scope.state.start.root_id, node.id, 0, encode_json(rendered).decode()])[:40]
        return AttemptStarted(node.id, node.action, 1, key, rendered)
    last = step.attempts[-1]
    if step.is_due:
        return AttemptStarted(node.id, node.action, last.attempt + 1, step.idempotency_key)
    if last.status is AttemptStatus.RUNNING or step.status is StepStatus.WAITING:
        return None
    return _after_failure(node, step, last, scope)


def _after_failure(node: ActionNode, step: StepState, last: Attempt, scope: _Scope) -> Command:
    is_over = last.is_permanent or (
        last.status is AttemptStatus.IN_DOUBT and node.on_unknown is OnUnknown.FAIL
    )
    seed = f"{scope.state.start.execution_id}/{step.path}/{last.attempt}"
    delay = None if is_over else node.retry.delay_after(last.attempt, seed)
    if delay is None:
        return StepFailed(step.path, last.error or "")
    if last.by_crash:
        return AttemptStarted(node.id, node.action, last.attempt + 1, step.idempotency_key)
    # What the vendor asks for outweighs our own ceiling.
    wait = delay if last.retry_after_ms is None else max(delay, last.retry_after_ms)
    return RetryScheduled(step.path, scope.now_ms + wait)


def _next_of_delay(node: DelayNode, step: StepState | None, scope: _Scope) -> Command | None:
    if step is None:
        return DelayStarted(node.id, _due(node, scope))
    if step.is_due and step.due_ms is not None:
        return StepCompleted(node.id, {"until": format_instant(step.due_ms)})
    return None


def _due(node: DelayNode, scope: _Scope) -> int:
    amount = scope.render(node.amount)
    if not isinstance(amount, str):
        raise EvaluationError(f"expected text such as '24h', got {amount!r}")
    try:
        return parse_instant(amount) if node.is_instant else scope.now_ms + parse_duration(amount)
    except ValueError as exc:
        raise EvaluationError(str(exc)) from exc


def _completion(plan: Plan, scope: _Scope) -> ExecutionFinished:
    if plan.output is None:
        last = scope.state.steps[plan.steps[-1].id]
        return ExecutionFinished(FinalStatus.COMPLETED, output=last.output)
    try:
        return ExecutionFinished(FinalStatus.COMPLETED, output=scope.render(plan.output))
    except EvaluationError as exc:
        return ExecutionFinished(FinalStatus.FAILED, error=f"output: {exc}")


def _begin_attempt(state: ExecutionState, record: AttemptStarted, at_ms: int) -> None:
    step = state.steps.get(record.path)
    if step is None:
        step = StepState(record.path, StepStatus.RUNNING, input=record.input)
        step.idempotency_key = record.idempotency_key
        state.steps[record.path] = step
    step.status, step.is_due = StepStatus.RUNNING, False
    step.attempts.append(Attempt(record.attempt, at_ms))


def _end_attempt(
    step: StepState, record: AttemptSucceeded | AttemptFailed | AttemptLost, at_ms: int
) -> None:
    attempt = step.attempts[-1]
    attempt.finished_at_ms = at_ms
    match record:
        case AttemptSucceeded():
            attempt.status = AttemptStatus.COMPLETED
            step.status, step.output = StepStatus.COMPLETED, record.output
        case AttemptFailed():
            attempt.status, attempt.error = AttemptStatus.FAILED, record.error
            attempt.is_permanent = record.is_permanent
            attempt.retry_after_ms = record.retry_after_ms
        case AttemptLost():
            attempt.status, attempt.error = AttemptStatus.IN_DOUBT, record.error
            attempt.by_crash = record.by_crash
