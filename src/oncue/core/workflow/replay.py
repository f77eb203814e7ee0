"""
What another execution can take over of one that has ended.

A walk goes down the plan as `decide` does, and passes by what is over: its
result is reused. Where the walk comes to what is to run anew, that and all
after it is left out, and what holds it is opened again:

    a ── b ── each[0] ── each[1] ── c          from each[1].call
    ✓    ✓      ✓     └ look ✓ call ✗   ✗      ✓ reused, ✗ runs anew

What runs beside it (other branches, other iterations of a loop with several at
once) is not after it: what is complete there stays.

The records that come of it are the first of the new execution, so its history
says all that it is made of.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.problems import nearest
from oncue.core.workflow.plan import (
    Block,
    CallNode,
    ConditionNode,
    LoopNode,
    Node,
    OnError,
    ParallelNode,
    Plan,
    id_of,
)
from oncue.core.workflow.records import (
    AttemptInherited,
    BranchesStarted,
    BranchTaken,
    IterationCompleted,
    IterationStarted,
    LoopStarted,
    Record,
    StepReused,
)
from oncue.core.workflow.state import AttemptStatus, ExecutionState, StepState, StepStatus

START: Final = "start"
_INDEX = re.compile(r"\[\d+\]")
_HOLDER = re.compile(r"[.\[]")


def resumed(before: Plan, plan: Plan, state: ExecutionState) -> list[Record]:
    """Return the records with which `plan` goes on where an execution of `before` failed."""
    walk = _Walk(before, plan, state, inherits=True)
    walk.block(plan.steps, "", None)
    return walk.records


def replayed(before: Plan, plan: Plan, state: ExecutionState, begin: str) -> list[Record]:
    """
    Return the records with which `plan` begins anew at a step of an execution of `before`.

    `begin` is the path of the step, its id, or `start`; an id within a loop
    means the first iteration that came to it.

    Raises:
        InvalidInput: there is no such step, or the execution cannot come to it.
    """
    if begin == START:
        return []
    walk = _Walk(before, plan, state, inherits=False)
    target = _place(plan, state, begin)
    if _is_within(target, Plan.FAILURE_PATH):
        walk.stand()
        walk.block(plan.on_failure, f"{Plan.FAILURE_PATH}.", target)
    else:
        walk.block(plan.steps, "", target)
    return walk.records


class _Walk:
    """One way down the plan, and the records found on it."""

    def __init__(self, before: Plan, plan: Plan, state: ExecutionState, *, inherits: bool) -> None:
        self.records: list[Record] = []
        self._state = state
        self._inherits = inherits
        there, here = _shapes(before), _shapes(plan)
        self._under = _by_holder(state)
        self._known = {id_ for id_, shape in here.items() if there.get(id_) == shape}

    def block(self, block: Block, prefix: str, target: str | None) -> bool:
        """Return whether all of a block is reused; with a `target`, what comes before that."""
        for node in block:
            path = prefix + node.id
            if target is not None and _is_within(target, path):
                self._reach(node, path, target)
                return False
            # What follows a step that runs anew runs anew, unless somebody said where to begin.
            if not self._keep(node, path) and target is None:
                return False
        return target is None

    def stand(self) -> None:
        """Reuse all that stands before what follows a failure."""
        self._take([p for p in self._state.steps if not _is_within(p, Plan.FAILURE_PATH)])

    def _keep(self, node: Node, path: str) -> bool:
        step = self._step(path)
        if step is None:
            return False
        if step.status is StepStatus.FAILED and node.on_error is not OnError.FAIL:
            self._take_failed(path)
            if isinstance(node.on_error, tuple):
                return self.block(node.on_error, f"{path}.on_error.", None)
            return True
        if step.status in (StepStatus.COMPLETED, StepStatus.SKIPPED) and _is_over(node, step):
            self._take(self._under[path])
            return True
        self._open(node, path, step, None)
        return False

    def _reach(self, node: Node, path: str, target: str) -> None:
        step = self._step(path)
        if target == path or step is None:
            return
        if _is_caught(target, path):
            if step.status is not StepStatus.FAILED or not isinstance(node.on_error, tuple):
                raise _beyond(target, f"step {node.id!r} did not fail")
            self._take_failed(path)
            self.block(node.on_error, f"{path}.on_error.", target)
        else:
            self._open(node, path, step, target)

    def _open(self, node: Node, path: str, step: StepState, target: str | None) -> None:
        """Open again what holds the target, or did not come to its end."""
        match node:
            case ConditionNode():
                self._open_condition(node, path, step, target)
            case ParallelNode():
                self._open_parallel(node, path, target)
            case LoopNode():
                self._open_loop(node, path, step, target)
            case CallNode() if self._inherits:
                since_ms = _may_have_happened_since(self._state, step)
                if since_ms is not None:
                    self.records.append(AttemptInherited(path, since_ms))
            case _:
                pass

    def _open_condition(
        self, node: ConditionNode, path: str, step: StepState, target: str | None
    ) -> None:
        if target is not None and not target.startswith(f"{path}.{step.branch}."):
            raise _beyond(target, f"step {node.id!r} took the branch {step.branch!r}")
        for branch in node.branches:
            if branch.name == step.branch:
                self.records.append(BranchTaken(path, branch.name))
                self.block(branch.block, f"{path}.{branch.name}.", target)

    def _open_parallel(self, node: ParallelNode, path: str, target: str | None) -> None:
        self.records.append(BranchesStarted(path))
        is_race = node.wanted < len(node.branches)
        for branch in node.branches:
            prefix = f"{path}.{branch.name}."
            if target is not None and target.startswith(prefix):
                self.block(branch.block, prefix, target)
            elif target is None or not is_race:
                # A race that was won leaves the others nothing to run for.
                self.block(branch.block, prefix, None)

    def _open_loop(self, node: LoopNode, path: str, step: StepState, target: str | None) -> None:
        begun = step.last_started + 1 if step.items is None else len(step.items)
        wanted = _index(target, path)
        if wanted is not None and wanted >= begun:
            raise _beyond(target, f"the loop {node.id!r} went through {begun} iterations")
        self.records.append(LoopStarted(path, step.items))
        for index in range(begun):
            if step.items is None:
                self.records.append(IterationStarted(path, index))
            prefix = f"{path}[{index}]."
            if index == wanted:
                self.block(node.block, prefix, target)
            elif index in step.iterations:
                self._take(self._under.get(f"{path}[{index}]", ()))
                self.records.append(IterationCompleted(path, index, step.iterations[index]))
            else:
                self.block(node.block, prefix, None)
            is_last = index == wanted or index not in step.iterations
            if is_last and node.max_concurrency == 1:
                return

    def _take(self, paths: Iterable[str]) -> None:
        for path in paths:
            if step := self._step(path):
                self.records += _reused(path, step)

    def _take_failed(self, path: str) -> None:
        """Reuse a step that failed, without what caught that."""
        self._take([found for found in self._under[path] if not _is_caught(found, path)])

    def _step(self, path: str) -> StepState | None:
        """Return a step that was reached, if it means the same here."""
        return self._state.steps.get(path) if id_of(path) in self._known else None


def _by_holder(state: ExecutionState) -> dict[str, list[str]]:
    """Return the paths of all steps by that of each step or iteration that they lie in."""
    under: dict[str, list[str]] = {}
    for path in state.steps:
        for end in (*(found.start() for found in _HOLDER.finditer(path)), len(path)):
            under.setdefault(path[:end], []).append(path)
    return under


def _is_over(node: Node, step: StepState) -> bool:
    """Return whether what was completed waits for nobody to call back."""
    is_awaited = isinstance(node, CallNode) and node.callback_ms is not None
    return not is_awaited or step.callback is not None or step.is_reused


def _reused(path: str, step: StepState) -> Iterator[Record]:
    """Yield the records of a step that is over, so that it can be opened once more from them."""
    if step.branch is not None:
        yield BranchTaken(path, step.branch)
    if step.items is not None or step.last_started >= 0:
        yield LoopStarted(path, step.items)
        if step.items is None:
            yield IterationStarted(path, step.last_started)
        for index, output in step.iterations.items():
            yield IterationCompleted(path, index, output)
    status = step.status if step.is_over else StepStatus.CANCELLED
    yield StepReused(path, status.value, step.input, step.output, step.error)


def _may_have_happened_since(state: ExecutionState, step: StepState) -> int | None:
    """Return when the first attempt began that may have been carried out, also of earlier executions."""
    if step.path in state.inherited:
        return state.inherited[step.path]
    began = (a.started_at_ms for a in step.attempts if a.status is not AttemptStatus.FAILED)
    return min(began, default=None)


def _place(plan: Plan, state: ExecutionState, begin: str) -> str:
    shape = _shapes(plan).get(id_of(begin))
    if shape is not None:
        _, place = shape
        if begin == id_of(begin):
            reached = (p for p in state.steps if id_of(p) == begin and _INDEX.sub("[]", p) == place)
            return next(reached, place.replace("[]", "[0]"))
        if _INDEX.sub("[]", begin) == place:
            return begin
    known = nearest(id_of(begin), plan.ids)
    raise InvalidInput([Problem("from", f"expected {START!r} or a step, got {begin!r}{known}")])


def _shapes(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return the type of each step, and its path without the numbers of iterations, by its id."""
    return {
        id_: (kind, _INDEX.sub("[]", path))
        for block, prefix in ((plan.steps, ""), (plan.on_failure, f"{Plan.FAILURE_PATH}."))
        for id_, kind, path in _places(block, prefix)
    }


def _places(block: Block, prefix: str) -> Iterator[tuple[str, str, str]]:
    for node in block:
        path = prefix + node.id
        yield node.id, node.type, path
        match node:
            case ConditionNode(branches=branches) | ParallelNode(branches=branches):
                for branch in branches:
                    yield from _places(branch.block, f"{path}.{branch.name}.")
            case LoopNode(block=inner):
                yield from _places(inner, f"{path}[0].")
            case _:
                pass
        if isinstance(node.on_error, tuple):
            yield from _places(node.on_error, f"{path}.on_error.")


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _is_caught(path: str, outer: str) -> bool:
    return path.startswith(f"{outer}.on_error.")


def _index(target: str | None, path: str) -> int | None:
    """Return the iteration of the loop at `path` that the target lies in."""
    if target is None:
        return None
    return int(target.removeprefix(f"{path}[").partition("]")[0])


def _beyond(target: str | None, why: str) -> InvalidInput:
    message = f"expected a step that the execution can come to, got {target!r}: {why}"
    return InvalidInput([Problem("from", message)])
