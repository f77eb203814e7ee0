"""
Where a condition was reported as true: stretches of event time, [begin, end).

They are kept end to end in one array, in their order; no two of them touch. The end of
the last one may be `OPEN`: it holds until an event leaves the window, and it is not yet
known which.
"""

from array import array
from bisect import bisect_left
from typing import Final, TypeAlias

Stretch: TypeAlias = tuple[int, int]
OPEN: Final = 2**62


def report(reported: "array[int]", stretch: Stretch) -> bool:
    """
    Add a stretch, as part of those that it touches; return whether it touches none.

    >>> known = array("q", [0, 10])
    >>> report(known, (20, 30)), report(known, (10, 12)), known.tolist()
    (True, False, [0, 12, 20, 30])
    """
    begin, end = stretch
    first = bisect_left(reported, begin)
    # An end that is not before the begin belongs to a stretch that is touched.
    first -= first % 2
    after = first
    while after < len(reported) and reported[after] <= end:
        after += 2
    if after == first:
        reported[first:first] = array("q", (begin, end))
        return True
    reported[first:after] = array("q", (min(begin, reported[first]), max(end, reported[after - 1])))
    return False
