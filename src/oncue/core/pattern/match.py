"""A match: a finding with its evidence, as users and templates see it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oncue.core.event import OWN_SOURCE, Event, depth_of
from oncue.core.ids import derived_id
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.own_events import PATTERN_MATCHED
from oncue.core.pattern.operator import Hit
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.watch import Finding

_ON_TOP = ("expected", "actual")


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A pattern was satisfied by these events; those that the log let go of are missing."""

    id: str
    finding: Finding
    detected_at_ms: int
    events: Sequence[Event]

    @property
    def pattern(self) -> ActivePattern:
        """The version that matched."""
        return self.finding.pattern

    @property
    def time_ms(self) -> int:
        """The event time at which it held."""
        return self.finding.hit.time_ms

    @property
    def depth(self) -> int:
        """How long the longest chain of executions and matches is that led to one of its events."""
        return max((depth_of(event.attributes) for event in self.events), default=0)

    def view(self) -> dict[str, Json]:
        """Return what is kept of it: events stand there once, bindings are their offsets."""
        pattern, hit = self.pattern, self.finding.hit
        bound = _offsets(hit)
        return {
            "id": self.id,
            "pattern": pattern.name,
            "pattern_id": pattern.id,
            "pattern_version": pattern.version,
            "state_version": pattern.state_version,
            "kind": hit.kind.value,
            "match_number": self.finding.number,
            "key": pattern.plan.key.named_match(hit.key),
            "time": format_instant(hit.time_ms),
            "detected_at": format_instant(self.detected_at_ms),
            "events": [_shown(event, nth, pattern) for nth, event in enumerate(self.events)],
            "event_count": hit.event_count,
            "first_offset": min(bound, default=None),
            "last_offset": max(bound, default=None),
            "bindings": {name: list(offsets) for name, offsets in hit.bindings if name},
            "values": dict(hit.values),
            "window": hit.window and {
                "start": format_instant(hit.window[0]),
                "end": format_instant(hit.window[1]),
            },
            "score": hit.score,
            **{name: hit.values[name] for name in _ON_TOP if name in hit.values},
            "suppressed": self.finding.suppressed,
            "revision": hit.revision,
        }  # fmt: skip

    def cause(self) -> Event:
        """Return the last event of it; where there is none, one that says that nothing came."""
        if self.events:
            return self.events[-1]
        pattern, hit = self.pattern, self.finding.hit
        return Event(
            offset=0,
            received_at_ms=self.detected_at_ms,
            id=self.id,
            source=OWN_SOURCE,
            type=PATTERN_MATCHED,
            subject=None,
            time_ms=hit.time_ms,
            data={
                "pattern": pattern.name,
                "kind": hit.kind.value,
                "key": pattern.plan.key.named_match(hit.key),
            },
            attributes={},
        )


def match_id(pattern: ActivePattern, hit: Hit) -> str:
    """Return the id of a hit, the same in every replay."""
    bindings = ";".join(f"{name}:{','.join(map(str, offsets))}" for name, offsets in hit.bindings)
    parts = (
        pattern.id, pattern.state_version, hit.kind.value, hit.key, hit.time_ms,
        hit.window or "", hit.revision, bindings, hit.row,
    )  # fmt: skip
    return derived_id("mat", hit.time_ms, parts)


def offsets_needed(findings: Iterable[Finding]) -> list[int]:
    """Return the offsets of all events that findings are shown with, in order."""
    return sorted({offset for finding in findings for offset in _offsets(finding.hit)})


def match_of(finding: Finding, detected_at_ms: int, events: Mapping[int, Event]) -> Match:
    """Return a finding as a match; `events` are those of the log by offset, as far as they are there."""
    bound = sorted(_offsets(finding.hit))
    found = [events[offset] for offset in bound if offset in events]
    return Match(match_id(finding.pattern, finding.hit), finding, detected_at_ms, found)


def expanded(body: Mapping[str, Json]) -> dict[str, Json]:
    """Return a kept match as people and templates see it: bindings are the events themselves."""
    events, bindings = body["events"], body["bindings"]
    assert isinstance(events, Sequence)
    assert isinstance(bindings, Mapping)
    by_offset = {event["offset"]: event for event in events if isinstance(event, Mapping)}
    shown = {
        name: [by_offset[o] for o in _list(of) if o in by_offset] for name, of in bindings.items()
    }
    return {**body, "bindings": shown}


def _offsets(hit: Hit) -> set[int]:
    return {offset for _, offsets in hit.bindings for offset in offsets}


def _shown(event: Event, nth: int, pattern: ActivePattern) -> dict[str, Json]:
    if nth < pattern.plan.max_events:
        return {**event.view(), "offset": event.offset}
    return {"id": event.id, "source": event.source, "offset": event.offset}


def _list(value: Json) -> Sequence[Json]:
    assert isinstance(value, Sequence)
    return value
