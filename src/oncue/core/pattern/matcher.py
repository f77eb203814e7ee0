"""
Many patterns over a run of events.

The patterns of an account are found by the event's type, exactly or by glob,
so the cost of an event depends on the patterns that can match it. The set is
changed only by records of the log, so it is the same in a replay.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from oncue.core.errors import EvaluationError
from oncue.core.event import Event
from oncue.core.expression import Expression
from oncue.core.globs import compile_glob
from oncue.core.ids import derived_id
from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True)
class ActivePattern:
    """One state version of a pattern, ready to match."""

    id: str
    version: int
    workflow_id: str | None
    selectors: tuple[str, ...]
    where: Expression | None


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern was satisfied by these events."""

    id: str
    pattern: ActivePattern
    time_ms: int
    detected_at_ms: int
    events: tuple[Event, ...]

    def view(self) -> dict[str, Json]:
        """Return what templates see as `match`."""
        return {
            "id": self.id,
            "pattern": self.pattern.id,
            "pattern_version": self.pattern.version,
            "kind": "matched",
            "events": [event.view() for event in self.events],
            "event_count": len(self.events),
        }


class Matcher:
    """The patterns of one account, and the fold of its log over them."""

    def __init__(self) -> None:
        self._patterns: dict[str, ActivePattern] = {}
        self._by_type: dict[str, list[ActivePattern]] = {}
        self._by_glob: list[tuple[Callable[[str], bool], ActivePattern]] = []
        self._found: dict[str, tuple[ActivePattern, ...]] = {}

    def put(self, pattern: ActivePattern) -> None:
        """Let `pattern` see what follows, in place of its earlier version."""
        self._patterns[pattern.id] = pattern
        self._build_index()

    def drop(self, pattern_id: str) -> None:
        """Let the pattern see nothing more."""
        self._patterns.pop(pattern_id, None)
        self._build_index()

    def match(self, event: Event) -> Iterator[Match]:
        """Yield the matches that `event` completes."""
        found = self._found.get(event.type)
        if found is None:
            found = self._find(event.type)
        if not found:
            return
        values = {"event": event.view()}
        for pattern in found:
            if pattern.where is None or _holds(pattern.where, values):
                yield _match(pattern, event)

    def _find(self, event_type: str) -> tuple[ActivePattern, ...]:
        exact = self._by_type.get(event_type, [])
        globs = [pattern for glob, pattern in self._by_glob if glob(event_type)]
        found = tuple({pattern.id: pattern for pattern in (*exact, *globs)}.values())
        # Types come from outside without limit: what is remembered of them is bounded.
        if len(self._found) >= _MAX_REMEMBERED_TYPES:
            self._found.clear()
        self._found[event_type] = found
        return found

    def _build_index(self) -> None:
        self._by_type, self._by_glob, self._found = {}, [], {}
        for pattern in self._patterns.values():
            for selector in pattern.selectors:
                if "*" in selector:
                    self._by_glob.append((compile_glob(selector), pattern))
                else:
                    self._by_type.setdefault(selector, []).append(pattern)


_MAX_REMEMBERED_TYPES = 10_000


def _holds(where: Expression, values: dict[str, dict[str, Json]]) -> bool:
    try:
        return where.evaluate(values) is True
    except EvaluationError:
        return False


def _match(pattern: ActivePattern, event: Event) -> Match:
    parts = (pattern.id, pattern.version, "matched", "", event.time_ms, "", 0, event.offset, 0)
    return Match(
        id=derived_id("mat", event.time_ms, parts),
        pattern=pattern,
        time_ms=event.time_ms,
        detected_at_ms=event.received_at_ms,
        events=(event,),
    )
