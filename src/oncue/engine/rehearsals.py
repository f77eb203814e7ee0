"""Workflows that are tried: what one would do, and one step of it for real."""

from collections.abc import Mapping
from dataclasses import dataclass

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.core.workflow.compile import Library
from oncue.core.workflow.foresight import foresee, result_of, sample
from oncue.core.workflow.plan import CallNode, LoopNode, Node, ParallelNode, Plan, id_of
from oncue.core.workflow.scope import Scope
from oncue.core.workflow.state import ExecutionState, StepStatus, begin
from oncue.engine.by_hand import HandStarts
from oncue.engine.definitions import Definitions
from oncue.ports import Actions, Clock, Journal, Rehearsal, StoredExecution, WorkflowVersion


@dataclass(frozen=True, slots=True)
class ForeseenExecution:
    """An execution as it would end; nothing of it was written down."""

    stored: StoredExecution
    plan: Plan
    is_cut: bool


@dataclass(frozen=True, slots=True)
class TriedStep:
    """A step that was tried: what it was given, and what it gave."""

    input: Json
    rehearsal: Rehearsal
    duration_ms: int


class Rehearsals:
    """Tries workflows."""

    def __init__(
        self,
        definitions: Definitions,
        starts: HandStarts,
        journal: Journal,
        actions: Actions,
        library: Library,
        clock: Clock,
    ) -> None:
        self._definitions = definitions
        self._starts = starts
        self._journal = journal
        self._actions = actions
        self._library = library
        self._clock = clock

    async def plan(self, account: str, workflow: WorkflowVersion, body: Json) -> ForeseenExecution:
        """
        Return what an execution would do if its calls went well; nothing is sent.

        The body is that of an execution by hand; `steps` may say what calls give.

        Raises:
            InvalidInput: the body is none of the three forms.
            NotFound: there is no event of that id.
        """
        given, rest = _split(body, ("steps",))
        outputs = _object(given, "steps")
        plan = await self._definitions.plan(account, workflow.id, workflow.version)
        _check_steps(plan, outputs)
        new = await self._starts.prepare(account, workflow, rest)

        def assume(path: str) -> Json:
            id_ = id_of(path)
            if id_ in outputs:
                return outputs[id_]
            action = self._library.get(plan.call(path).action)
            return sample(action.output.model_json_schema()) if action else None

        foreseen = foresee(plan, begin(new.start), assume)
        return ForeseenExecution(StoredExecution(new, foreseen.state), plan, foreseen.is_cut)

    async def step(self, account: str, workflow: WorkflowVersion, body: Json) -> TriedStep:
        """
        Return what one step gives, for real, with what the body says came before it.

        Raises:
            InvalidInput: the body does not name such a step, or is otherwise wrong.
            NotFound: there is no event or execution of that id.
        """
        given, rest = _split(body, ("step", "steps", "values", "execution_id"))
        plan = await self._definitions.plan(account, workflow.id, workflow.version)
        node = _node(plan, given.get("step"))
        outputs, values = _object(given, "steps"), _object(given, "values")
        _check_steps(plan, outputs)
        state = await self._state(account, workflow, given.get("execution_id"), rest)
        scope = Scope(plan, state, self._clock.now_ms()).inner(values)
        for path, step in state.steps.items():
            if "[" not in path:
                scope.show(step, id_of(path))
        for id_, output in outputs.items():
            scope.steps[id_] = {"output": output, "status": StepStatus.COMPLETED.value}
        return await self._try(account, node, scope)

    async def _try(self, account: str, node: Node, scope: Scope) -> TriedStep:
        began_ms = self._clock.now_ms()
        rendered: Json = None
        try:
            if isinstance(node, CallNode):
                callback = {"callback_url": f"{scope.state.start.callback_url}/{node.id}"}
                rendered, spots = scope.inner(callback).render_concealed(node.input)
                key = f"test-{scope.state.start.execution_id}-{node.id}-{began_ms}"
                found = await self._actions.rehearse(
                    account,
                    node.action,
                    rendered,
                    key,
                    is_dry=False,
                    connection=node.connection,
                    spots=spots,
                )
            else:
                found = Rehearsal(result_of(node, scope), None, [])
        except EvaluationError as exc:
            found = Rehearsal(None, str(exc), [])
        return TriedStep(rendered, found, self._clock.now_ms() - began_ms)

    async def _state(
        self, account: str, workflow: WorkflowVersion, execution_id: Json, rest: Json
    ) -> ExecutionState:
        if execution_id is None:
            new = await self._starts.prepare(account, workflow, rest)
            return begin(new.start)
        if not isinstance(execution_id, str):
            raise InvalidInput([Problem("execution_id", f"expected text, got {execution_id!r}")])
        if rest:
            raise InvalidInput([Problem("", "expected either an execution or an event, got both")])
        return (await self._journal.load(account, execution_id)).state


def _split(body: Json, own: tuple[str, ...]) -> tuple[dict[str, Json], Json]:
    """Return the fields that are `own`, and the rest of the body."""
    if not isinstance(body, Mapping):
        raise InvalidInput([Problem("", "expected an object, got something else")])
    given = {name: value for name, value in body.items() if name in own}
    return given, {name: value for name, value in body.items() if name not in own}


def _object(given: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = given.get(name, {})
    if not isinstance(value, dict):
        raise InvalidInput([Problem(name, "expected an object, got something else")])
    return value


def _node(plan: Plan, step: Json) -> Node:
    known = plan.ids
    if not isinstance(step, str) or step not in known:
        hint = nearest(str(step), known)
        raise InvalidInput([Problem("step", f"expected a step's id, got {step!r}{hint}")])
    node = plan.node(step)
    if isinstance(node, LoopNode | ParallelNode):
        message = f"expected a step by itself, got {step!r}, a {node.type}: try the steps in it"
        raise InvalidInput([Problem("step", message)])
    return node


def _check_steps(plan: Plan, outputs: Mapping[str, Json]) -> None:
    problems = [
        Problem(f"steps.{id_}", f"expected a step's id, got {id_!r}{nearest(id_, plan.ids)}")
        for id_ in outputs
        if id_ not in plan.ids
    ]
    if problems:
        raise InvalidInput(problems)
