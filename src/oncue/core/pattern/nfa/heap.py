"""
A heap that keeps the order of `java.util.PriorityQueue`, equal elements included.

Flink iterates over such heaps, so where several matches have the same start, their order
depends on how the heap moves its elements. `heapq` sifts a removed root in another way.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Heap(Generic[T]):
    """
    Elements, the least first; iteration is in the order of the array.

    >>> heap = Heap(abs, [3, -1, 2])
    >>> heap.add(1)
    >>> list(heap), heap.poll(), list(heap)
    ([-1, 1, 2, 3], -1, [1, 3, 2])
    """

    def __init__(self, key: Callable[[T], int], elements: Iterable[T] = ()) -> None:
        self._key = key
        self._array: list[T] = []
        for element in elements:
            self.add(element)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[T]:
        return iter(self._array)

    def peek(self) -> T | None:
        """Return the least element."""
        return self._array[0] if self._array else None

    def add(self, element: T) -> None:
        """Add an element: it rises past what is greater."""
        array, key, rank = self._array, self._key, self._key(element)
        place = len(array)
        array.append(element)
        while place > 0:
            above = (place - 1) >> 1
            if rank >= key(array[above]):
                break
            array[place] = array[above]
            place = above
        array[place] = element

    def poll(self) -> T:
        """Take out the least element."""
        array = self._array
        least = array[0]
        last = array.pop()
        if array:
            array[0] = last
            self._sink(0)
        return least

    def remove_where(self, is_gone: Callable[[T], bool]) -> None:
        """Take out all that `is_gone` holds of, and order the rest as a heap again."""
        kept = [element for element in self._array if not is_gone(element)]
        if len(kept) == len(self._array):
            return
        self._array = kept
        for place in range((len(kept) >> 1) - 1, -1, -1):
            self._sink(place)

    def _sink(self, place: int) -> None:
        array, key = self._array, self._key
        element = array[place]
        rank = key(element)
        half = len(array) >> 1
        while place < half:
            below = 2 * place + 1
            if below + 1 < len(array) and key(array[below]) > key(array[below + 1]):
                below += 1
            if rank <= key(array[below]):
                break
            array[place] = array[below]
            place = below
        array[place] = element
