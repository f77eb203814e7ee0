"""The interpreter: histories in, commands out."""

from dataclasses import replace

import pytest

from oncue.core.json_text import Json
from oncue.core.workflow.machine import advance, decide, evolve
from oncue.core.workflow.parse import parse_workflow
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptInherited,
    AttemptLost,
    AttemptParked,
    AttemptStarted,
    AttemptSucceeded,
    DelayStarted,
    ExecutionFinished,
    FinalStatus,
    Outcome,
    RetryScheduled,
    StepCompleted,
    StepFailed,
    TimerFired,
    decode_records,
    encode_records,
)
from oncue.core.workflow.state import ExecutionState, Start, Status, begin
from tests.installation import LIBRARY
from tests.make import make_call, make_document

START = Start("exe_1", "exe_1", 1_000, {"data": {"plan": "pro"}}, None, {"plan": "pro"})


def _plan(*steps: Json, **changes: Json) -> Plan:
    document = make_document(steps=list(steps), **changes)
    return parse_workflow(document, LIBRARY, max_steps=100).plan


def _kinds(plan: Plan, *turns: Outcome) -> list[list[str]]:
    state = begin(START)
    kinds = [[type(r).__name__ for r in advance(plan, state, [], 1_000)]]
    for number, outcome in enumerate(turns, 2):
        kinds.append([type(r).__name__ for r in advance(plan, state, [outcome], number * 1_000)])
    return kinds


def test_steps_run_one_after_the_other() -> None:
    plan = _plan(make_call("a"), make_call("b"))

    assert _kinds(plan, AttemptSucceeded("a", 1), AttemptSucceeded("b", 1)) == [
        ["AttemptStarted"],
        ["AttemptSucceeded", "AttemptStarted"],
        ["AttemptSucceeded", "ExecutionFinished"],
    ]


def test_a_pure_step_rides_in_the_same_turn() -> None:
    pure: Json = {"id": "b", "type": "transform", "expr": "steps.a.output.n + 1"}
    plan = _plan(make_call("a"), pure, make_call("c"))
    state = begin(START)
    advance(plan, state, [], 1_000)

    turn = advance(plan, state, [AttemptSucceeded("a", 1, {"n": 1})], 2_000)

    assert turn[:2] == [AttemptSucceeded("a", 1, {"n": 1}), StepCompleted("b", 2)]
    assert isinstance(turn[2], AttemptStarted)


@pytest.mark.parametrize(
    ("step", "outcomes", "expected"),
    [
        pytest.param(
            make_call("a", retry={"delay": "2s", "jitter": False}),
            [AttemptFailed("a", 1, "busy")],
            RetryScheduled("a", 4_000),
            id="a failure that may pass is tried again after the delay",
        ),
        pytest.param(
            make_call("a", retry={"delay": "2s", "jitter": False}),
            [AttemptFailed("a", 1, "busy", retry_after_ms=60_000)],
            RetryScheduled("a", 62_000),
            id="what the vendor asks for outweighs the policy",
        ),
        pytest.param(
            make_call("a"),
            [AttemptFailed("a", 1, "no", is_permanent=True)],
            StepFailed("a", "no"),
            id="a permanent failure ends the step",
        ),
        pytest.param(
            make_call("a", retry=False),
            [AttemptFailed("a", 1, "busy")],
            StepFailed("a", "busy"),
            id="without retry the first failure ends the step",
        ),
        pytest.param(
            make_call("a", action="sms"),
            [AttemptLost("a", 1, "no answer")],
            StepFailed("a", "no answer"),
            id="an SMS that may have gone out is not sent again",
        ),
        pytest.param(
            make_call("a", action="sms", in_doubt="retry", retry={"delay": "2s", "jitter": False}),
            [AttemptLost("a", 1, "no answer")],
            RetryScheduled("a", 4_000),
            id="unless the workflow says so",
        ),
        pytest.param(
            make_call("a", retry={"delay": "2s", "jitter": False}),
            [AttemptLost("a", 1, "no answer")],
            RetryScheduled("a", 4_000),
            id="what a key keeps from acting twice is tried again",
        ),
    ],
)
def test_what_follows_an_attempt(step: Json, outcomes: list[Outcome], expected: object) -> None:
    plan = _plan(step)
    state = begin(START)
    advance(plan, state, [], 1_000)
    for outcome in outcomes:
        evolve(state, outcome, 2_000)

    assert decide(plan, state, 2_000) == (expected,)


def test_attempts_share_one_key_and_one_rendered_input() -> None:
    plan = _plan(make_call("a", **{"with": {"text": "{{ event.data.plan }}"}}))
    state = begin(START)
    (first,) = advance(plan, state, [], 1_000)
    advance(plan, state, [AttemptFailed("a", 1, "busy")], 2_000)

    _, second = advance(plan, state, [TimerFired("a")], 9_000)

    assert isinstance(first, AttemptStarted)
    assert first.input == {"text": "pro"}
    assert second == AttemptStarted("a", "note", 2, first.idempotency_key)
    assert state.steps["a"].input == {"text": "pro"}


def test_after_a_crash_the_call_is_repeated_at_once() -> None:
    plan = _plan(make_call("a"))
    state = begin(START)
    advance(plan, state, [], 1_000)

    turn = advance(plan, state, [AttemptLost("a", 1, "stopped", by_crash=True)], 2_000)

    assert [type(record) for record in turn] == [AttemptLost, AttemptStarted]


@pytest.mark.parametrize(
    ("after_ms", "in_doubt", "follows"),
    [
        (5_000, None, AttemptStarted),
        (5_001, None, StepFailed),
        (5_001, "retry", AttemptStarted),
    ],
)
def test_after_a_crash_that_lasted_no_forgotten_key_is_sent(
    after_ms: int, in_doubt: str | None, follows: type
) -> None:
    library = {"note": replace(LIBRARY["note"], key_lives_ms=5_000)}
    step = make_call("a", **({"in_doubt": in_doubt} if in_doubt else {}))
    plan = parse_workflow(make_document(steps=[step]), library, max_steps=100).plan
    state = begin(START)
    advance(plan, state, [], 1_000)

    lost = AttemptLost("a", 1, "stopped", by_crash=True)
    _, second, *_ = advance(plan, state, [lost], 1_000 + after_ms)

    assert isinstance(second, follows)


@pytest.mark.parametrize(("after_ms", "follows"), [(5_000, AttemptStarted), (5_001, StepFailed)])
def test_a_redrive_sends_no_forgotten_key(after_ms: int, follows: type) -> None:
    library = {"note": replace(LIBRARY["note"], key_lives_ms=5_000)}
    plan = parse_workflow(make_document(steps=[make_call("a")]), library, max_steps=100).plan
    state = evolve(begin(START), AttemptInherited("a", 1_000), 2_000)

    first, *_ = advance(plan, state, [], 1_000 + after_ms)

    assert isinstance(first, follows)


@pytest.mark.parametrize(("after_ms", "follows"), [(5_000, AttemptStarted), (5_001, StepFailed)])
def test_no_forgotten_key_is_sent_after_waiting_for_the_vendor(
    after_ms: int, follows: type
) -> None:
    library = {"note": replace(LIBRARY["note"], key_lives_ms=5_000)}
    plan = parse_workflow(make_document(steps=[make_call("a")]), library, max_steps=100).plan
    state = begin(START)
    advance(plan, state, [], 1_000)
    advance(plan, state, [AttemptLost("a", 1, "stopped", by_crash=True)], 1_000)
    due_ms = 1_000 + after_ms
    advance(
        plan, state, [AttemptParked("a", 2, "the vendor takes no more calls now", due_ms)], 1_000
    )

    _, second, *_ = advance(plan, state, [TimerFired("a")], due_ms)

    assert isinstance(second, follows)


def test_attempts_end_with_the_policy() -> None:
    plan = _plan(make_call("a", retry={"attempts": 2}))
    state = begin(START)
    advance(plan, state, [], 1_000)
    advance(plan, state, [AttemptFailed("a", 1, "busy")], 2_000)
    advance(plan, state, [TimerFired("a")], 9_000)

    turn = advance(plan, state, [AttemptFailed("a", 2, "still busy")], 10_000)

    assert turn[1:] == [
        StepFailed("a", "still busy"),
        ExecutionFinished(FinalStatus.FAILED, error="step 'a': still busy"),
    ]
    assert [attempt.status for attempt in state.steps["a"].attempts] == ["failed", "failed"]


def test_a_delay_waits_and_says_until_when() -> None:
    plan = _plan({"id": "wait", "type": "delay", "for": "24h"})
    state = begin(START)

    assert advance(plan, state, [], 1_000) == [DelayStarted("wait", 86_401_000)]
    assert (state.status, state.timers()) == (Status.WAITING, {"wait": 86_401_000})
    assert advance(plan, state, [TimerFired("wait")], 86_401_000)[1:] == [
        StepCompleted("wait", {"until": "1970-01-02T00:00:01.000Z"}),
        ExecutionFinished(FinalStatus.COMPLETED, output={"until": "1970-01-02T00:00:01.000Z"}),
    ]
    assert state.timers() == {}


def test_a_delay_until_an_instant_takes_a_template() -> None:
    plan = _plan({"id": "wait", "type": "delay", "until": "{{ '1970-01-01T00:00:09Z' }}"})

    assert advance(plan, begin(START), [], 1_000) == [DelayStarted("wait", 9_000)]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param(
            make_call("a", **{"with": {"text": "{{ event.data.nme }}"}}),
            "event.data.nme",
            id="a field that the event does not have",
        ),
        pytest.param(
            {"id": "a", "type": "delay", "for": "{{ event.data.plan }}"},
            "expected a duration such as '24h', got 'pro'",
            id="no duration",
        ),
        pytest.param(
            {"id": "a", "type": "delay", "for": "{{ 5 }}"}, "got 5", id="a number for a duration"
        ),
        pytest.param({"id": "a", "type": "transform", "expr": "1 / 0"}, "", id="division by zero"),
    ],
)
def test_a_step_that_cannot_be_rendered_fails_the_execution(step: Json, message: str) -> None:
    state = begin(START)
    turn = advance(_plan(step), state, [], 1_000)

    assert [type(record) for record in turn] == [StepFailed, ExecutionFinished]
    assert state.status is Status.FAILED
    assert message in (state.error or "")


def test_the_workflow_has_an_output_of_its_own() -> None:
    plan = _plan(
        {"id": "a", "type": "transform", "output": 1}, output={"n": "{{ steps.a.output }}"}
    )
    state = begin(START)
    advance(plan, state, [], 1_000)

    assert state.output == {"n": 1}


def test_nothing_follows_the_end() -> None:
    plan = _plan({"id": "a", "type": "transform", "output": 1})
    state = begin(START)
    advance(plan, state, [], 1_000)

    assert decide(plan, state, 2_000) == ()


def test_the_same_history_gives_the_same_state() -> None:
    plan = _plan(make_call("a"), {"id": "wait", "type": "delay", "for": "1s"}, make_call("b"))
    lived = begin(START)
    turns = [
        (1_000, advance(plan, lived, [], 1_000)),
        (2_000, advance(plan, lived, [AttemptFailed("a", 1, "busy")], 2_000)),
        (9_000, advance(plan, lived, [TimerFired("a")], 9_000)),
        (9_500, advance(plan, lived, [AttemptSucceeded("a", 2, {"n": 1})], 9_500)),
        (10_500, advance(plan, lived, [TimerFired("wait")], 10_500)),
    ]

    read: ExecutionState = begin(START)
    for at_ms, records in turns:
        for record in decode_records(encode_records(records)):
            evolve(read, record, at_ms)

    assert read == lived
    assert decide(plan, read, 10_500) == decide(plan, lived, 10_500) == ()
