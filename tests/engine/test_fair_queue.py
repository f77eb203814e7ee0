"""The queue in which accounts take turns."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from oncue.engine.fair_queue import FairQueue


def test_a_flood_of_one_account_holds_up_nobody_else() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(3):
        queue.put("flood", f"flood-{number}")
    queue.put("quiet", "quiet-0")

    assert [queue.take() for _ in range(4)] == ["flood-0", "quiet-0", "flood-1", "flood-2"]


def test_whoever_may_not_is_passed_by_and_keeps_its_place() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.put("full", 1)
    queue.put("other", 2)

    assert queue.take(lambda account: account != "full") == 2
    assert queue.take(lambda account: account != "full") is None
    assert (len(queue), queue.take(), len(queue)) == (1, 1, 0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_nothing_is_lost_and_each_account_keeps_its_order(moves: list[tuple[str, bool]]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    expected: dict[str, deque[int]] = {}
    for number, (account, is_put) in enumerate(moves):
        if is_put:
            queue.put(account, (account, number))
            expected.setdefault(account, deque()).append(number)
        elif (taken := queue.take()) is not None:
            assert expected[taken[0]].popleft() == taken[1]
        else:
            assert not any(expected.values())
        assert len(queue) == sum(map(len, expected.values()))
