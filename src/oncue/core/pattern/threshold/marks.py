"""
Event times and offsets side by side in one array, in the order of (time, arrival).

    array('q', [time, offset, time, offset, …])      16 bytes an event

Events that arrive in order are appended; others are put after those of their instant.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator


def place_after(marks: "array[int]", time_ms: int) -> int:
    """Return how many events are at or before an instant."""
    return bisect_right(range(len(marks) // 2), time_ms, key=lambda place: marks[2 * place])


def insert(marks: "array[int]", time_ms: int, offset: int) -> int:
    """Put an event in its place, and return that place."""
    if not marks or marks[-2] <= time_ms:
        marks.append(time_ms)
        marks.append(offset)
        return len(marks) // 2 - 1
    place = place_after(marks, time_ms)
    marks[2 * place : 2 * place] = array("q", (time_ms, offset))
    return place


def insert_first(marks: "array[int]", time_ms: int, offset: int, limit: int) -> None:
    """Put an event in its place if it is among the first `limit` ones, which alone are kept."""
    if len(marks) < 2 * limit or (marks and time_ms < marks[-2]):
        insert(marks, time_ms, offset)
        del marks[2 * limit :]


def insert_once(marks: "array[int]", time_ms: int, offset: int, limit: int) -> bool:
    """Put an event in its place as `insert_first` does, if it is not there; return whether it was not."""
    place = place_after(marks, time_ms)
    while place and marks[2 * place - 2] == time_ms:
        place -= 1
        if marks[2 * place + 1] == offset:
            return False
    insert_first(marks, time_ms, offset, limit)
    return True


def merged_first(one: "array[int]", other: "array[int]", limit: int) -> "array[int]":
    """Return the first `limit` events of both."""
    merged = array("q")
    for time_ms, offset in sorted([*_pairs(one), *_pairs(other)])[:limit]:
        merged.append(time_ms)
        merged.append(offset)
    return merged


def _pairs(marks: "array[int]") -> Iterator[tuple[int, int]]:
    return zip(marks[::2], marks[1::2], strict=True)
