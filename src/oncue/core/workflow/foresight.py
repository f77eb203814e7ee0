"""What a workflow would do if every call went well, without doing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.workflow.decide import next_of_leaf, taken_branch
from oncue.core.workflow.machine import advance
from oncue.core.workflow.plan import ConditionNode, LoopNode, Node, ParallelNode, Plan
from oncue.core.workflow.records import (
    AttemptSucceeded,
    CalledBack,
    DelayStarted,
    Outcome,
    StepCompleted,
    TimerFired,
)
from oncue.core.workflow.scope import Scope
from oncue.core.workflow.state import ExecutionState

MAX_RECORDS: Final = 20_000
"""After so many nobody reads on."""

Assume = Callable[[str], Json]
"""From the path of a step that calls something to the output that is assumed of it."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How it would end; `is_cut` where it goes on for too long."""

    state: ExecutionState
    is_cut: bool


def foresee(plan: Plan, state: ExecutionState, assume: Assume) -> Foreseen:
    """Return what would follow from the beginning: calls go well, time passes at once."""
    now_ms = state.now_ms
    outcomes: list[Outcome] = []
    while True:
        records = advance(plan, state, outcomes, now_ms)
        if state.final or not records or state.position > MAX_RECORDS:
            return Foreseen(state, is_cut=not state.final)
        outcomes = [AttemptSucceeded(path, 1, assume(path)) for path in state.calling]
        if not outcomes:
            now_ms, outcomes = _next_of_time(state)


def _next_of_time(state: ExecutionState) -> tuple[int, list[Outcome]]:
    callbacks: list[Outcome] = [
        CalledBack(path)
        for path, step in state.waiting.items()
        if step.awaits_callback and not step.callback
    ]
    if callbacks:
        return state.now_ms, callbacks
    due = {path: due_ms for path, due_ms in state.timers().items() if path}
    if not due:
        return state.now_ms, []
    first_ms = min(due.values())
    return first_ms, [TimerFired(path) for path, due_ms in due.items() if due_ms == first_ms]


def result_of(node: Node, scope: Scope) -> Json:
    """
    Return the output of a step that touches nothing outside.

    Raises:
        EvaluationError: it cannot be told.
        TypeError: the step holds others, or calls something.
    """
    match node:
        case ConditionNode():
            branch = taken_branch(node, scope)
            return {"branch": branch.name if branch else None}
        case LoopNode() | ParallelNode():
            raise TypeError(f"expected a step by itself, got a {node.type}")
        case _:
            commands = next_of_leaf(node, node.id, None, scope)
    match commands[0]:
        case DelayStarted(due_ms=due_ms):
            return {"until": format_instant(due_ms)}
        case StepCompleted(output=output):
            return output
        case _:
            raise TypeError(f"expected a step that calls nothing, got a {node.type}")


def sample(schema: Mapping[str, Json]) -> Json:
    """
    Return a plain value that fits a JSON Schema as pydantic writes it.

    >>> sample({"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}})
    {'id': '', 'n': 0}
    """
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, Mapping)
    return _sample(schema, definitions)


def _sample(schema: Mapping[str, Json], definitions: Mapping[str, Json]) -> Json:
    if isinstance(reference := schema.get("$ref"), str):
        found = definitions[reference.rpartition("/")[2]]
        return _sample(found, definitions) if isinstance(found, Mapping) else None
    for name in ("default", "const"):
        if name in schema:
            return schema[name]
    if isinstance(choices := schema.get("enum"), list):
        first: Json = choices[0]
        return first
    if isinstance(options := schema.get("anyOf"), list) and isinstance(options[0], Mapping):
        return _sample(options[0], definitions)
    properties = schema.get("properties")
    if schema.get("type") == "object" and isinstance(properties, Mapping):
        return {
            name: _sample(inner, definitions)
            for name, inner in properties.items()
            if isinstance(inner, Mapping)
        }
    plain: Json = _PLAIN.get(str(schema.get("type")))
    return plain


_PLAIN: Final[Mapping[str, Json]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": True,
    "array": [],
    "object": {},
}
