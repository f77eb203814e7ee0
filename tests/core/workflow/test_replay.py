"""What another execution takes over of one that has ended, and what it runs anew."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.workflow.machine import evolve
from oncue.core.workflow.plan import CallNode, Plan
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptInherited,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    Record,
    StepReused,
    decode_records,
    encode_records,
)
from oncue.core.workflow.replay import replayed, resumed
from oncue.core.workflow.state import begin
from tests.core.workflow.test_control_flow import World, failing, plan_of, run
from tests.core.workflow.test_interleavings import steps
from tests.make import make_call


def again(plan: Plan, original: World, records: Sequence[Record], generation: int = 1) -> World:
    """Return the world of the execution that begins with these records, through their bytes."""
    start = replace(
        original.state.start,
        execution_id="exe_2",
        generation=generation,
        reused=len(records),
    )
    world = World(plan, original.answer, begin(start))
    for record in decode_records(encode_records([*records])):
        evolve(world.state, record, world.now_ms)
    assert world.state.status == "pending"
    return world


def replay(original: World, begin_at: str, plan: Plan | None = None) -> World:
    plan = plan or original.plan
    return again(plan, original, replayed(original.plan, plan, original.state, begin_at)).run()


def redrive(original: World, **answers: Any) -> World:
    world = again(
        original.plan, original, resumed(original.plan, original.plan, original.state), generation=0
    )
    return replace(world, answer=World.answer, **answers).run()


LOOP: Json = {
    "id": "each", "type": "loop", "for_each": "{{ event.data.items }}",
    "steps": [make_call("look"), make_call("call")],
}  # fmt: skip
FAN: Json = {
    "id": "fan", "type": "parallel",
    "branches": {"left": [make_call("l1"), make_call("l2")], "right": [make_call("r1")]},
}  # fmt: skip
CHECK: Json = {
    "id": "check", "type": "condition", "if": "event.data.n > 2",
    "then": [make_call("yes"), make_call("more")], "else": [make_call("no")],
}  # fmt: skip
FLOW = [make_call("a"), LOOP, FAN, CHECK, make_call("z")]
AFTER_LOOP = ["fan.left.l1", "fan.right.r1", "fan.left.l2", "check.then.yes", "check.then.more", "z"]  # fmt: skip
EACH = [f"each[{n}].{id_}" for n in range(3) for id_ in ("look", "call")]


@pytest.mark.parametrize(
    ("begin_at", "called"),
    [
        ("start", ["a", *EACH, *AFTER_LOOP]),
        ("a", ["a", *EACH, *AFTER_LOOP]),
        ("each", [*EACH, *AFTER_LOOP]),
        ("call", [*EACH[1:], *AFTER_LOOP]),
        ("each[1].call", [*EACH[3:], *AFTER_LOOP]),
        ("fan", AFTER_LOOP),
        ("l2", ["fan.left.l2", "check.then.yes", "check.then.more", "z"]),
        ("check", ["check.then.yes", "check.then.more", "z"]),
        ("check.then.more", ["check.then.more", "z"]),
        ("z", ["z"]),
    ],
)
def test_a_replay_calls_what_comes_after_its_begin(begin_at: str, called: list[str]) -> None:
    original = run(*FLOW)

    found = replay(original, begin_at)

    assert found.called == called
    assert found.steps() == original.steps()
    assert found.state.output == original.state.output
    reused = {path for path, step in found.state.steps.items() if step.is_reused}
    assert reused.isdisjoint(called)
    keys = {call.path: call.idempotency_key for call in original.calls}
    assert all(call.idempotency_key != keys[call.path] for call in found.calls)


def test_a_replay_of_a_replay_goes_by_its_own_history() -> None:
    first = replay(run(*FLOW), "z")

    second = replay(first, "each[1].call")

    assert second.called == [*EACH[3:], *AFTER_LOOP]
    assert second.state.output == first.state.output


def test_what_failed_and_was_caught_is_reused() -> None:
    caught = make_call("caught", on_error=[make_call("mend"), make_call("tell")])
    original = run(caught, make_call("z"), answer=failing("caught"))

    assert replay(original, "z").called == ["z"]
    assert replay(original, "tell").called == ["caught.on_error.tell", "z"]
    assert replay(original, "caught").called == ["caught", "caught.on_error.mend", "caught.on_error.tell", "z"]  # fmt: skip


def test_what_follows_a_failure_can_be_run_anew() -> None:
    original = run(
        make_call("a"), make_call("b"), answer=failing("b"),
        on_failure=[make_call("log"), make_call("tell")],
    )  # fmt: skip

    found = replay(original, "tell")

    assert found.called == ["on_failure.tell"]
    assert found.state.error == original.state.error


@pytest.mark.parametrize(
    ("begin_at", "message"),
    [
        ("zz", "expected 'start' or a step, got 'zz': did you mean 'z'?"),
        ("each.call", "expected 'start' or a step, got 'each.call'"),
        ("each[7].call", "the loop 'each' went through 3 iterations"),
        ("no", "step 'check' took the branch 'then'"),
    ],
)
def test_what_it_cannot_begin_at_is_told(begin_at: str, message: str) -> None:
    original = run(*FLOW)

    with pytest.raises(InvalidInput, match=re.escape(message.split(": did")[0])) as refused:
        replayed(original.plan, original.plan, original.state, begin_at)

    assert [problem.path for problem in refused.value.problems] == ["from"]


def test_another_version_reuses_what_it_still_has() -> None:
    original = run(make_call("a"), make_call("b"), make_call("c"))
    latest = plan_of(make_call("a"), make_call("inserted"), make_call("c"), make_call("d"))

    assert replay(original, "c", latest).called == ["inserted", "c", "d"]
    with pytest.raises(InvalidInput, match="got 'b'"):
        replayed(original.plan, latest, original.state, "b")


def test_another_version_takes_over_no_step_of_another_type() -> None:
    original = run(make_call("a"), make_call("b"))
    latest = plan_of({"id": "a", "type": "transform", "expr": "1"}, make_call("b"))

    found = replay(original, "b", latest)

    assert found.state.steps["a"].output == 1
    assert found.called == ["b"]


def test_a_redrive_goes_on_where_it_failed_with_the_same_keys() -> None:
    loop: Json = {**LOOP, "max_concurrency": 3}  # type: ignore[dict-item]  # it is an object
    original = run(make_call("a"), loop, make_call("z"), answer=failing("each[1].call"))

    found = redrive(original)

    assert original.state.status == "failed"
    assert set(found.called).isdisjoint(
        {path for path, step in original.state.steps.items() if step.status == "completed"}
    )
    assert "each[1].call" in found.called
    assert found.state.status == "completed"
    keys = {call.path: call.idempotency_key for call in original.calls}
    assert {c.idempotency_key for c in found.calls if c.path == "each[1].call"} == {
        keys["each[1].call"]
    }


def test_a_redrive_knows_what_may_have_happened() -> None:
    def lost(call: AttemptStarted) -> Any:
        return AttemptLost(call.path, call.attempt, "no answer")

    original = run({**make_call("text"), "action": "sms"}, answer=lost)
    records = resumed(original.plan, original.plan, original.state)

    assert original.state.status == "failed"
    assert records == [
        AttemptInherited("text", original.state.steps["text"].attempts[0].started_at_ms)
    ]
    second = again(original.plan, original, records, generation=0)
    second.answer = failing("text")
    assert resumed(original.plan, original.plan, second.run().state) == records


def test_a_race_is_run_anew_in_all_branches() -> None:
    race: Json = {**FAN, "wait": "any"}  # type: ignore[dict-item]  # it is an object
    original = run(race, make_call("z"))

    assert replay(original, "l1").called[:1] == ["fan.left.l1"]
    assert replay(original, "z").called == ["z"]


def test_a_loop_of_a_thousand_is_taken_over_in_no_time() -> None:
    loop: Json = {"id": "each", "type": "loop", "for_each": [*range(1_000)], "steps": [make_call("x")]}  # fmt: skip
    original = run(loop, make_call("z"))

    records = replayed(original.plan, original.plan, original.state, "each[999].x")

    assert sum(isinstance(record, StepReused) for record in records) == 999


def _has(value: Json, **terms: Json) -> bool:
    match value:
        case dict():
            is_it = all(name in value and value[name] == term for name, term in terms.items())
            return is_it or any(_has(inner, **terms) for inner in value.values())
        case list():
            return any(_has(inner, **terms) for inner in value)
        case _:
            return False


def _timeless(value: Json) -> Json:
    """Return a value without the instants at which delays ended."""
    match value:
        case dict():
            return {name: _timeless(inner) for name, inner in value.items() if name != "until"}
        case list():
            return [_timeless(inner) for inner in value]
        case _:
            return value


def _before(original: World, target: str) -> list[str]:
    """Return the calls that were made before anything was said of the target."""
    called: list[str] = []
    for _, records in original.history:
        for record in records:
            if getattr(record, "path", None) == target:
                return called
            if isinstance(record, AttemptStarted):
                called.append(record.path)
    return called


def _is_sequential(document: Json) -> bool:
    return not (_has(document, type="parallel") or any(_has(document, max_concurrency=n) for n in (2, 3)))  # fmt: skip


@settings(max_examples=150)
@given(st.data())
def test_a_replay_from_any_step_ends_as_the_original(data: Any) -> None:
    document = data.draw(steps())
    plan = plan_of(*document)
    calls = [node.id for node in plan.calls()] or ["none"]
    broken = data.draw(st.sets(st.sampled_from(calls), max_size=1))

    def answer(call: AttemptStarted) -> Any:
        if call.path.rpartition(".")[2] in broken:
            return AttemptFailed(call.path, call.attempt, "refused", is_permanent=True)
        return AttemptSucceeded(call.path, call.attempt, {"did": call.path})

    original = World(plan, answer).run()
    target = data.draw(st.sampled_from([*original.state.steps]))
    found = replay(original, target)

    reused = {path for path, step in found.state.steps.items() if step.is_reused}
    assert reused.isdisjoint(found.called)
    is_call = isinstance(plan.node(target), CallNode)
    if is_call and original.state.steps[target].attempts:
        assert target in found.called
    if _has(document, wait="any"):
        return
    assert found.state.status == original.state.status
    # Where several things fail at once, which is told first is a matter of the order.
    if original.state.status == "completed" or _is_sequential(document):
        assert found.steps() == original.steps()
        assert _timeless(found.state.output) == _timeless(original.state.output)
        assert found.state.error == original.state.error
    if _is_sequential(document):
        assert _before(original, target) + found.called == original.called


@settings(max_examples=150)
@given(st.data())
def test_a_redrive_completes_once_the_world_is_mended(data: Any) -> None:
    document = data.draw(steps())
    plan = plan_of(*document)
    calls = [node.id for node in plan.calls()] or ["none"]
    broken = data.draw(st.sets(st.sampled_from(calls), max_size=2))

    def answer(call: AttemptStarted) -> Any:
        if call.path.rpartition(".")[2] in broken:
            return AttemptFailed(call.path, call.attempt, "refused", is_permanent=True)
        return AttemptSucceeded(call.path, call.attempt, {"did": call.path})

    original = World(plan, answer).run()
    found = redrive(original)

    done = {path for path, step in original.state.steps.items() if step.status == "completed"}
    assert done.isdisjoint(found.called)
    keys = {call.path: call.idempotency_key for call in original.calls}
    assert all(keys.get(c.path, c.idempotency_key) == c.idempotency_key for c in found.calls)
    if not _has(document, expr="event.x"):
        assert found.state.status == "completed"
