"""What is remembered of keys: bounded, saved while it changes, and within the budget of an account."""

from hypothesis import given
from hypothesis import strategies as st

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import KeyBudget, Keyed, Remembered
from tests.core.pattern.test_determinism import Sent, begin, pattern_of, records


class Number(Remembered):
    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


def _load(saved: Json) -> Number:
    assert isinstance(saved, int)
    return Number(saved)


def make(max_keys: int = 100, ttl_ms: int = 1_000) -> Keyed[Number]:
    return Keyed(max_keys, ttl_ms, lambda number: number.value, _load)


def fill(keyed: Keyed[Number], *keys: str) -> list[str | None]:
    return [keyed.put(key, Number(place), place) for place, key in enumerate(keys)]


def test_over_the_bound_the_key_longest_without_use_is_forgotten() -> None:
    keyed = make(max_keys=2)

    assert fill(keyed, "a", "b", "a", "c") == [None, None, None, "b"]
    assert [key for key, _ in keyed.items()] == ["a", "c"]


def test_keys_expire_in_the_order_of_their_use() -> None:
    keyed = make(ttl_ms=10)
    fill(keyed, "a", "b", "c")

    assert keyed.expired(9) == []
    assert keyed.expired(11) == ["a", "b"]
    assert len(keyed) == 1


CHANGES = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9)), max_size=30)


@given(before=CHANGES, after=CHANGES, each=st.integers(1, 4))
def test_a_save_is_of_its_begin_whatever_changes_meanwhile(
    before: list[tuple[str, int]], after: list[tuple[str, int]], each: int
) -> None:
    keyed = make(max_keys=4)
    for at_ms, (key, value) in enumerate(before):
        keyed.put(key, Number(value), at_ms)
    expected = keyed.rows()
    save = keyed.begin_save()
    saved = []
    for at_ms, (key, value) in enumerate(after, len(before)):
        state = keyed.edit(key)
        if state is None or value > 5:
            keyed.put(key, Number(value), at_ms)
        elif value == 0:
            keyed.drop(key)
        else:
            state.value = value
        saved += save.part(each) if at_ms % 2 else []
    while part := save.part(each):
        saved += part

    assert sorted(saved) == expected


@given(changes=CHANGES)
def test_a_budget_counts_the_keys_that_are_there(changes: list[tuple[str, int]]) -> None:
    keyed, budget = make(max_keys=4), KeyBudget(3)
    fill(keyed, "x", "y")
    keyed.count_in(budget)
    for at_ms, (key, value) in enumerate(changes):
        if value == 0:
            keyed.drop(key)
        else:
            keyed.put(key, Number(value), at_ms)
        assert budget.used == len(keyed)
        assert budget.is_spent == (len(keyed) >= 3)
    keyed.count_in(KeyBudget(1))
    assert budget.used == 0


def test_where_the_budget_of_an_account_is_spent_further_keys_are_refused_and_counted() -> None:
    matcher = begin(["count"])
    matcher.watches["pat_count"].count_in(KeyBudget(1))
    sent = [Sent(100, 0, "a", subject, 1) for subject in "xyxyx"]
    found = [finding for record in records(sent) for finding in matcher.fold(record)]

    assert [finding.hit.key for finding in found] == ['["x"]']
    assert matcher.watches["pat_count"].stats()["keys_refused"] == 2


def test_a_pattern_that_ends_gives_its_keys_back() -> None:
    matcher = begin(["count", "average"])
    for record in records([Sent(100, 0, "a", subject, 1) for subject in "xy"]):
        matcher.fold(record)
    budget = matcher.watches["pat_count"].budget
    used = budget.used
    matcher.drop("pat_count")

    assert (used, budget.used) == (4, 2)
    matcher.put(pattern_of("count"), 0)
    assert budget.used == 2
