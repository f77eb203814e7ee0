"""What the interpreter's work grows with, counted in calls of Python functions."""

import sys
from collections.abc import Callable
from types import FrameType

from oncue.core.json_text import Json
from tests.core.workflow.test_control_flow import World, plan_of
from tests.make import make_call


def _calls(run: Callable[[], object]) -> int:
    """Return how many functions were called; the same on every machine."""
    count = 0

    def note(_: FrameType, kind: str, __: object) -> None:
        nonlocal count
        count += kind == "call"

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def _loop(rounds: int) -> World:
    loop: Json = {"id": "each", "type": "loop", "for_each": [*range(rounds)], "steps": [make_call("a")]}  # fmt: skip
    return World(plan_of(loop))


def _nested(depth: int) -> World:
    step: Json = make_call("deep")
    for level in range(depth):
        step = {"id": f"c{level}", "type": "condition", "if": "true", "then": [step]}
    return World(plan_of(step))


def test_a_loop_of_a_thousand_costs_ten_of_a_hundred() -> None:
    short, long = _loop(100), _loop(1_000)

    ratio = _calls(long.run) / _calls(short.run)

    assert long.state.status == "completed"
    assert ratio < 12


def test_each_level_of_nesting_costs_about_the_same() -> None:
    shallow, deep = (_calls(_nested(depth).run) for depth in (4, 8))

    # Twice as deep: twice the levels, and a few more of them walked by each turn.
    assert deep / shallow < 3
