"""The gate before a vendor: what it learns, and whom it lets pass."""

from hypothesis import given
from hypothesis import strategies as st

from oncue.core.limits.circuit import LASTING_MS
from oncue.core.limits.gate import MAX_GATES, Caller, Gate, Gates, Parked, Reason

SECOND_MS = 1_000


def caller(number: int = 1) -> Caller:
    return Caller(f"exe_{number}", "call")


def enter(gate: Gate, now_ms: int, number: int = 1, *, is_patient: bool = True) -> Parked | None:
    return gate.enter(caller(number), now_ms, is_patient=is_patient)


def outage(gate: Gate, now_ms: int, executions: int, failures: int = 10) -> None:
    """Let calls fail for a minute up to an instant."""
    for number in range(failures):
        at_ms = now_ms - LASTING_MS if number < failures - 1 else now_ms
        gate.circuit.fail(f"exe_{number % executions}", at_ms)


def pass_through(gate: Gate, now_ms: int) -> None:
    gate.answer()
    gate.budget.pass_()
    gate.leave()
    assert now_ms >= 0


def test_nothing_goes_before_the_vendor_wants_it() -> None:
    gate = Gate()
    gate.budget.refuse(7_000, 0)

    assert enter(gate, 6_999) == Parked(Reason.LIMIT, 7_000)
    assert enter(gate, 7_000) is None


def test_refusals_without_a_time_wait_longer_each_time() -> None:
    gate, now_ms, waits = Gate(), 0, []
    for _ in range(8):
        gate.budget.refuse(None, now_ms)
        until_ms = gate.budget.next_at_ms(now_ms)
        waits.append((until_ms - now_ms) // SECOND_MS)
        now_ms = until_ms

    assert waits[:5] == [1, 2, 4, 8, 16]
    assert max(waits) == 60


def test_what_is_left_is_used_and_then_nothing_goes_up_to_the_reset() -> None:
    gate = Gate()
    assert enter(gate, 0, 0) is None
    gate.hear({"ratelimit-remaining": "2", "ratelimit-reset": "10"}, 0)
    gate.leave()

    assert enter(gate, 1, 1) is None
    assert enter(gate, 2, 2) is None
    assert enter(gate, 3, 3) == Parked(Reason.LIMIT, 10_000)
    assert enter(gate, 10_000, 3) is None


def test_calls_in_flight_are_not_in_what_an_answer_says_is_left() -> None:
    gate = Gate()
    for number in range(3):
        assert enter(gate, 0, number) is None
    gate.hear({"ratelimit-remaining": "2", "ratelimit-reset": "10"}, 0)

    assert enter(gate, 1, 4) == Parked(Reason.LIMIT, 10_000)


def test_a_vendor_that_takes_one_call_a_second_is_refused_little() -> None:
    """Slack's webhooks: one message a second, and only a refusal tells."""
    gate, now_ms, last_ms, refused = Gate(), 0, -SECOND_MS, 0
    for _ in range(200):
        now_ms = max(now_ms, gate.budget.next_at_ms(now_ms))
        assert enter(gate, now_ms) is None
        if now_ms - last_ms < SECOND_MS:
            refused += 1
            gate.answer()
            gate.budget.refuse(SECOND_MS, now_ms)
            gate.leave()
        else:
            last_ms = now_ms
            pass_through(gate, now_ms)
        now_ms += 20

    assert refused < 200 / 2
    assert now_ms < 300 * SECOND_MS


def test_a_circuit_opens_after_a_minute_of_failures_of_five_executions() -> None:
    gate = Gate()
    outage(gate, 0, executions=4, failures=30)
    assert gate.state(0) == "ok"

    gate.circuit.fail("exe_5", 0)

    assert enter(gate, 0) == Parked(Reason.OUTAGE, SECOND_MS)
    assert gate.state(0) == "open"


def test_a_short_outage_is_left_to_the_retries_of_each() -> None:
    gate = Gate()
    for number in range(100):
        gate.circuit.fail(f"exe_{number}", number * 500)

    assert gate.state(50_000) == "ok"
    gate.circuit.fail("exe_0", LASTING_MS)
    assert gate.state(LASTING_MS) == "open"


def test_who_waited_before_knows_that_it_lasts() -> None:
    gate = Gate()
    for number in range(10):
        gate.circuit.fail(f"exe_{number}", LASTING_MS, since_ms=0)

    assert gate.state(LASTING_MS) == "open"


def test_one_call_at_a_time_tries_an_open_circuit_and_longer_each_time() -> None:
    gate = Gate()
    outage(gate, 0, executions=5)
    now_ms, waits = 0, []
    for _ in range(8):
        until_ms = gate.circuit.open_until_ms
        assert until_ms is not None
        waits.append((until_ms - now_ms) // SECOND_MS)
        now_ms = until_ms
        assert enter(gate, now_ms, 1) is None
        assert isinstance(enter(gate, now_ms, 2), Parked)
        gate.circuit.fail("exe_1", now_ms)
        gate.leave()

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_an_answer_closes_the_circuit_and_lets_more_pass_by_and_by() -> None:
    gate = Gate()
    outage(gate, 0, executions=5)
    assert enter(gate, SECOND_MS, 0) is None
    gate.answer()
    gate.leave()

    passed = [enter(gate, SECOND_MS, number) is None for number in range(6)]
    gate.answer()
    gate.leave()

    assert passed == [True] * 4 + [False] * 2
    assert [enter(gate, SECOND_MS, number) is None for number in range(6, 9)] == [True, True, False]


def test_a_probe_that_never_comes_back_is_not_waited_for_forever() -> None:
    gate = Gate()
    outage(gate, 0, executions=5)
    assert enter(gate, SECOND_MS, 0) is None

    assert isinstance(enter(gate, 2 * SECOND_MS, 1), Parked)
    assert enter(gate, 122 * SECOND_MS, 1) is None


def test_who_waited_too_long_meets_no_circuit_but_the_limit() -> None:
    gate = Gate()
    outage(gate, 0, executions=5)
    assert enter(gate, 0, is_patient=False) is None

    gate.budget.close(9_000, 0)

    assert enter(gate, 0, is_patient=False) == Parked(Reason.LIMIT, 9_000)


def test_who_comes_later_does_not_overtake() -> None:
    gate = Gate()
    gate.waiting = 1

    parked = enter(gate, 0, 2)
    gate.admit(caller(1), 0)

    assert parked == Parked(Reason.TURN, SECOND_MS)
    assert enter(gate, 0, 1) is None


def test_a_place_that_nobody_takes_is_free_again() -> None:
    gate = Gate()
    outage(gate, 0, executions=5)
    assert enter(gate, SECOND_MS) is None
    gate.answer()
    gate.leave()
    for number in range(4):
        gate.admit(caller(number), SECOND_MS)

    assert isinstance(enter(gate, SECOND_MS, 9), Parked)
    assert enter(gate, 11_000, 9) is None


def test_gates_do_not_pile_up() -> None:
    gates = Gates()
    busy = gates.make("busy", 0)
    busy.waiting = 1
    for number in range(2 * MAX_GATES):
        gates.make(str(number), 0).budget.close(60_000, 0)

    assert len(gates.items()) <= MAX_GATES
    assert gates.get("busy") is busy


@given(
    limit=st.integers(1, 20),
    window_ms=st.integers(100, 10_000),
    gaps=st.lists(st.integers(0, 300), min_size=50, max_size=200),
)
def test_a_vendor_that_tells_what_is_left_never_has_to_refuse(
    limit: int, window_ms: int, gaps: list[int]
) -> None:
    gate, now_ms = Gate(), 0
    window, used = 0, 0
    for gap_ms in gaps:
        now_ms += gap_ms
        while gate.enter(caller(), now_ms, is_patient=True) is not None:
            now_ms = gate.budget.next_at_ms(now_ms)
        if now_ms // window_ms != window:
            window, used = now_ms // window_ms, 0
        used += 1
        assert used <= limit
        left, reset_ms = limit - used, (window + 1) * window_ms
        headers = {
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-reset": f"{reset_ms - now_ms}ms",
        }
        gate.hear(headers, now_ms)
        pass_through(gate, now_ms)
