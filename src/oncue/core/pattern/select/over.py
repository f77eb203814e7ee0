"""
SELECT … OVER (PARTITION BY … ORDER BY time …): each event is a row, with aggregates of those before.

    rows of a key:   kept for frames │ wait for their turn
                     ·  ·  ·  ·  ·   │  ·  ·
                     head of a frame   done

A row is due when event time has passed it: then all rows of its instant are there, which
RANGE counts as well. It is late if a row of its key that does not come before it had its
turn, or behind a sweep of the key; as in Flink, one behind the watermark is else still in
time. Each frame takes a row in when its turn comes, and lets it go when it is too far back;
what no frame holds is forgotten.
"""

from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Final

import msgspec

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from oncue.core.pattern.select.columns import Projection, Values
from oncue.core.pattern.select.framing import MAX_ROWS, Frame, Over
from oncue.core.pattern.select.outer import Outers
from oncue.core.pattern.select.sweeping import NEVER, Sweeps
from oncue.core.pattern.threshold.keys import Bounds, Keys, heard_ms
from oncue.core.pattern.threshold.schedule import Schedule

_TRIMMED: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class OverPlan:
    """What is kept of events, how far frames look back, and what becomes of the rows."""

    frames: Sequence[Frame]
    of: Sequence[Callable[[Event], Json]]
    projection: Projection[Over]
    outers: Outers
    bounds: Bounds
    max_events: int

    @property
    def reach_ms(self) -> int:
        """How far back rows look."""
        return max((frame.reach for frame in self.frames if frame.is_range), default=0)

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        return OverOperator(self)

    def kept(self, event: Event) -> "Kept":
        """Return what is kept of an event."""
        values = tuple([of(event) for of in self.of])
        samples = tuple([frame.sample(event) for frame in self.frames])
        return Kept(event.time_ms, event.offset, values, samples)


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A row: the columns that are read, and what the aggregates of each frame take of it."""

    time_ms: int
    offset: int
    values: Values
    samples: tuple[Values, ...]


_PLACE: Final = attrgetter("time_ms", "offset")


class KeyRows(Remembered):
    """The rows of a key: `done` of them had their turn, and frames hold them from `heads` on."""

    __slots__ = ("done", "frames", "heads", "rows", "sweeps")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.rows: list[Kept] = []
        self.done = 0
        self.heads = [0] * len(frames)
        self.frames = [frame.begin() for frame in frames]
        self.sweeps = Sweeps([])

    def is_late(self, time_ms: int) -> bool:
        """Return whether a row had its turn, or a sweep was, that does not come before an instant."""
        told_ms = self.rows[self.done - 1].time_ms if self.done else NEVER
        return told_ms >= time_ms or self.sweeps.last_ms >= time_ms

    @property
    def due_ms(self) -> int | None:
        """When the turn of the next row has come: all rows of its instant are there then."""
        return self.rows[self.done].time_ms + 1 if self.done < len(self.rows) else None

    def take_peers(self, frames: Sequence[Frame], end: int) -> int:
        """Let frames of time take in the rows of an instant; return how many rows they may not hold."""
        dropped = 0
        for number, frame in enumerate(frames):
            if not frame.is_range:
                continue
            for place in range(self.done, end):
                self.take(number, place)
            while (
                self.rows[self.heads[number]].time_ms < self.rows[self.done].time_ms - frame.reach
            ):
                self.leave(number)
            while end - self.heads[number] > MAX_ROWS:
                self.leave(number)
                dropped += 1
        return dropped

    def take_row(self, frames: Sequence[Frame], place: int) -> None:
        """Let frames of rows take in a row."""
        for number, frame in enumerate(frames):
            if not frame.is_range:
                self.take(number, place)
                while place - self.heads[number] > frame.reach:
                    self.leave(number)

    def take(self, number: int, place: int) -> None:
        """Let a frame take a row in."""
        self.frames[number].add(self._mark(number, place))

    def leave(self, number: int) -> None:
        """Let a frame let its oldest row go."""
        self.frames[number].remove(self._mark(number, self.heads[number]))
        self.heads[number] += 1

    def _mark(self, number: int, place: int) -> tuple[int, int, Values]:
        row = self.rows[place]
        return row.time_ms, row.offset, row.samples[number]

    def trim(self) -> None:
        """Forget what no frame holds."""
        unheld = min(self.heads)
        if unheld > _TRIMMED and unheld * 2 > len(self.rows):
            del self.rows[:unheld]
            self.done -= unheld
            self.heads = [head - unheld for head in self.heads]


class OverOperator(Operator):
    """The rows of all keys."""

    def __init__(self, plan: OverPlan) -> None:
        super().__init__()
        self._plan = plan
        self._keys = Keys(plan.bounds, _dump, partial(_load, frames=plan.frames))
        self._schedule = Schedule()
        self._reach_ms: Final = plan.reach_ms

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Let an event wait for its turn."""
        event, key, watermark_ms = arrival.event, arrival.key, arrival.watermark_ms
        state = self._keys.edit(key, watermark_ms)
        if state is None or state.sweeps.pass_by(watermark_ms):
            state = KeyRows(self._plan.frames)
        if state.is_late(event.time_ms):
            self.counts["late"] += 1
            self.last_note = Note.LATE
            return ()
        self.last_note = Note.COUNTED
        due_before = state.due_ms
        insort(state.rows, self._plan.kept(event), lo=state.done, key=_PLACE)
        if self._reach_ms:
            state.sweeps.set_by(event.time_ms, self._reach_ms)
        if self._keys.put(key, state, heard_ms(arrival), watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        # What comes behind the watermark and before any later row of its key is due at once.
        hits = [*self._turns(key, state, watermark_ms)]
        self._enter(key, state, due_before)
        return hits

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield the rows whose turn has come, in the order of (time, key)."""
        for due_ms, key in self._schedule.until(watermark_ms):
            state = self._keys.edit(key, due_ms - 1)
            if state is None:
                continue
            yield from self._turns(key, state, due_ms)
            self._enter(key, state, None)

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        return self._schedule.earliest()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin with no rows."""

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return how many rows of a key are looked back at, and how many wait."""
        state = self._known.get(key)
        return {"rows": state.done, "waiting": len(state.rows) - state.done} if state else {}

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return the rows of each key."""
        return {"rows": self._known}

    def restored(self) -> None:
        """Make what is derived from the states."""
        for key, state in self._known.items():
            self._enter(key, state, None)

    @property
    def _known(self) -> Keyed[KeyRows]:
        return self._keys.states()["known"]

    def _turns(self, key: str, state: KeyRows, watermark_ms: int) -> Iterator[Hit]:
        while (due_ms := state.due_ms) is not None and due_ms <= watermark_ms:
            time_ms = due_ms - 1
            end = state.done
            while end < len(state.rows) and state.rows[end].time_ms == time_ms:
                end += 1
            self.counts["rows_dropped"] += state.take_peers(self._plan.frames, end)
            for place in range(state.done, end):
                state.take_row(self._plan.frames, place)
                yield from self._hits(key, state, place)
            state.done = end
        state.trim()

    def _hits(self, key: str, state: KeyRows, place: int) -> Iterator[Hit]:
        plan, row = self._plan, state.rows[place]
        over = Over(row.values, [frame.results() for frame in state.frames])
        for values, _ in plan.outers.rows([(plan.projection.values(over), row)]):
            first = min(state.heads)
            evidence = state.rows[max(first, place + 1 - plan.max_events) : place + 1]
            yield Hit(
                kind=Kind.MATCHED,
                key=key,
                time_ms=row.time_ms,
                bindings=(("", tuple(each.offset for each in evidence)),),
                event_count=place + 1 - first,
                values=plan.outers.shown(values),
                row=row.offset,
            )

    def _enter(self, key: str, state: KeyRows, due_before: int | None) -> None:
        due = state.due_ms
        if due is not None and (due_before is None or due < due_before):
            self._schedule.add(key, due)


def _dump(state: KeyRows) -> Json:
    # Copies: what is saved is written later, and the key goes on meanwhile.
    rows: Json = [msgspec.to_builtins(row) for row in state.rows]
    heads, coming = [*state.heads], [*state.sweeps.coming]
    return [rows, state.done, heads, coming, state.sweeps.last_ms]


def _load(dumped: Json, frames: Sequence[Frame]) -> KeyRows:
    rows, done, heads, coming, last_ms = msgspec.convert(
        dumped, tuple[list[Kept], int, list[int], list[int], int]
    )
    state = KeyRows(frames)
    state.rows, state.done, state.heads = rows, done, heads
    state.sweeps = Sweeps(coming, last_ms)
    for number, head in enumerate(heads):
        for place in range(head, done):
            state.take(number, place)
    return state
