"""Windows that close as one would keep them on paper: every event, and what was said when."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.core.pattern.threshold.naive import COMPARE, Placed, measured
from tests.core.pattern.threshold.streams import LONG_AGO, Fields, Sent

SIZE = 10
GAP = 6
Span: TypeAlias = tuple[int, int]
Told: TypeAlias = tuple[str, Span, int, tuple[int, ...], int, bool]
"""Key, window, how many events, their offsets, the revision, and whether it holds."""


@dataclass
class Paper:
    """A window: its span, its events, and the last that was said; revision -1 is nothing yet."""

    span: Span
    events: list[Placed] = field(default_factory=list)
    revision: int = -1
    has_held: bool = False
    is_open: bool = True


@dataclass
class NaiveWindows(ABC):
    """The windows of all keys."""

    fields: Fields
    slide: int
    allowed: int
    ttl: int
    windows: dict[str, list[Paper]] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def play(self, stream: Sequence[Sent], delay: int) -> list[Told]:
        newest = LONG_AGO
        for offset, sent in enumerate(stream):
            watermark = newest - delay
            self.advance(watermark)
            self.admit(sent.key, (sent.time, offset, sent.value), watermark)
            newest = max(newest, sent.time)
        self.advance(1_000)
        return self.told

    def admit(self, key: str, placed: Placed, watermark: int) -> None:
        if self.heard.get(key, 10**9) + self.ttl <= watermark:
            del self.windows[key], self.heard[key]
        joined = self.join(key, placed, watermark)
        if not joined:
            return
        self.heard[key] = max(self.heard.get(key, LONG_AGO), watermark, placed[0])
        for window in joined:
            window.events.append(placed)
            if not window.is_open:
                self.tell(key, window)
        self.follow(key)

    @abstractmethod
    def join(self, key: str, placed: Placed, watermark: int) -> list[Paper]:
        """Return the windows of an event."""

    @abstractmethod
    def follow(self, key: str) -> None:
        """Add windows in which nothing happened."""

    def advance(self, watermark: int) -> None:
        due = [
            (window.span[1], key, window)
            for key, windows in self.windows.items()
            for window in windows
            if window.is_open and window.span[1] <= min(watermark, self.heard[key] + self.ttl)
        ]
        for _, key, window in sorted(due, key=lambda each: each[:2]):
            window.is_open = False
            self.tell(key, window)

    def holds(self, events: Sequence[Placed], span: Span) -> bool:
        value = measured(str(self.fields["measure"]), events, span[1] - span[0], per=1)
        compare = COMPARE[str(self.fields["operator"])]
        return value is not None and compare(value, float(str(self.fields["value"])))

    def tell(self, key: str, window: Paper) -> None:
        events = sorted(window.events)
        holds = self.holds(events, window.span)
        if holds or window.has_held:
            window.revision += 1
            offsets = tuple(each[1] for each in events)
            self.told.append((key, window.span, len(events), offsets, window.revision, holds))
        window.revision = max(window.revision, 0)
        window.has_held = holds


@dataclass
class Grids(NaiveWindows):
    """Tumbling and hopping windows; all of a key are there from its first one on."""

    def join(self, key: str, placed: Placed, watermark: int) -> list[Paper]:
        joined = []
        for start in range(-100, placed[0] + 1):
            span = (start, start + SIZE)
            is_around = start % self.slide == 0 and start <= placed[0] < start + SIZE
            if is_around and span[1] > watermark - self.allowed:
                joined.append(self.window(key, span, watermark))
        return joined

    def window(self, key: str, span: Span, watermark: int) -> Paper:
        windows = self.windows.setdefault(key, [])
        found = [window for window in windows if window.span == span]
        if not found:
            is_over = span[1] <= watermark
            found = [Paper(span, revision=0 if is_over else -1, is_open=not is_over)]
            windows += found
        return found[0]

    def follow(self, key: str) -> None:
        fills = self.fields["operator"] not in (">", ">=") and self.holds([], (0, SIZE))
        if not fills:
            return
        windows = self.windows[key]
        first = min((window.span[0] for window in windows if window.is_open), default=None)
        if first is None:
            return
        have = {window.span[0] for window in windows}
        windows += [
            Paper((start, start + SIZE))
            for start in range(first, 150)
            if start % self.slide == 0 and start not in have
        ]


@dataclass
class Sessions(NaiveWindows):
    """Sessions: whatever is nearer than the gap is one."""

    def join(self, key: str, placed: Placed, watermark: int) -> list[Paper]:
        closed = watermark - self.allowed
        span = (placed[0], placed[0] + GAP)
        windows = self.windows.setdefault(key, [])
        near = [
            window
            for window in windows
            if window.span[1] > closed
            and any(abs(event[0] - placed[0]) < GAP for event in window.events)
        ]
        if not near and span[1] <= closed:
            return []
        is_over = span[1] <= watermark
        joined = Paper(span, revision=0 if is_over and not near else -1)
        for window in near:
            joined.span = (
                min(joined.span[0], window.span[0]),
                max(joined.span[1], window.span[1]),
            )
            joined.events += window.events
            joined.revision = max(joined.revision, window.revision)
            joined.has_held = joined.has_held or window.has_held
            windows.remove(window)
        joined.is_open = joined.span[1] > watermark
        windows.append(joined)
        return [joined]

    def follow(self, key: str) -> None:
        """Silence has no session."""
