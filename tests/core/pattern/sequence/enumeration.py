"""
Sequences by enumeration over the whole history: slow, and right by looking at it.

A path is the events chosen so far, each with its step. It goes on with an event for a step
if nothing in the gap between stands against that: the contiguity of the step, a step that
must stay away, a step left behind that would have taken more, or the time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A step over letters."""

    letters: str
    contiguity: str = "relaxed"
    least: int = 1
    most: int = 1
    inner: str = "relaxed"
    is_optional: bool = False
    is_ban: bool = False


@dataclass(frozen=True)
class Happening:
    """An event: its letter and time."""

    letter: str
    time_ms: int


Path = tuple[tuple[int, int], ...]
"""Pairs of (step, place of the event)."""


@dataclass(frozen=True)
class History:
    """Rules over events in their order."""

    rules: Sequence[Rule]
    events: Sequence[Happening]
    within_ms: int
    is_greedy: bool

    def paths(self, path: Path) -> Iterator[Path]:
        """Yield a path and all that it may become."""
        yield path
        last = path[-1][1]
        for place in range(last + 1, len(self.events)):
            for step in self.next_steps(path):
                if self.may_take(path, step, place):
                    yield from self.paths((*path, (step, place)))

    def starts(self, place: int) -> Iterator[Path]:
        """Yield the paths of one event."""
        for step, rule in enumerate(self.rules):
            if rule.is_ban:
                return
            if self.events[place].letter in rule.letters:
                yield ((step, place),)
                if self.is_greedy and rule.most > 1:
                    return
            if not rule.is_optional:
                return

    def next_steps(self, path: Path) -> Iterator[int]:
        """Yield the steps that may take the next event."""
        here = path[-1][0]
        count = sum(step == here for step, _ in path)
        if count < self.rules[here].most:
            yield here
        if count >= self.rules[here].least:
            for step in range(here + 1, len(self.rules)):
                if not self.rules[step].is_ban:
                    yield step
                    if not self.rules[step].is_optional:
                        return

    def is_complete(self, path: Path) -> bool:
        here = path[-1][0]
        count = sum(step == here for step, _ in path)
        return count >= self.rules[here].least and all(
            rule.is_optional for rule in self.rules[here + 1 :]
        )

    def may_take(self, path: Path, step: int, place: int) -> bool:
        """Return whether the event at `place` may be the next of the path, for a step."""
        return self.events[place].letter in self.rules[step].letters and self.may_wait(
            path, step, place - 1, place
        )

    def may_wait(self, path: Path, step: int, until: int, through: int) -> bool:
        """
        Return whether a path may still wait for a step after the events up to `until`.

        What is left behind must not have wanted an event up to `through`.
        """
        here, last = path[-1]
        if until >= 0 and self.events[through].time_ms - self.events[path[0][1]].time_ms >= (
            self.within_ms
        ):
            return False
        contiguity = self.rules[step].inner if step == here else self.rules[step].contiguity
        gap = range(last + 1, until + 1)
        if contiguity == "strict" and gap:
            return False
        if contiguity == "relaxed" and self._among(step, gap):
            return False
        # A step that repeats is as good as done with its first event: the ban after it holds.
        left = list(range(here, step)) or [each for each in (here + 1,) if self._is_ban(each)]
        seen = range(last + 1, through + 1)
        return not any(
            self._among(each, seen) if self.rules[each].is_ban else self._wanted(path, each, seen)
            for each in left
        )

    def _wanted(self, path: Path, step: int, seen: range) -> bool:
        """Return whether a greedy step that was left behind would have taken one of the events."""
        here = path[-1][0]
        rule = self.rules[step]
        count = sum(each == here for each, _ in path) if step == here else 0
        if not self.is_greedy or rule.most == 1 or count >= rule.most:
            return False
        contiguity = rule.inner if step == here else rule.contiguity
        return self._among(step, seen[:1] if contiguity == "strict" else seen)

    def _is_ban(self, step: int) -> bool:
        return step < len(self.rules) and self.rules[step].is_ban

    def _among(self, step: int, places: range) -> bool:
        return any(self.events[place].letter in self.rules[step].letters for place in places)


def combinations(history: History) -> list[Path]:
    """Return every combination, by the place of its last event."""
    found = [
        path
        for place in range(len(history.events))
        for first in history.starts(place)
        for path in history.paths(first)
        if history.is_complete(path)
    ]
    return sorted(found)


def one_per_start(history: History, overlap: str, after_match: str) -> list[Path]:
    """Return one match for each start that may begin, as it completes; steps end at once."""
    found: list[Path] = []
    starts: list[int] = []
    for place, event in enumerate(history.events):
        floor = -1
        starts = [
            s for s in starts if event.time_ms - history.events[s].time_ms < history.within_ms
        ]
        still: list[int] = []
        for start in starts:
            if start < floor:
                continue
            done = _completed(history, start, place)
            if done:
                found.append(done)
                floor = max(floor, _floor(done, after_match))
                still = [each for each in still if each >= floor]
            elif _is_alive(history, start, place):
                still.append(start)
        starts = still
        took = any(_takes(history, start, place) for start in starts)
        may_begin = {"each": True, "first": not starts, "last": not took}[overlap]
        if may_begin and place >= floor and any(history.starts(place)):
            done = _completed(history, place, place)
            if overlap == "last":
                starts = []
            if done:
                found.append(done)
            else:
                starts.append(place)
    return found


def _completed(history: History, start: int, place: int) -> Path | None:
    ended = [
        path
        for first in history.starts(start)
        for path in history.paths(first)
        if path[-1][1] == place and history.is_complete(path)
    ]
    return min(ended, key=lambda path: (-len(path), [at for _, at in path]), default=None)


def _floor(path: Path, after_match: str) -> int:
    return {"no_skip": -1, "skip_to_next": path[0][1] + 1, "skip_past_last": path[-1][1] + 1}[
        after_match
    ]


def _open_paths(history: History, start: int, place: int) -> Iterator[Path]:
    for first in history.starts(start):
        for path in history.paths(first):
            if path[-1][1] <= place:
                yield path


def _is_alive(history: History, start: int, place: int) -> bool:
    return any(
        history.may_wait(path, step, place, place)
        for path in _open_paths(history, start, place)
        for step in history.next_steps(path)
    )


def _takes(history: History, start: int, place: int) -> bool:
    return any(path[-1][1] == place for path in _open_paths(history, start, place))
