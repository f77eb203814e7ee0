"""
Examples over vendors of which every fifth call goes wrong; `make faults` does it for longer.

Each effect comes about once where the vendor lets us see to it; where it does not, an
attempt in doubt tells of it, and what costs does not happen twice.
"""

import asyncio
from pathlib import Path

import pytest

from oncue.core.workflow.state import Attempt, AttemptStatus, StepState, StepStatus
from tests.faults import SCENES, Effect, Play, problems_in
from tests.installation import Crash

EACH = 200
DONE, FAILED = StepStatus.COMPLETED, StepStatus.FAILED
GONE, DOUBT, OVER = AttemptStatus.FAILED, AttemptStatus.IN_DOUBT, AttemptStatus.COMPLETED


def test_each_effect_comes_about_once_or_is_in_doubt(tmp_path: Path) -> None:
    play = Play(tmp_path, EACH, "seed")

    assert asyncio.run(play.run()) == []
    assert play.ended.total() == EACH * len(SCENES)
    # The faults were there, and most of it went well all the same.
    assert play.attempts["in_doubt"] > 0.05 * play.attempts.total()
    assert play.attempts["failed"] > 0.05 * play.attempts.total()
    for scene in SCENES:
        assert play.ended[f"{scene.name} completed"] > 0.7 * EACH


@pytest.mark.parametrize("moment", ["before", "after"])
def test_neither_do_crashes_make_it_happen_twice(tmp_path: Path, moment: str) -> None:
    crashes = [Crash(commits, moment) for commits in (70, 110, 250)]
    play = Play(tmp_path, 20, moment, crashes)

    assert asyncio.run(play.run()) == []
    assert [crash.has_happened for crash in crashes] == [True] * 3
    assert play.ended.total() == 20 * len(SCENES)


@pytest.mark.parametrize(
    ("action", "status", "attempts", "count", "is_wrong"),
    [
        ("send_email", DONE, [OVER], 1, False),
        ("send_email", DONE, [DOUBT, OVER], 2, True),
        ("send_email", DONE, [OVER], 0, True),
        ("send_email", FAILED, [GONE], 0, False),
        ("send_email", FAILED, [GONE], 1, True),
        ("send_sms", FAILED, [DOUBT], 1, False),
        ("send_sms", FAILED, [DOUBT], 2, True),
        ("send_slack_message", DONE, [DOUBT, OVER], 2, False),
        ("send_slack_message", DONE, [GONE, OVER], 2, True),
    ],
)
def test_what_does_not_hold_is_found(
    action: str,
    status: StepStatus,
    attempts: list[AttemptStatus],
    count: int,
    is_wrong: bool,  # noqa: FBT001 a column
) -> None:
    effect = Effect("act", action, "vendor", str, str)
    tried = [Attempt(n, 0, ended) for n, ended in enumerate(attempts)]
    step = StepState("act", status, tried)

    assert bool([*problems_in(effect, step, count)]) is is_wrong


def test_an_effect_of_a_step_that_was_not_reached_is_found() -> None:
    effect = Effect("act", "send_email", "vendor", str, str)

    assert [*problems_in(effect, None, 1)]
    assert not [*problems_in(effect, None, 0)]
