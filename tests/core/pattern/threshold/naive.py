"""Thresholds as one would work them out on paper: over the whole history, again and again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne
from typing import TypeAlias

from oncue.core.json_text import Json
from tests.core.pattern.threshold.streams import Sent

COMPARE = {">": gt, ">=": ge, "<": lt, "<=": le, "==": eq, "!=": ne}
Placed: TypeAlias = tuple[int, int, Json]
"""Time, offset and value."""


def measured(name: str, placed: Sequence[Placed], span: int, per: int = 1_000) -> float | None:
    """Return a measure of events."""
    if name == "count":
        return len(placed)
    if name == "distinct":
        return len({(isinstance(value, bool), value) for _, _, value in placed})
    if name == "rate":
        return len(placed) * per / span
    values = [Fraction(float(str(value))) for _, _, value in sorted(placed)]
    if name == "sum":
        return float(sum(values))
    if not values:
        return None
    if name == "avg":
        return float(sum(values) / len(values))
    if name == "last":
        return float(values[-1])
    ordered = sorted(values)
    if name in ("min", "max"):
        return float(ordered[0 if name == "min" else -1])
    return float(ordered[math.ceil(Fraction(int(name[1:]), 100) * len(ordered)) - 1])


@dataclass
class Question:
    """A sliding window and what is asked of it."""

    measure: str
    operator: str
    value: float
    size: int

    def inside(self, known: Sequence[Placed], instant: int) -> list[Placed]:
        return sorted(each for each in known if instant - self.size < each[0] <= instant)

    def holds(self, known: Sequence[Placed], instant: int) -> bool:
        value = measured(self.measure, self.inside(known, instant), self.size)
        return value is not None and COMPARE[self.operator](value, self.value)

    def changes(self, known: Sequence[Placed]) -> list[int]:
        """Return the instants at which an event enters the window or leaves it."""
        return sorted({each[0] + more for each in known for more in (0, self.size)})

    def stretches(self, known: Sequence[Placed]) -> list[tuple[int, int]]:
        """Return where the condition is true, [begin, end)."""
        found: list[tuple[int, int]] = []
        instants = self.changes(known)
        for begin, end in pairwise(instants):
            if self.holds(known, begin):
                if found and found[-1][1] == begin:
                    found[-1] = (found[-1][0], end)
                else:
                    found.append((begin, end))
        return found


def early_hits(
    question: Question, stream: Sequence[Sent]
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return for each hit the offset of its arrival, its time, and the offsets of its window."""
    hits: list[tuple[int, int, tuple[int, ...]]] = []
    known: list[Placed] = []
    before: list[tuple[int, int]] = []
    for offset, sent in enumerate(stream):
        known.append((sent.time, offset, sent.value))
        after = question.stretches(known)
        for begin, end in after:
            if not any(begin <= old_end and old_begin <= end for old_begin, old_end in before):
                offsets = tuple(each[1] for each in question.inside(known, begin))
                hits.append((offset, begin, offsets))
        before = after
    return hits


@dataclass
class Sweep:
    """One key of a sliding window that is swept in the order of event time."""

    question: Question
    on_arrival: bool
    for_: int | None = None
    clear: tuple[str, float] | None = None
    notifies: bool = False
    repeats: bool = False
    rearm: str = "edge"
    known: list[Placed] = field(default_factory=list)
    position: int = 0
    since: int | None = None
    is_active: bool = False
    hits: list[tuple[str, int, bool, tuple[int, ...]]] = field(default_factory=list)

    def admit(self, placed: Placed) -> None:
        if placed[0] <= self.position - self.question.size:
            return
        self.known.append(placed)
        if placed[0] <= self.position:
            self.observe(is_judged=self.on_arrival)
        elif self.on_arrival:
            self.go_to(placed[0])

    def catch_up(self, watermark: int) -> None:
        """Go to what cannot wait: an event that leaves, an alert that ends, `for` that is over."""
        if self.on_arrival and not (self.is_active and self.notifies):
            over = None if self.since is None else self.since + (self.for_ or 0)
            if over is not None and self.for_ and not self.is_active and over <= watermark:
                self.go_to(over)
                self.catch_up(watermark)
            return
        size = self.question.size
        instants = [each[0] + size for each in self.known]
        if self.is_active and self.notifies:
            instants += [each[0] for each in self.known]
        if self.for_ and self.since is not None and not self.is_active:
            instants.append(self.since + self.for_)
        instants = [each for each in instants if self.position < each <= watermark]
        if instants:
            self.go_to(min(instants))
            self.catch_up(watermark)

    def go_to(self, to: int) -> None:
        """Look at every instant in between at which anything may change."""
        size = self.question.size
        for instant in range(self.position + 1, to + 1):
            enters = any(each[0] == instant for each in self.known)
            leaves = any(each[0] + size == instant for each in self.known)
            is_over = self.since is not None and self.for_ is not None and not self.is_active
            if enters or leaves or (is_over and instant == (self.since or 0) + (self.for_ or 0)):
                self.position = instant
                self.observe(is_judged=enters if self.on_arrival else leaves)

    def observe(self, *, is_judged: bool) -> None:
        holds = self.question.holds(self.known, self.position)
        inside = self.question.inside(self.known, self.position)
        value = measured(self.question.measure, inside, self.question.size)
        offsets = tuple(each[1] for each in inside)
        if self.is_active:
            self.go_on(value, offsets, holds=holds, is_judged=is_judged)
            return
        if not holds:
            self.since = None
            return
        if self.since is None:
            if not is_judged:
                return
            self.since = self.position
        if self.for_ is None or self.position >= self.since + self.for_:
            self.hits.append(("threshold", self.position, False, offsets))
            self.is_active = True
            if self.rearm == "reset":
                self.known = [each for each in self.known if each[0] > self.position]
                self.is_active, self.since = False, None

    def go_on(
        self, value: float | None, offsets: tuple[int, ...], *, holds: bool, is_judged: bool
    ) -> None:
        """Look whether an alert ends."""
        is_over = not holds
        if self.clear is not None and value is not None:
            is_over = COMPARE[self.clear[0]](value, self.clear[1])
        if is_over:
            self.is_active, self.since = False, None
            if self.notifies:
                self.hits.append(("cleared", self.position, False, offsets))
        elif is_judged and holds and self.clear is None and self.wants_all:
            self.hits.append(("threshold", self.position, self.rearm == "edge", offsets))

    @property
    def wants_all(self) -> bool:
        return self.repeats or self.rearm == "every"
