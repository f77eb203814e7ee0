"""The heap keeps the order of `java.util.PriorityQueue`, of equal elements as well."""

from hypothesis import given
from hypothesis import strategies as st

from oncue.core.pattern.nfa.heap import Heap

Named = tuple[int, str]


def rank(element: Named) -> int:
    return element[0]


# As OpenJDK 17 prints them.
def test_equal_elements_lie_as_java_has_them() -> None:
    heap: Heap[Named] = Heap(rank, [(1, "a"), (1, "b"), (0, "c"), (1, "d"), (0, "e")])

    assert list(heap) == [(0, "c"), (0, "e"), (1, "a"), (1, "d"), (1, "b")]
    assert heap.poll() == (0, "c")
    assert list(heap) == [(0, "e"), (1, "b"), (1, "a"), (1, "d")]


def test_what_is_left_is_ordered_anew() -> None:
    heap: Heap[Named] = Heap(rank, [(0, "a"), (2, "b"), (1, "c"), (3, "d")])
    heap.remove_where(lambda element: element[1] == "a")

    assert list(heap) == [(1, "c"), (2, "b"), (3, "d")]


@given(st.lists(st.integers(-5, 5)), st.sets(st.integers(-5, 5)))
def test_the_least_comes_first(numbers: list[int], gone: set[int]) -> None:
    heap = Heap(int, numbers)
    heap.remove_where(gone.__contains__)

    assert [heap.poll() for _ in range(len(heap))] == sorted(n for n in numbers if n not in gone)
