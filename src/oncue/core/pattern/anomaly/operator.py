"""Anomalies of values that events carry, and what they share with those of measures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.judging import Judge, Series, Verdict
from oncue.core.pattern.anomaly.readings import Reading
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from oncue.core.pattern.threshold.keys import Bounds, Keys, heard_ms


class Anomaly(NamedTuple):
    """A value that is one; `earlier` values of its key came before it."""

    value: float
    verdict: Verdict
    earlier: int
    is_repeat: bool


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

    def score(
        self, key: str, value: float, at_ms: int, heard: int, watermark_ms: int
    ) -> Anomaly | None:
        """
        Return the anomaly that a value of an instant is, if it is one that counts; and learn it.

        Its key was heard of at `heard`.
        """
        judge = self._judge
        series = self._keys.edit(key, watermark_ms) or judge.begin()
        was_out, earlier = series.is_out, series.seen
        verdict = judge.verdict(series, value, at_ms)
        judge.learn(series, value, at_ms, verdict)
        if self._keys.put(key, series, heard, watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        if verdict is None:
            self.last_note = Note.LEARNING
            return None
        self.last_note = Note.COUNTED
        is_repeat = was_out and not self._alarm.is_every
        if not verdict.is_anomaly or (is_repeat and not self._alarm.repeats):
            return None
        self.last_note = None
        return Anomaly(value, verdict, earlier, is_repeat)

    def values_of(self, anomaly: Anomaly) -> Mapping[str, Json]:
        """Return what a match says of an anomaly."""
        verdict = anomaly.verdict
        return {
            "actual": anomaly.value,
            "expected": verdict.expected,
            "scale": verdict.scale,
            "n": anomaly.earlier,
            "threshold": self._judge.rule.threshold,
        }


class ValueAnomalies(AnomalyOperator):
    """Each event has a value, which is scored as it comes."""

    def __init__(self, judge: Judge, alarm: Alarm, bounds: Bounds, reading: Reading) -> None:
        super().__init__(judge, alarm, bounds)
        self._reading = reading

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Score the value of an event, and learn it."""
        event = arrival.event
        value = self._reading(event, arrival.values)
        if value is None:
            self.counts["without_value"] += 1
            self.last_note = Note.IGNORED
            return ()
        watermark_ms = arrival.watermark_ms
        # A clock that is fast would else stop time for its key until it has come so far.
        at_ms = min(event.time_ms, watermark_ms)
        anomaly = self.score(arrival.key, value, at_ms, heard_ms(arrival), watermark_ms)
        if anomaly is None:
            return ()
        return (
            Hit(
                kind=Kind.ANOMALY,
                key=arrival.key,
                time_ms=event.time_ms,
                bindings=(("", (event.offset,)),),
                event_count=1,
                values=self.values_of(anomaly),
                score=anomaly.verdict.score,
                is_repeat=anomaly.is_repeat,
            ),
        )

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
