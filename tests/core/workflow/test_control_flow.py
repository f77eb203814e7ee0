"""Conditions, loops, branches and errors: what runs, in which order, and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.workflow.machine import advance
from oncue.core.workflow.parse import parse_workflow
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Outcome,
    Record,
    TimerFired,
)
from oncue.core.workflow.state import ExecutionState, Start, begin
from tests.installation import LIBRARY
from tests.make import make_call, make_document

START_MS = 1_000
DATA: dict[str, Json] = {"plan": "pro", "n": 3, "items": ["a", "b", "c"]}


def plan_of(*steps: Json, **changes: Json) -> Plan:
    return parse_workflow(
        make_document(steps=list(steps), **changes), LIBRARY, max_steps=1_000
    ).plan


@dataclass
class World:
    """Carries out what the interpreter decides: calls end one after the other, timers at once."""

    plan: Plan
    answer: Callable[[AttemptStarted], Outcome] = lambda c: AttemptSucceeded(
        c.path, c.attempt, {"did": c.path}
    )
    state: ExecutionState = field(
        default_factory=lambda: begin(
            Start("exe_1", "exe_1", START_MS, {"data": DATA}, None, DATA, START_MS + 10**9)
        )
    )
    now_ms: int = START_MS
    history: list[tuple[int, list[Record]]] = field(default_factory=list)
    calls: list[AttemptStarted] = field(default_factory=list)
    in_flight: list[AttemptStarted] = field(default_factory=list)
    most_in_flight: int = 0

    def turn(self, *outcomes: Outcome) -> None:
        records = advance(self.plan, self.state, outcomes, self.now_ms)
        if records:
            self.history.append((self.now_ms, records))
        for record in records:
            if isinstance(record, AttemptStarted):
                self.calls.append(record)
                self.in_flight.append(record)
        self.most_in_flight = max(self.most_in_flight, len(self.in_flight))

    def run(self) -> "World":
        self.turn()
        while not self.state.final:
            if self.in_flight:
                call = self.in_flight.pop(0)
                self.turn(self.answer(call))
                continue
            timers = self.state.timers()
            assert timers, f"stuck at {self.state.open.keys()}"
            path, due_ms = min(timers.items(), key=lambda timer: timer[1])
            self.now_ms = max(self.now_ms, due_ms)
            self.turn(TimerFired(path))
        return self

    @property
    def called(self) -> list[str]:
        return [call.path for call in self.calls]

    def steps(self) -> dict[str, str]:
        return {path: step.status.value for path, step in self.state.steps.items()}


def run(*steps: Json, answer: Any = None, **changes: Json) -> World:
    world = World(plan_of(*steps, **changes))
    if answer:
        world.answer = answer
    return world.run()


def failing(*paths: str) -> Callable[[AttemptStarted], Outcome]:
    def answer(call: AttemptStarted) -> Outcome:
        if call.path in paths:
            return AttemptFailed(call.path, call.attempt, "refused", is_permanent=True)
        return AttemptSucceeded(call.path, call.attempt, {"did": call.path})

    return answer


def make_condition(test: str, **changes: Json) -> dict[str, Json]:
    return {"id": "check", "type": "condition", "if": test, **changes}


@pytest.mark.parametrize(
    ("condition", "called", "branch"),
    [
        pytest.param(
            make_condition("event.data.n > 2", then=[make_call("yes")], **{"else": [make_call("no")]}),
            ["check.then.yes"], "then", id="if it holds",
        ),
        pytest.param(
            make_condition("event.data.n > 5", then=[make_call("yes")], **{"else": [make_call("no")]}),
            ["check.else.no"], "else", id="if it does not",
        ),
        pytest.param(
            make_condition("event.data.n > 5", then=[make_call("yes")]),
            [], "else", id="without else",
        ),
        pytest.param(
            {"id": "check", "type": "condition", "cases": [
                {"if": "event.data.n == 1", "steps": [make_call("one")]},
                {"if": "event.data.n == 3", "steps": [make_call("three")]},
                {"if": "true", "steps": [make_call("any")]},
            ]},
            ["check.cases[1].three"], "cases[1]", id="the first case that holds",
        ),
        pytest.param(
            {"id": "check", "type": "condition", "default": [make_call("rest")], "cases": [
                {"if": "event.data.n == 1", "steps": [make_call("one")]},
            ]},
            ["check.default.rest"], "default", id="the default",
        ),
        pytest.param(
            {"id": "check", "type": "condition", "cases": [{"if": "false", "steps": []}]},
            [], None, id="no case",
        ),
    ],
)  # fmt: skip
def test_a_condition_takes_one_branch(
    condition: Json, called: list[str], branch: str | None
) -> None:
    world = run(condition)

    assert world.called == called
    assert world.state.output == {"branch": branch}
    assert world.state.status == "completed"


def test_what_ran_in_a_branch_is_seen_after_it() -> None:
    world = run(
        make_condition("true", then=[make_call("inner")]),
        {"id": "after", "type": "transform", "expr": "steps.inner.output.did"},
    )

    assert world.state.output == "check.then.inner"


def test_a_loop_goes_through_a_list() -> None:
    world = run(
        {
            "id": "each",
            "type": "loop",
            "for_each": "{{ event.data.items }}",
            "as": "letter",
            "steps": [
                {"id": "name", "type": "transform", "expr": "letter + string(index)"},
                make_call("call", **{"with": {"text": "{{ steps.name.output }}"}}),
            ],
        }
    )

    assert world.called == ["each[0].call", "each[1].call", "each[2].call"]
    assert [call.input for call in world.calls] == [{"text": t} for t in ("a0", "b1", "c2")]
    assert world.most_in_flight == 1
    assert world.state.output == [
        {"name": name, "call": {"did": f"each[{n}].call"}}
        for n, name in enumerate(("a0", "b1", "c2"))
    ]


def test_each_iteration_has_a_key_of_its_own() -> None:
    world = run({"id": "each", "type": "loop", "for_each": [1, 1], "steps": [make_call("call")]})

    assert len({call.idempotency_key for call in world.calls}) == 2


@pytest.mark.parametrize(("most", "in_flight"), [(1, 1), (3, 3), (100, 7)])
def test_iterations_run_beside_each_other(most: int, in_flight: int) -> None:
    world = run(
        {
            "id": "each", "type": "loop", "for_each": [*range(7)], "max_concurrency": most,
            "steps": [make_call("call"), {"id": "me", "type": "transform", "expr": "item"}],
        }
    )  # fmt: skip

    assert world.most_in_flight == in_flight
    assert [iteration["me"] for iteration in world.state.output] == [*range(7)]  # type: ignore[union-attr,call-overload,index]


def test_a_loop_goes_on_while_its_condition_holds() -> None:
    world = run(
        {
            "id": "count", "type": "loop",
            "while": "!has(steps.n) || steps.n.output < 4",
            "steps": [{"id": "n", "type": "transform", "expr": "index * 2"}],
        }
    )  # fmt: skip

    assert world.state.output == [{"n": 0}, {"n": 2}, {"n": 4}]


@pytest.mark.parametrize(
    ("loop", "error"),
    [
        ({"for_each": "{{ event.data.n }}"}, "step 'each': for_each: expected a list, got 3"),
        ({"for_each": [1, 2, 3], "max_iterations": 2}, "step 'each': expected at most 2 iterations, got 3"),
        ({"while": "true", "max_iterations": 5}, "step 'each': expected an end within 5 iterations"),
        ({"for_each": [1], "steps": [{"id": "t", "type": "transform", "expr": "item.x"}]},
         "step 'each': iteration 0: step 't': item.x: expected a map with this field, got int"),
    ],
)  # fmt: skip
def test_a_loop_that_cannot_go_on_fails(loop: dict[str, Json], error: str) -> None:
    inner: Json = [{"id": "t", "type": "transform", "expr": "index"}]
    world = run({"id": "each", "type": "loop", "steps": inner, **loop})

    assert (world.state.status, world.state.error) == ("failed", error)


def make_fan(**changes: Json) -> dict[str, Json]:
    branches: Json = {
        "left": [make_call("one"), make_call("two")],
        "right": [make_call("three")],
        "slow": [{"id": "nap", "type": "delay", "for": "1h"}, make_call("late")],
    }
    return {"id": "fan", "type": "parallel", "branches": branches, **changes}


def test_branches_run_beside_each_other() -> None:
    world = run(make_fan())

    assert world.called == ["fan.left.one", "fan.right.three", "fan.left.two", "fan.slow.late"]
    assert world.most_in_flight == 2
    assert world.state.output == {
        "left": {"one": {"did": "fan.left.one"}, "two": {"did": "fan.left.two"}},
        "right": {"three": {"did": "fan.right.three"}},
        "slow": {"nap": {"until": "1970-01-01T01:00:01.000Z"}, "late": {"did": "fan.slow.late"}},
    }


@pytest.mark.parametrize(
    ("wait", "winners"), [("any", ["right"]), (1, ["right"]), (2, ["left", "right"])]
)
def test_the_first_branches_win_and_the_others_are_cancelled(
    wait: Json, winners: list[str]
) -> None:
    world = run(make_fan(wait=wait))

    assert isinstance(world.state.output, dict)
    assert sorted(world.state.output) == winners
    assert world.state.timers() == {}
    assert world.steps()["fan.slow.nap"] == "cancelled"
    assert "fan.slow.late" not in world.steps()


def test_an_outcome_that_nobody_waits_for_is_noted_and_ignored() -> None:
    world = World(plan_of(make_fan(wait="any"), make_call("after")))
    world.turn()
    left, right = world.in_flight
    world.turn(AttemptSucceeded(right.path, 1, {}))
    world.turn(AttemptSucceeded(left.path, 1, {"late": True}))

    step = world.state.steps[left.path]
    assert (step.status, step.output, step.attempts[0].status) == ("cancelled", None, "completed")
    assert world.called == ["fan.left.one", "fan.right.three", "after"]


def test_a_branch_that_fails_fails_the_step_when_all_are_wanted() -> None:
    world = run(make_fan(), answer=failing("fan.right.three"))

    error = "step 'fan': branch 'right': step 'three': refused"
    assert (world.state.status, world.state.error) == ("failed", error)


def test_a_branch_may_fail_where_not_all_are_wanted() -> None:
    world = run(make_fan(wait=2), answer=failing("fan.right.three"))

    assert world.state.status == "completed"
    assert isinstance(world.state.output, dict)
    assert sorted(world.state.output) == ["left", "slow"]


def test_a_guard_skips_its_step() -> None:
    world = run(make_call("a", **{"if": "event.data.n > 5"}), make_call("b"))

    assert world.steps() == {"a": "skipped", "b": "completed"}
    assert world.called == ["b"]


@pytest.mark.parametrize(
    ("on_error", "steps", "status"),
    [
        pytest.param("fail", {"a": "failed"}, "failed", id="fail"),
        pytest.param("continue", {"a": "failed", "b": "completed"}, "completed", id="continue"),
        pytest.param(
            [make_call("mend", **{"with": {"text": "{{ steps.a.error }}"}})],
            {"a": "failed", "a.on_error.mend": "completed", "b": "completed"},
            "completed",
            id="steps",
        ),
    ],
)
def test_what_follows_an_error(on_error: Json, steps: dict[str, str], status: str) -> None:
    world = run(make_call("a", on_error=on_error), make_call("b"), answer=failing("a"))

    assert (world.steps(), world.state.status) == (steps, status)
    mended = [call.input for call in world.calls if call.path.endswith("mend")]
    assert mended in ([], [{"text": "refused"}])


def test_a_loop_gives_null_for_what_was_skipped_or_caught() -> None:
    inner = [
        make_call("a", on_error="continue"),
        make_call("b", **{"if": "item > 5"}),
        make_call("c"),
    ]
    loop: Json = {"id": "each", "type": "loop", "for_each": [1], "steps": inner}
    world = run(loop, answer=failing("each[0].a"))

    assert world.state.steps["each"].output == [{"a": None, "b": None, "c": {"did": "each[0].c"}}]


def test_a_failing_handler_fails_the_execution() -> None:
    step = make_call("a", on_error=[make_call("mend")])
    world = run(step, answer=failing("a", "a.on_error.mend"))

    assert world.state.error == "step 'mend': refused"


def test_the_workflow_says_what_to_do_when_it_fails() -> None:
    tell = make_call("tell", **{"with": {"text": "{{ steps.a.error }}"}})
    world = run(make_call("a"), answer=failing("a"), on_failure=[tell])

    assert world.called == ["a", "on_failure.tell"]
    assert (world.state.status, world.state.error) == ("failed", "step 'a': refused")


@pytest.mark.parametrize(
    ("status", "output", "error"), [("completed", "enough: 3", None), ("failed", None, "enough: 3")]
)
def test_a_stop_ends_the_execution(status: str, output: Json, error: str | None) -> None:
    stop = {"id": "end", "type": "stop", "status": status, "message": "enough: {{ event.data.n }}"}
    world = run(make_condition("true", then=[stop]), make_call("never"))

    state = world.state
    assert (state.status, state.output, state.error) == (status, output, error)
    assert world.called == []


def test_cancel_ends_it_whatever_is_open() -> None:
    world = World(plan_of(make_fan()))
    world.turn()
    world.turn(CancelRequested("not wanted"))

    assert (world.state.status, world.state.error) == ("cancelled", "not wanted")
    assert set(world.steps().values()) == {"cancelled"}
    assert world.state.timers() == {}


def test_an_execution_ends_at_its_timeout() -> None:
    world = World(plan_of({"id": "w", "type": "delay", "for": "300d"}, timeout="1d"))
    world.turn()
    assert world.state.timers()[""] == START_MS + 10**9
    world.turn(TimerFired(""))

    assert world.state.error == "expected an end within 86400000 ms, got none"


def test_an_execution_runs_no_more_steps_than_it_may() -> None:
    loop: Json = {
        "id": "each", "type": "loop", "for_each": [*range(50)],
        "steps": [{"id": "t", "type": "transform", "expr": "index"}],
    }  # fmt: skip
    world = run(loop, max_steps=20)

    assert world.state.error == "expected at most 20 steps, got more"


@pytest.mark.parametrize(
    ("step", "path", "message"),
    [
        ({"id": "c", "type": "condition"}, "steps[0]", "got none"),
        ({"id": "c", "type": "condition", "if": "true", "cases": [{"if": "true"}]}, "steps[0]", "got both"),
        ({"id": "c", "type": "condition", "if": "evnt.x"}, "steps[0].if", "did you mean 'event'?"),
        ({"id": "c", "type": "condition", "if": "true", "then": [{"id": "d", "type": "delay"}]}, "steps[0].then[0]", "got none"),
        ({"id": "c", "type": "condition", "cases": [{"if": "x"}]}, "steps[0].cases[0].if", "got 'x'"),
        ({"id": "l", "type": "loop", "for_each": [], "steps": []}, "steps[0].steps", "at least 1"),
        ({"id": "l", "type": "loop", "steps": [make_call("a")]}, "steps[0]", "got none"),
        ({"id": "l", "type": "loop", "for_each": [], "as": "event", "steps": [make_call("a")]}, "steps[0].as", "got 'event'"),
        ({"id": "l", "type": "loop", "for_each": [], "steps": [make_call("a", **{"with": {"text": "{{ itm }}"}})]}, "steps[0].steps[0].with.text", "did you mean 'item'?"),
        ({"id": "p", "type": "parallel", "branches": {}}, "steps[0].branches", "at least 1"),
        ({"id": "p", "type": "parallel", "branches": {"a": []}, "wait": 2}, "steps[0]", "expected wait up to 1, got 2"),
        ({"id": "p", "type": "parallel", "branches": {"a": [make_call("p")]}}, "steps[0].branches.a[0].id", "an id of its own"),
        (make_call("a", on_error=[make_call("b", action="nope")]), "steps[0].on_error[0].action", "expected an action"),
        (make_call("a", **{"if": "1 +"}), "steps[0].if", "got the end"),
        ({"id": "s", "type": "stop", "status": "done"}, "steps[0].status", "got 'done'"),
        ({"id": "x", "type": "lop"}, "steps[0].type", "did you mean 'loop'?"),
    ],
)  # fmt: skip
def test_a_bad_step_is_refused_with_its_place(step: Json, path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan_of(step)

    found = {problem.path: problem.message for problem in caught.value.problems}
    assert path in found, found
    assert message in found[path]


def test_steps_within_steps_count() -> None:
    document = make_document(steps=[make_fan()])

    with pytest.raises(InvalidInput, match="expected at most 5 steps, got 6"):
        parse_workflow(document, LIBRARY, max_steps=5)


# Random workflows, and a world that answers in any order and dies at any turn.


@pytest.mark.parametrize("depth", [8])
def test_nesting_is_walked(depth: int) -> None:
    inner: Json = make_call("call")
    for level in range(depth):
        inner = {"id": f"l{level}", "type": "loop", "for_each": [0], "steps": [inner]}
    world = run(inner)

    assert world.called == ["".join(f"l{level}[0]." for level in reversed(range(depth))) + "call"]
    assert world.state.status == "completed"
