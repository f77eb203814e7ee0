"""Streams of events for thresholds, and a matcher just large enough to play them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

from oncue.core.json_text import Json, encode_json, parse_json
from oncue.core.pattern.kinds.threshold import (
    ThresholdPattern,
    ThresholdPlan,
    compile_threshold,
)
from oncue.core.pattern.operator import Arrival, Hit, Operator
from tests.make import make_event

Fields: TypeAlias = Mapping[str, Json]
"""Of a pattern, as users write it."""
LONG_AGO = -(10**13)
NOTHING: Fields = {}


@dataclass(frozen=True)
class Sent:
    """An event as a test sends it; without `received` it is received when it happens."""

    time: int
    key: str = "a"
    value: Json = 1
    received: int | None = None


def plan(fields: Fields = NOTHING) -> ThresholdPlan:
    """Return a threshold; without other words it counts to three."""
    document: dict[str, Json] = {
        "type": "threshold", "event": "x", "by": ["event.subject"], "value": 3, "window": "10ms",
    }  # fmt: skip
    if fields.get("window_type") == "session":
        del document["window"]
    return compile_threshold(ThresholdPattern.model_validate(document | dict(fields)), "pattern")


def arrival(sent: Sent, offset: int, watermark: int) -> Arrival:
    received = sent.time if sent.received is None else sent.received
    event = make_event(
        offset=offset, time_ms=sent.time, received_at_ms=received, data={"v": sent.value}
    )
    return Arrival(sent.key, 1, event, {"event": {"data": event.data}}, watermark)


def reloaded(operator: Operator, compiled: ThresholdPlan) -> Operator:
    """Return an operator that was read back from a checkpoint of another one."""
    fresh = compiled.operator()
    for name, keyed in operator.states().items():
        save = keyed.begin_save()
        saved: list[Json] = []
        while part := save.part(2):
            saved += [list(each) for each in part]
        written = parse_json(encode_json(saved))
        assert isinstance(written, list)
        fresh.states()[name].load(
            [(place, key, touched, state) for place, key, touched, state in written]
        )
    fresh.restored()
    return fresh


@dataclass
class Player:
    """
    Plays a stream as the matcher does.

    `ticks` are watermarks that are shown to the operator besides those of the events,
    where they are not ahead of them; `reloads` are the numbers of events before which
    the operator is saved and read back.
    """

    compiled: ThresholdPlan
    delay: int = 0
    ticks: Sequence[int] = ()
    reloads: frozenset[int] = frozenset()
    begin: int | None = None
    keys: Sequence[str] = ()

    def play(self, stream: Iterable[Sent], until: int | None = None) -> list[Hit]:
        """Return the hits, after the last event those up to `until` or all."""
        self.operator = self.compiled.operator()
        self.hits: list[Hit] = []
        if self.begin is not None:
            self.operator.begin(self.begin, self.keys)
        newest = LONG_AGO
        waiting: list[tuple[int, int, Sent]] = []
        sorts = self.compiled.sorts and self.delay > 0
        for offset, sent in enumerate(stream):
            if offset in self.reloads:
                self.operator = reloaded(self.operator, self.compiled)
            watermark = newest - self.delay
            self._release(waiting, watermark)
            self._advance(watermark)
            if not sorts:
                self.hits += self.operator.admit(arrival(sent, offset, watermark))
            elif sent.time >= watermark:
                heappush(waiting, (sent.time, offset, sent))
            received = sent.time if sent.received is None else sent.received
            newest = max(newest, min(sent.time, received))
        self._release(waiting, 2**60)
        self._run_out(until)
        return self.hits

    def _release(self, waiting: list[tuple[int, int, Sent]], watermark: int) -> None:
        while waiting and waiting[0][0] < watermark:
            time, offset, sent = heappop(waiting)
            self._advance(time)
            self.hits += self.operator.admit(arrival(sent, offset, time))

    def _advance(self, watermark: int) -> None:
        for tick in self.ticks:
            if tick < watermark:
                self.hits += self.operator.advance(tick)
        due = self.operator.deadline()
        if due is not None and due <= watermark:
            self.hits += self.operator.advance(watermark)

    def _run_out(self, until: int | None) -> None:
        if until is not None:
            self._advance(until)
            return
        while (due := self.operator.deadline()) is not None:
            self.hits += self.operator.advance(due)


def play(stream: Iterable[Sent], fields: Fields = NOTHING) -> list[Hit]:
    """Return the hits of a threshold over a stream."""
    return Player(plan(fields)).play(stream)


def at(*times: int, key: str = "a") -> list[Sent]:
    """Return events of a key at these times."""
    return [Sent(time, key) for time in times]


def times_of(hits: Iterable[Hit]) -> list[int]:
    return [hit.time_ms for hit in hits]
