"""What only the machine can give."""

import gc
import logging
from dataclasses import dataclass

import pytest

from oncue.system import SystemClock, settle_memory

HOUR_S = 3_600


@dataclass
class Machine:
    """A machine whose wall clock can be set, and which can sleep."""

    wall_s: int = 1_000_000
    running_s: int = 50

    def clock(self) -> SystemClock:
        return SystemClock(
            wall_ns=lambda: self.wall_s * 10**9, monotonic_ns=lambda: self.running_s * 10**9
        )

    def run(self, clock: SystemClock, seconds: int) -> None:
        """Let it run, and its clock be looked at now and then."""
        for _ in range(seconds // 10):
            self.wall_s += 10
            self.running_s += 10
            clock.look_at_the_wall()


def test_a_step_forward_is_followed_once_it_has_lasted(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall_s += HOUR_S

    machine.run(clock, 60)
    assert clock.now_ms() == 1_000_060_000
    machine.run(clock, 10)
    assert clock.now_ms() == machine.wall_s * 1_000
    assert "went forward by 3600.0 s" in caplog.text
    machine.run(clock, 600)
    assert clock.now_ms() == machine.wall_s * 1_000


def test_a_step_forward_that_is_taken_back_is_not_followed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall_s += HOUR_S
    machine.run(clock, 50)
    machine.wall_s -= HOUR_S

    machine.run(clock, 600)
    assert clock.now_ms() == 1_000_650_000


def test_time_does_not_go_back_and_that_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall_s -= HOUR_S
    with caplog.at_level(logging.WARNING):
        machine.run(clock, 600)

    assert clock.now_ms() == 1_000_600_000
    assert [record.getMessage() for record in caplog.records] == [
        "the clock of the machine is 3600.0 s behind: time does not go back"
    ]


def test_after_a_restart_time_goes_on_from_what_is_on_record() -> None:
    machine = Machine()
    before = machine.clock().now_ms()
    machine.wall_s -= HOUR_S
    clock = machine.clock()

    clock.raise_to(before)
    machine.run(clock, 60)
    assert clock.now_ms() == before + 60_000


def test_what_is_alive_when_memory_settles_is_not_looked_through_again() -> None:
    threshold = gc.get_threshold()
    try:
        settle_memory()

        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects(generation=2)) < 1_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
