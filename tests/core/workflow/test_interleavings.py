"""Whatever a workflow is, and whatever the world does to it, some things hold of its history."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.json_text import Json
from oncue.core.workflow.machine import evolve
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Outcome,
    TimerFired,
    decode_records,
    encode_records,
)
from oncue.core.workflow.state import ExecutionState, begin
from tests.core.workflow.test_control_flow import World, plan_of
from tests.make import make_call

MOST_MOVES = 400
ENDS = {"AttemptSucceeded", "StepCompleted", "StepFailed", "StepSkipped", "StepCancelled"}


@st.composite
def steps(draw: Any, depth: int = 3, prefix: str = "s") -> list[Json]:
    count = draw(st.integers(1, 3))
    return [draw(step(depth, f"{prefix}{index}")) for index in range(count)]


@st.composite
def step(draw: Any, depth: int, id_: str) -> Json:
    kinds = ["call", "transform", "delay", "guarded"]
    if depth > 0:
        kinds += ["condition", "loop", "parallel", "caught"]
    kind = draw(st.sampled_from(kinds))
    inner = depth - 1
    match kind:
        case "transform":
            return {"id": id_, "type": "transform", "expr": draw(st.sampled_from(["1", "event.x"]))}
        case "delay":
            return {"id": id_, "type": "delay", "for": "1h"}
        case "guarded":
            return make_call(id_, **{"if": draw(st.sampled_from(["true", "false"]))})
        case "condition":
            return {
                "id": id_, "type": "condition", "if": draw(st.sampled_from(["true", "false"])),
                "then": draw(steps(inner, f"{id_}t")), "else": draw(steps(inner, f"{id_}e")),
            }  # fmt: skip
        case "loop":
            return {
                "id": id_, "type": "loop", "for_each": [*range(draw(st.integers(0, 3)))],
                "max_concurrency": draw(st.integers(1, 3)), "steps": draw(steps(inner, f"{id_}l")),
            }  # fmt: skip
        case "parallel":
            names = ["a", "b", "c"][: draw(st.integers(1, 3))]
            return {
                "id": id_, "type": "parallel", "wait": draw(st.sampled_from(["all", "any"])),
                "branches": {name: draw(steps(inner, f"{id_}{name}")) for name in names},
            }  # fmt: skip
        case "caught":
            return make_call(id_, on_error=draw(steps(inner, f"{id_}x")))
    return make_call(id_)


def _again(world: World) -> ExecutionState:
    """Fold the history anew, as a restart does: through its bytes."""
    state = begin(world.state.start)
    for at_ms, records in world.history:
        for record in decode_records(encode_records(records)):
            evolve(state, record, at_ms)
    return state


def _outcome(draw: Any, call: AttemptStarted) -> Outcome:
    match draw(st.sampled_from(["ok", "ok", "ok", "fail", "lost", "permanent"])):
        case "ok":
            return AttemptSucceeded(call.path, call.attempt, {"did": call.path})
        case "fail":
            return AttemptFailed(call.path, call.attempt, "busy")
        case "lost":
            return AttemptLost(call.path, call.attempt, "no answer")
    return AttemptFailed(call.path, call.attempt, "refused", is_permanent=True)


def _end_a_call(world: World, draw: Any) -> None:
    index = draw(st.integers(0, len(world.in_flight) - 1))
    world.turn(_outcome(draw, world.in_flight.pop(index)))


def _fire_a_timer(world: World, draw: Any) -> None:
    path, due_ms = min(world.state.timers().items(), key=lambda timer: timer[1])
    world.now_ms = max(world.now_ms, due_ms)
    world.turn(TimerFired(path))


def _cancel(world: World, draw: Any) -> None:
    world.turn(CancelRequested("enough"))

    assert world.state.status == "cancelled"


def _restart(world: World, draw: Any) -> None:
    """Stop between two turns, with all answers written down."""
    again = _again(world)

    assert again == world.state
    world.state = again
    world.turn()


def _crash(world: World, draw: Any) -> None:
    """Die with calls in flight, whose answers nobody will hear."""
    world.state = _again(world)
    world.in_flight.clear()
    lost = [
        AttemptLost(step.path, step.attempts[-1].attempt, "it stopped", by_crash=True)
        for step in world.state.calling.values()
    ]
    world.turn(*lost)


def _moves(world: World) -> list[Callable[[World, Any], None]]:
    """Return what must bring a workflow to its end, if anything can."""
    return [_end_a_call] * bool(world.in_flight) + [_fire_a_timer] * bool(world.state.timers())


@settings(max_examples=200)
@given(st.data())
def test_any_workflow_ends_whatever_the_world_does(data: Any) -> None:
    world = World(plan_of(*data.draw(steps())))
    world.turn()
    disturbances = data.draw(st.lists(st.sampled_from([_restart, _crash, _cancel]), max_size=4))
    for _ in range(MOST_MOVES):
        if world.state.final:
            break
        moves = _moves(world)
        assert moves, f"stuck at {[*world.state.open]}"
        if disturbances and data.draw(st.booleans()):
            disturbances.pop()(world, data.draw)
        else:
            data.draw(st.sampled_from(moves))(world, data.draw)

    assert world.state.final, f"no end after {MOST_MOVES} moves"
    _check_order(world)
    _check_end(world)


def _check_order(world: World) -> None:
    """No attempt begins twice, nor before what stands before its step has ended."""
    ended: set[str] = set()
    began: set[tuple[str, int]] = set()
    for _, records in world.history:
        for record in records:
            if isinstance(record, AttemptStarted):
                assert (record.path, record.attempt) not in began
                began.add((record.path, record.attempt))
                before = _predecessor(record.path)
                assert before is None or before in ended
            if type(record).__name__ in ENDS:
                ended.add(getattr(record, "path", ""))
    keys = {(call.path, call.idempotency_key) for call in world.calls}
    assert len(keys) == len({call.path for call in world.calls})


def _check_end(world: World) -> None:
    """A final status never changes, whatever comes late."""
    assert not world.state.open
    assert not world.state.timers()
    final = _seen(world.state)
    late: list[Outcome] = [CancelRequested("too late")]
    late += [AttemptSucceeded(call.path, call.attempt, None) for call in world.calls]
    late += [TimerFired(path) for path in ["", *world.state.steps]]
    for outcome in late:
        world.turn(outcome)
        assert _seen(world.state) == final
    assert _seen(_again(world)) == final


def _seen(state: ExecutionState) -> Json:
    return {
        "status": state.status.value,
        "output": state.output,
        "error": state.error,
        "finished_at_ms": state.finished_at_ms,
        "steps": {path: step.status.value for path, step in state.steps.items()},
    }


def _predecessor(path: str) -> str | None:
    """Return the step written before this one in its block: ids end in their number."""
    found = re.fullmatch(r"(.*?)(\d)", path)
    if not found or found[2] == "0":
        return None
    return f"{found[1]}{int(found[2]) - 1}"
