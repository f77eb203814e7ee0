"""
What must happen next, read off the plan and the state.

A walk goes down the plan to every place where the execution stands: along a
block to its first step that is not over, into every open branch and iteration.
There it asks for what comes next. What is over is passed by, so the cost is
that of what is open: an iteration that ended is one entry of its loop.
"""

from dataclasses import dataclass
from typing import TypeAlias

from oncue.core.errors import EvaluationError
from oncue.core.instants import format_instant, parse_duration, parse_instant
from oncue.core.json_text import Json
from oncue.core.workflow.calls import first_attempt, next_of_call
from oncue.core.workflow.plan import (
    Block,
    Branch,
    CallNode,
    ConditionNode,
    DelayNode,
    LoopNode,
    Node,
    OnError,
    ParallelNode,
    Plan,
    StopNode,
    TransformNode,
)
from oncue.core.workflow.records import (
    BranchesStarted,
    BranchTaken,
    Command,
    DelayStarted,
    ExecutionFinished,
    FinalStatus,
    IterationCompleted,
    IterationStarted,
    LoopStarted,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepSkipped,
)
from oncue.core.workflow.scope import Scope
from oncue.core.workflow.state import ExecutionState, StepState, StepStatus


@dataclass(frozen=True, slots=True)
class _Open:
    """Something is left; the walk said what comes next, or that depends on the world."""


@dataclass(frozen=True, slots=True)
class _Done:
    """All steps of the block are over."""

    output: dict[str, Json]


@dataclass(frozen=True, slots=True)
class _Failed:
    """A step failed, and nothing caught it."""

    error: str


_Standing: TypeAlias = _Open | _Done | _Failed
_OPEN = _Open()


def decide(plan: Plan, state: ExecutionState, now_ms: int) -> tuple[Command, ...]:
    """Return what must happen next; nothing, if that depends on an outcome or a timer."""
    if state.final:
        return ()
    if end := _forced_end(plan, state):
        return (end,)
    walk = _Walk(state)
    scope = Scope(plan, state, now_ms)
    standing = walk.block(plan.steps, "", scope)
    if not isinstance(standing, _Open):
        walk.commands.append(_finish(walk, plan, scope, standing))
    return tuple(command for command in walk.commands if command)


def _forced_end(plan: Plan, state: ExecutionState) -> Command | None:
    if state.cancel:
        return ExecutionFinished(FinalStatus.CANCELLED, error=state.cancel.reason)
    error = None
    if state.is_expired:
        error = f"expected an end within {plan.timeout_ms} ms, got none"
    elif len(state.steps) > plan.max_steps:
        error = f"expected at most {plan.max_steps} steps, got more"
    return ExecutionFinished(FinalStatus.FAILED, error=error) if error else None


def _finish(walk: "_Walk", plan: Plan, scope: Scope, standing: _Done | _Failed) -> Command | None:
    if isinstance(standing, _Failed):
        caught = walk.block(plan.on_failure, f"{Plan.FAILURE_PATH}.", scope)
        if isinstance(caught, _Open) or walk.commands:
            return None
        return ExecutionFinished(FinalStatus.FAILED, error=standing.error)
    if plan.output is None:
        return ExecutionFinished(FinalStatus.COMPLETED, output=_last_output(plan, scope.state))
    try:
        return ExecutionFinished(FinalStatus.COMPLETED, output=scope.render(plan.output))
    except EvaluationError as exc:
        return ExecutionFinished(FinalStatus.FAILED, error=f"output: {exc}")


def _last_output(plan: Plan, state: ExecutionState) -> Json:
    for node in reversed(plan.steps):
        step = state.steps.get(node.id)
        if step and step.status is StepStatus.COMPLETED:
            return step.output
    return None


class _Walk:
    """One way down the plan, and the commands found on it."""

    def __init__(self, state: ExecutionState) -> None:
        self.commands: list[Command | None] = []
        self._state = state

    def block(self, block: Block, prefix: str, scope: Scope) -> _Standing:
        """Return how a block stands; `prefix` is what comes before the ids in its paths."""
        output: dict[str, Json] = {}
        for node in block:
            path = prefix + node.id
            step = self._state.steps.get(path)
            if step is None or not step.is_over:
                self._step(node, path, step, scope)
                return _OPEN
            # A call is over before its callback has come.
            if isinstance(node, CallNode) and (command := _callback(node, step, scope)):
                self.commands.append(command)
                return _OPEN
            self._show(node, step, path, scope)
            if step.status is StepStatus.FAILED:
                caught = self._caught(node, step, path, scope)
                if not isinstance(caught, _Done):
                    return caught
            # Null for what was skipped or caught, so that it can be asked for.
            output[node.id] = step.output if step.status is StepStatus.COMPLETED else None
        return _Done(output)

    def _show(self, node: Node, step: StepState, path: str, scope: Scope) -> None:
        """Let what follows see a step, and those in the branches that it took."""
        scope.show(step, node.id)
        if not isinstance(node, ConditionNode | ParallelNode):
            return
        for branch in node.branches:
            for inner in branch.block:
                inner_path = f"{path}.{branch.name}.{inner.id}"
                if found := self._state.steps.get(inner_path):
                    self._show(inner, found, inner_path, scope)

    def _caught(self, node: Node, step: StepState, path: str, scope: Scope) -> _Standing:
        if isinstance(node.on_error, tuple):
            return self.block(node.on_error, f"{path}.on_error.", scope)
        if node.on_error is OnError.CONTINUE:
            return _Done({})
        return _Failed(f"step {node.id!r}: {step.error}")

    def _step(self, node: Node, path: str, step: StepState | None, scope: Scope) -> None:
        try:
            if step is None and node.guard and not scope.holds(node.guard):
                self.commands.append(StepSkipped(path))
                return
            match node:
                case ConditionNode():
                    self._condition(node, path, step, scope)
                case LoopNode():
                    self._loop(node, path, step, scope)
                case ParallelNode():
                    self._parallel(node, path, step, scope)
                case _:
                    self.commands.extend(next_of_leaf(node, path, step, scope))
        except EvaluationError as exc:
            self.commands.append(StepFailed(path, str(exc)))

    def _condition(
        self, node: ConditionNode, path: str, step: StepState | None, scope: Scope
    ) -> None:
        if step is None:
            taken = taken_branch(node, scope)
            self.commands.append(BranchTaken(path, taken.name if taken else None))
            return
        for branch in node.branches:
            if branch.name == step.branch:
                standing = self.block(branch.block, f"{path}.{branch.name}.", scope)
                if isinstance(standing, _Open):
                    return
                if isinstance(standing, _Failed):
                    self.commands.append(StepFailed(path, standing.error))
                    return
        self.commands.append(StepCompleted(path, {"branch": step.branch}))

    def _loop(self, node: LoopNode, path: str, step: StepState | None, scope: Scope) -> None:
        if step is None:
            self.commands.append(_start_of_loop(node, path, scope))
            return
        begun = step.last_started + 1 if step.items is None else len(step.items)
        is_open = False
        for index in _open_iterations(step, begun, node.max_concurrency):
            standing = self._iteration(node, path, step, index, scope)
            if isinstance(standing, _Failed):
                self._give_up(f"{path}[")
                self.commands.append(StepFailed(path, f"iteration {index}: {standing.error}"))
                return
            if isinstance(standing, _Done):
                self.commands.append(IterationCompleted(path, index, standing.output))
            is_open = True
        if not is_open:
            self.commands.append(_next_of_loop(node, path, step, scope))

    def _iteration(
        self, node: LoopNode, path: str, step: StepState, index: int, scope: Scope
    ) -> _Standing:
        variables: dict[str, Json] = {"index": index}
        if step.items is not None:
            variables[node.item_name] = step.items[index]
        return self.block(node.block, f"{path}[{index}].", scope.inner(variables))

    def _parallel(
        self, node: ParallelNode, path: str, step: StepState | None, scope: Scope
    ) -> None:
        if step is None:
            self.commands.append(BranchesStarted(path))
            return
        done: dict[str, Json] = {}
        failures: list[str] = []
        for branch in node.branches:
            standing = self.block(branch.block, f"{path}.{branch.name}.", scope.inner())
            if isinstance(standing, _Done):
                done[branch.name] = standing.output
            elif isinstance(standing, _Failed):
                failures.append(f"branch {branch.name!r}: {standing.error}")
        if len(done) >= node.wanted:
            self._give_up(f"{path}.")
            self.commands.append(StepCompleted(path, done))
        elif len(node.branches) - len(failures) < node.wanted:
            self._give_up(f"{path}.")
            self.commands.append(StepFailed(path, failures[0]))

    def _give_up(self, prefix: str) -> None:
        # What open branches and iterations asked for in this walk is not wanted any more.
        self.commands = [c for c in self.commands if c and not _path(c).startswith(prefix)]
        found = [path for path in self._state.open if path.startswith(prefix)]
        self.commands.extend(StepCancelled(path) for path in found)


def taken_branch(node: ConditionNode, scope: Scope) -> Branch | None:
    """
    Return the branch that is taken here, if one is.

    Raises:
        EvaluationError: a test cannot be told.
    """
    return next((b for b in node.branches if not b.test or scope.holds(b.test)), None)


def _path(command: Command) -> str:
    return "" if isinstance(command, ExecutionFinished) else command.path


def _callback(node: CallNode, step: StepState, scope: Scope) -> Command | None:
    if node.callback_ms is None or step.awaits_callback or step.status is not StepStatus.COMPLETED:
        return None
    if step.is_reused:
        return None
    return next_of_call(node, step, scope)


def _open_iterations(step: StepState, begun: int, most: int) -> list[int]:
    """Return the first iterations that have not ended: those are at work, or may begin."""
    found: list[int] = []
    index = step.first_open
    while index < begun and len(found) < most:
        if index not in step.iterations:
            found.append(index)
        index += 1
    return found


def _start_of_loop(node: LoopNode, path: str, scope: Scope) -> Command:
    if node.items is None:
        return LoopStarted(path)
    items = scope.render(node.items)
    if not isinstance(items, list):
        raise EvaluationError(f"for_each: expected a list, got {items!r}")
    if len(items) > node.max_iterations:
        return StepFailed(
            path, f"expected at most {node.max_iterations} iterations, got {len(items)}"
        )
    return LoopStarted(path, items)


def _next_of_loop(node: LoopNode, path: str, step: StepState, scope: Scope) -> Command:
    """Return another iteration of a loop with a condition, or the end of the loop."""
    index = len(step.iterations)
    if node.test:
        # The condition sees the steps of the iteration before it.
        inner = scope.inner({"index": index})
        for id_, output in step.iterations.get(index - 1, {}).items():
            inner.steps[id_] = {"output": output, "status": StepStatus.COMPLETED.value}
        if inner.holds(node.test):
            if index >= node.max_iterations:
                return StepFailed(path, f"expected an end within {node.max_iterations} iterations")
            return IterationStarted(path, index)
    return StepCompleted(path, [step.iterations[n] for n in range(index)])


def next_of_leaf(
    node: CallNode | DelayNode | TransformNode | StopNode,
    path: str,
    step: StepState | None,
    scope: Scope,
) -> list[Command | None]:
    """
    Return what comes next in a step that holds no others.

    Raises:
        EvaluationError: a value is missing, or not of the right kind.
    """
    match node:
        case CallNode():
            if step is None:
                return [first_attempt(node, path, scope)]
            return [next_of_call(node, step, scope)]
        case DelayNode():
            return [_next_of_delay(node, path, step, scope)]
        case TransformNode():
            return [StepCompleted(path, scope.render(node.output))]
        case StopNode():
            message = scope.render(node.message)
            is_failure = node.status is FinalStatus.FAILED
            end = ExecutionFinished(
                node.status,
                output=None if is_failure else message,
                error=str(message) if is_failure else None,
                by_stop=True,
            )
            return [StepCompleted(path, message), end]


def _next_of_delay(
    node: DelayNode, path: str, step: StepState | None, scope: Scope
) -> Command | None:
    if step is None:
        return DelayStarted(path, _due(node, scope))
    if step.is_due and step.due_ms is not None:
        return StepCompleted(path, {"until": format_instant(step.due_ms)})
    return None


def _due(node: DelayNode, scope: Scope) -> int:
    amount = scope.render(node.amount)
    if not isinstance(amount, str):
        raise EvaluationError(f"expected text such as '24h', got {amount!r}")
    try:
        return parse_instant(amount) if node.is_instant else scope.now_ms + parse_duration(amount)
    except ValueError as exc:
        raise EvaluationError(str(exc)) from exc
