"""
What a matcher remembers, as plain data, and back: the content of a checkpoint.

A checkpoint is a head and a list of parts. The head names the format, the event
time, and each pattern with the events that wait in its sorter; a part holds some
keys of one sort of one pattern's state. Nothing in it is code.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from oncue.core.pattern.event_time import EventTime
from oncue.core.pattern.keyed import Saved
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.memory import Memory
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.sorter import Waiting
from oncue.core.pattern.watch import NO_LIMIT, Watch

FORMAT: Final = 1
# Beside what was left out, by its reason.
_FAILED: Final = "failed_in_row"
UNFIT: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
"""What `restore` raises where the content of a checkpoint is not what an operator wrote."""


class SavedWatch(msgspec.Struct, frozen=True):
    """A pattern as it was matched: the version of its state, and what waits to be looked at."""

    pattern_id: str
    state_version: int
    began_ms: int
    waiting: list[Waiting]
    counts: dict[str, int]


class Head(msgspec.Struct, frozen=True):
    """What a checkpoint begins with: it holds the state after the record at `offset`."""

    format: int
    offset: int
    time: EventTime
    watches: list[SavedWatch]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Some keys of one sort of a pattern's state."""

    pattern_id: str
    sort: str
    keys: list[Saved]


class Save:
    """A checkpoint that is being made, some keys at a time, of the state at its begin."""

    def __init__(self, matcher: Matcher, offset: int) -> None:
        watches = [watch for watch in matcher.watches.values() if watch.pattern.plan.is_stateful]
        self.head = Head(FORMAT, offset, _copy(matcher.time), [_saved(watch) for watch in watches])
        self._sorts = [
            (watch.pattern.id, sort, keyed.begin_save())
            for watch in watches
            for sort, keyed in watch.memory.states().items()
        ]

    def next_part(self, limit: int) -> Part | None:
        """Return about `limit` more keys; None when all are there."""
        while self._sorts:
            pattern_id, sort, save = self._sorts[-1]
            if keys := save.part(limit):
                return Part(pattern_id, sort, keys)
            self._sorts.pop()
        return None

    def stop(self) -> None:
        """Make no more of it."""
        for _, _, save in self._sorts:
            save.stop()
        self._sorts = []


def restore(
    head: Head,
    parts: Iterable[Part],
    patterns: Iterable[ActivePattern],
    max_keys: int = NO_LIMIT,
) -> Matcher:
    """
    Return the matcher as it was when a checkpoint was begun.

    `patterns` are those that were seen then.
    """
    matcher = Matcher(_copy(head.time), max_keys)
    known = {saved.pattern_id: saved for saved in head.watches}
    rows: dict[str, dict[str, list[Saved]]] = {}
    for part in parts:
        rows.setdefault(part.pattern_id, {}).setdefault(part.sort, []).extend(part.keys)
    for pattern in patterns:
        saved = known.get(pattern.id)
        if saved is None or saved.state_version != pattern.state_version:
            matcher.put(pattern, head.time.last_received_ms)
            continue
        memory = Memory(pattern.plan)
        memory.resume(saved.waiting, saved.counts)
        memory.load(rows.get(pattern.id, {}))
        watch = Watch(pattern, saved.began_ms, matcher.time, memory)
        watch.failed_in_row = memory.counts.pop(_FAILED, 0)
        matcher.take_up(watch)
    return matcher


def _saved(watch: Watch) -> SavedWatch:
    pattern = watch.pattern
    waiting = watch.sorter.all() if watch.sorter else []
    counts = dict(watch.memory.all_counts())
    if watch.failed_in_row:
        counts[_FAILED] = watch.failed_in_row
    return SavedWatch(pattern.id, pattern.state_version, watch.began_ms, waiting, counts)


def _copy(time: EventTime) -> EventTime:
    return EventTime(time.newest_ms, time.last_received_ms, time.latest_ms, dict(time.silent))
