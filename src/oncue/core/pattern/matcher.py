"""
Many patterns over a run of events: index, select, then what each kind does with a hit.

The set is changed only by records of the log, so it is the same in a replay.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from oncue.core.event import Event
from oncue.core.ids import derived_id
from oncue.core.instants import format_instant
from oncue.core.json_text import Json, encode_json
from oncue.core.pattern.active import ActivePattern
from oncue.core.pattern.cooldown import Cooldowns, Cooling
from oncue.core.pattern.index import TypeIndex
from oncue.core.pattern.seen import Seen


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern was satisfied by these events."""

    id: str
    pattern: ActivePattern
    key: dict[str, Json]
    time_ms: int
    detected_at_ms: int
    events: tuple[Event, ...]
    suppressed: int = 0

    def view(self) -> dict[str, Json]:
        """Return what templates and users see as the match."""
        return {
            "id": self.id,
            "pattern": self.pattern.name,
            "pattern_id": self.pattern.id,
            "pattern_version": self.pattern.version,
            "state_version": self.pattern.state_version,
            "kind": "matched",
            "key": self.key,
            "time": format_instant(self.time_ms),
            "detected_at": format_instant(self.detected_at_ms),
            "events": [
                {**event.view(), "offset": event.offset}
                for event in self.events[: self.pattern.max_events]
            ],
            "event_count": len(self.events),
            "bindings": {},
            "values": {},
            "window": None,
            "score": None,
            "suppressed": self.suppressed,
            "revision": 0,
        }


@dataclass(frozen=True, slots=True)
class KeyState:
    """What a pattern remembers of a key."""

    pattern_id: str
    state_version: int
    key: str
    cooling: Cooling


@dataclass(slots=True)
class Misses:
    """What was counted and matched nothing, since the matcher began."""

    where_errors: Counter[str]
    missing_keys: Counter[str]


class Matcher:
    """The patterns of one account, and the fold of its log over them."""

    def __init__(self) -> None:
        self.misses = Misses(Counter(), Counter())
        self._patterns: dict[str, ActivePattern] = {}
        self._cooldowns: dict[str, Cooldowns] = {}
        self._index: TypeIndex[ActivePattern] = TypeIndex([])
        self._changed: dict[tuple[str, str], KeyState] = {}
        self.globs: list[str] = []
        """The types and globs that some pattern watches."""

    def put(self, pattern: ActivePattern) -> None:
        """Let `pattern` see what follows, in place of its earlier version."""
        before = self._patterns.get(pattern.id)
        if before is None or (before.state_version, before.cooldown) != (
            pattern.state_version,
            pattern.cooldown,
        ):
            self._cooldowns.pop(pattern.id, None)
        if pattern.cooldown:
            self._cooldowns.setdefault(pattern.id, Cooldowns(pattern.cooldown.for_ or 0))
        self._patterns[pattern.id] = pattern
        self._build_index()

    def drop(self, pattern_id: str) -> None:
        """Let the pattern see nothing more."""
        self._patterns.pop(pattern_id, None)
        self._cooldowns.pop(pattern_id, None)
        self._build_index()

    def restore(self, state: KeyState) -> None:
        """Take up what a pattern remembered of a key."""
        pattern = self._patterns.get(state.pattern_id)
        if pattern and pattern.cooldown and pattern.state_version == state.state_version:
            self._cooldowns[pattern.id].put(state.key, state.cooling)

    def take_changes(self) -> list[KeyState]:
        """Return what changed of the keys since this was asked last."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed

    def match(self, event: Event) -> Iterator[Match]:
        """Yield the matches that `event` completes."""
        found = self._index.watching(event.type)
        if not found:
            return
        values = Seen(event)
        for pattern in found:
            refusal = pattern.selection.refusal(event, values)
            if refusal:
                if refusal.error:
                    self.misses.where_errors[pattern.id] += 1
                continue
            text = pattern.key.text(event, values)
            if text is None:
                self.misses.missing_keys[pattern.id] += 1
                continue
            key = pattern.key.named(text)
            suppressed = self._suppressed(pattern, key, event.time_ms) if pattern.cooldown else 0
            if suppressed is not None:
                yield match_of(pattern, event, key, suppressed)

    def _suppressed(self, pattern: ActivePattern, key: dict[str, Json], time_ms: int) -> int | None:
        is_shared = pattern.cooldown is not None and pattern.cooldown.per == "pattern"
        place = "" if is_shared else _spell(key)
        cooling, suppressed = self._cooldowns[pattern.id].hit(place, time_ms)
        self._changed[pattern.id, place] = KeyState(
            pattern.id, pattern.state_version, place, cooling
        )
        return suppressed

    def _build_index(self) -> None:
        self._index = TypeIndex((p, p.selection.globs) for p in self._patterns.values())
        self.globs = sorted({g for p in self._patterns.values() for g in p.selection.globs})


def match_of(
    pattern: ActivePattern, event: Event, key: dict[str, Json], suppressed: int = 0
) -> Match:
    """Return the match of an event pattern; its id is the same in every replay."""
    parts = (
        pattern.id, pattern.state_version, "matched", _spell(key), event.time_ms, "", 0,
        event.offset, 0,
    )  # fmt: skip
    return Match(
        id=derived_id("mat", event.time_ms, parts),
        pattern=pattern,
        key=key,
        time_ms=event.time_ms,
        detected_at_ms=event.received_at_ms,
        events=(event,),
        suppressed=suppressed,
    )


def _spell(key: dict[str, Json]) -> str:
    return encode_json(list(key.values())).decode() if key else ""
