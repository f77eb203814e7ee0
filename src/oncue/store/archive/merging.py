"""
Which files of an account are to become one.

Quiet accounts get a small file each day, and more of them where others are busy. Neighbours are
merged once there are several, of which none is larger than the others together: so whatever is
written again at least doubles, and a record is written again a few times at most.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from oncue.store.archive.files import ArchivedFile

STRETCH_RECORDS: Final = 102_400
"""Records that go into the archive together; a query over all events reads so many from the log at most."""
STRETCH_BYTES: Final = 64 << 20
"""What the bodies in one file take at most before they are packed; whoever reads it unpacks that."""
FEWEST: Final = 8
"""Files that are worth to be written again."""
_MOST: Final = 64
"""What is written at once is bounded; the rest comes next."""


class Ripe(NamedTuple):
    """
    Which files may be merged: those that arrived before an instant, within a span of time.

    A file is deleted once all in it is old, so what lies in one must not differ much in age.
    """

    before_ms: int
    span_ms: int


def next_to_merge(files: Sequence[ArchivedFile], ripe: Ripe) -> Sequence[ArchivedFile]:
    """Return neighbours that are to become one file, the oldest first; none if there are not enough."""
    for begin in range(len(files) - FEWEST + 1):
        end = _end_of_run(files[begin : begin + _MOST], ripe)
        if end >= FEWEST:
            return files[begin : begin + end]
    return ()


def _end_of_run(files: Sequence[ArchivedFile], ripe: Ripe) -> int:
    """Return how many files from the first on are to become one."""
    shares = [*map(_share, files)]
    end = 0
    for count, (total, largest) in enumerate(
        zip(accumulate(shares), accumulate(shares, max), strict=True), 1
    ):
        if total > 1 or not _may_follow(files, count - 1, ripe):
            break
        if 2 * largest <= total:
            end = count
    return end


def _may_follow(files: Sequence[ArchivedFile], place: int, ripe: Ripe) -> bool:
    last = files[place]
    arrived = last.wanted.arrivals[1]
    is_next = place == 0 or files[place - 1].last + 1 == last.first
    is_near = arrived - files[0].wanted.arrivals[0] <= ripe.span_ms
    return is_next and is_near and arrived < ripe.before_ms


def _share(file: ArchivedFile) -> float:
    """Return how much of a full file it is."""
    return (file.last - file.first + 1) / STRETCH_RECORDS + file.bodies / STRETCH_BYTES
