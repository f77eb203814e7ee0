"""Anomalies of values that events carry."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.judging import Judge, Series, Verdict
from oncue.core.pattern.anomaly.readings import Reading
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator


class AnomalyOperator(Operator):
    """
    The values of each key, one after the other.

    A run of anomalies is one hit, until a value is none. With `repeats` the others
    of the run are hits as well, for a cooldown to choose from; if `is_every`, no
    hit counts as the repeat of another.
    """

    def __init__(
        self, judge: Judge, reading: Reading, limits: Limits, *, repeats: bool, is_every: bool
    ) -> None:
        super().__init__()
        self._judge = judge
        self._reading = reading
        self._repeats = repeats
        self._is_every = is_every
        self._series: Keyed[Series] = Keyed(limits.max_keys, limits.key_ttl, judge.dump, judge.load)

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Score the value of an event, and learn it."""
        value = self._reading(arrival.values)
        if value is None:
            self.counts["without_value"] += 1
            self.last_note = Note.IGNORED
            return ()
        self._forget(arrival.watermark_ms)
        event = arrival.event
        return self._judge_value(arrival.key, value, event.time_ms, event.offset)

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Forget the keys whose time has come; no hit follows from time alone."""
        self._forget(watermark_ms)
        yield from ()

    def deadline(self) -> int | None:
        """Return nothing: keys are forgotten unseen."""
        return None

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin without values: a key is nothing but those that it has shown."""

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is expected of a key now."""
        series = self._series.get(key)
        if series is None:
            return {}
        return described(series, self._judge)

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return the series of each key."""
        return {"series": self._series}

    def restored(self) -> None:
        """Nothing is derived from the series."""

    def _forget(self, watermark_ms: int) -> None:
        if gone := self._series.expired(watermark_ms):
            self.counts["keys_forgotten"] += len(gone)

    def _judge_value(self, key: str, value: float, at_ms: int, offset: int) -> Sequence[Hit]:
        series = self._series.edit(key)
        if series is None:
            series = self._judge.begin()
        was_out, seen = series.is_out, series.seen
        verdict = self._judge.verdict(series, value, at_ms)
        self._judge.learn(series, value, at_ms, verdict)
        if self._series.put(key, series, at_ms) is not None:
            self.counts["keys_forgotten"] += 1
        if verdict is None or not verdict.is_anomaly:
            self.last_note = Note.LEARNING if verdict is None else Note.COUNTED
            return ()
        is_repeat = was_out and not self._is_every
        if is_repeat and not self._repeats:
            self.last_note = Note.COUNTED
            return ()
        return (
            Hit(
                kind=Kind.ANOMALY,
                key=key,
                time_ms=at_ms,
                bindings=(("", (offset,)),),
                event_count=1,
                values=values_of(value, verdict, seen, self._judge.rule.threshold),
                score=verdict.score,
                is_repeat=is_repeat,
            ),
        )


def values_of(value: float, verdict: Verdict, seen: int, threshold: float) -> Mapping[str, Json]:
    """Return what a match says of an anomaly; `n` values of the key came before it."""
    return {
        "actual": value,
        "expected": verdict.expected,
        "scale": verdict.scale,
        "n": seen,
        "threshold": threshold,
    }


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
