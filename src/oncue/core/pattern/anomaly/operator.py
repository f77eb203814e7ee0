"""Anomalies of values that events carry, and what they share with those of measures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.judging import Judge, Series, Verdict
from oncue.core.pattern.anomaly.readings import Reading
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from oncue.core.pattern.threshold.keys import Bounds, Keys, heard_ms


@dataclass(frozen=True, slots=True)
class Sample:
    """
    A value of a key, and what it was taken from.

    `at_ms` is the instant that it counts for, `time_ms` that of a hit by it.
    """

    key: str
    value: float
    at_ms: int
    time_ms: int
    offsets: tuple[int, ...]
    event_count: int
    window: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """
    Which anomalies are hits.

    A run of them is one, until a value is none. With `repeats` the others of the run are
    hits as well, for a cooldown to choose from; if `is_every`, no hit counts as the
    repeat of another.
    """

    repeats: bool
    is_every: bool


class AnomalyOperator(Operator):
    """The series of each key, and the hits in them."""

    def __init__(self, judge: Judge, alarm: Alarm, bounds: Bounds) -> None:
        super().__init__()
        self._judge = judge
        self._alarm = alarm
        self._keys: Keys[Series] = Keys(bounds, judge.dump, judge.load)

    @property
    def series(self) -> Keyed[Series]:
        """The series by key."""
        return self._keys.states()["known"]

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is expected of a key now."""
        series = self.series.get(key)
        return described(series, self._judge) if series else {}

    def score(self, sample: Sample, heard: int, watermark_ms: int) -> Hit | None:
        """Return the hit that a sample is, if any, and learn it; its key was heard of at `heard`."""
        series = self._keys.edit(sample.key, watermark_ms)
        if series is None:
            series = self._judge.begin()
        was_out, count = series.is_out, series.seen
        verdict = self._judge.verdict(series, sample.value, sample.at_ms)
        self._judge.learn(series, sample.value, sample.at_ms, verdict)
        if self._keys.put(sample.key, series, heard, watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        self.last_note = Note.LEARNING if verdict is None else Note.COUNTED
        if verdict is None or not verdict.is_anomaly:
            return None
        is_repeat = was_out and not self._alarm.is_every
        if is_repeat and not self._alarm.repeats:
            return None
        self.last_note = None
        return self._hit(sample, verdict, count, is_repeat=is_repeat)

    def _hit(self, sample: Sample, verdict: Verdict, count: int, *, is_repeat: bool) -> Hit:
        return Hit(
            kind=Kind.ANOMALY,
            key=sample.key,
            time_ms=sample.time_ms,
            bindings=(("", sample.offsets),),
            event_count=sample.event_count,
            values={
                "actual": sample.value,
                "expected": verdict.expected,
                "scale": verdict.scale,
                "n": count,
                "threshold": self._judge.rule.threshold,
            },
            window=sample.window,
            score=verdict.score,
            is_repeat=is_repeat,
        )


class ValueAnomalies(AnomalyOperator):
    """Each event has a value, which is scored as it comes."""

    def __init__(self, judge: Judge, alarm: Alarm, bounds: Bounds, reading: Reading) -> None:
        super().__init__(judge, alarm, bounds)
        self._reading = reading

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Score the value of an event, and learn it."""
        value = self._reading(arrival.values)
        if value is None:
            self.counts["without_value"] += 1
            self.last_note = Note.IGNORED
            return ()
        event = arrival.event
        # A clock that is fast would else stop time for its key until it has come so far.
        at_ms = min(event.time_ms, event.received_at_ms)
        sample = Sample(arrival.key, value, at_ms, event.time_ms, (event.offset,), 1)
        hit = self.score(sample, heard_ms(arrival), arrival.watermark_ms)
        return () if hit is None else (hit,)

    def advance(self, _watermark_ms: int) -> Iterator[Hit]:
        """Yield nothing: time alone makes no value."""
        yield from ()

    def deadline(self) -> int | None:
        """Return nothing, since nothing is ever due."""
        return None

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin without values: a key is nothing but those that it has shown."""

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return the series of each key."""
        return {"series": self.series}

    def restored(self) -> None:
        """Leave it at that: nothing is derived from the series."""


def described(series: Series, judge: Judge) -> Mapping[str, Json]:
    """Return what is known of a series, in the terms of people."""
    expectation = series.model.expect(series.touched_ms)
    return {
        "n": series.seen,
        "learning": max(judge.rule.min_samples - series.learnt, 0),
        "expected": expectation.expected if expectation else None,
        "spread": expectation.spread if expectation else None,
        "is_anomalous": series.is_out,
    }
