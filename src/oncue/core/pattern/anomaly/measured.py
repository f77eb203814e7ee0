"""
Anomalies of a measure: windows one after the other, each scored when it closes.

    event ─▶ the window of its key ─▶ watermark >= end ─▶ a value ─▶ scored, then learnt

An empty window of a known key is a value, too, where the measure of nothing is one: a
count of 0. A key is known from its first event, or from its declaration, until it is
forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oncue.core.pattern.anomaly.judging import Judge
from oncue.core.pattern.anomaly.operator import Alarm, AnomalyOperator
from oncue.core.pattern.anomaly.readings import number_of
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Kind
from oncue.core.pattern.threshold.closing import Closing, ClosingWindows, Row


class MeasureAnomalies(AnomalyOperator):
    """Each window has a value. The time of a hit is the end of its window."""

    def __init__(self, judge: Judge, alarm: Alarm, closing: Closing) -> None:
        super().__init__(judge, alarm, closing.bounds)
        self._windows = ClosingWindows(closing)
        self._windows.counts = self.counts

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Put an event into its window; nothing is scored before that closes."""
        is_known = self._windows.keys.get(arrival.key, arrival.watermark_ms) is not None
        self._windows.admit(arrival)
        if not is_known:
            # Its empty windows ended when it was forgotten, and so does what they taught.
            self.series.drop(arrival.key)
        self.last_note = self._windows.last_note
        return ()

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield the windows that end and are anomalies, in the order of (end, key)."""
        for row in self._windows.advance(watermark_ms):
            hit = self._score_row(row)
            if hit is not None:
                yield hit

    def deadline(self) -> int | None:
        """Return the earliest watermark at which a window ends."""
        return self._windows.deadline()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Know declared keys: their windows count from the first whole one on."""
        self._windows.begin(at_ms, keys)

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return the series, and the windows that are open."""
        return {"series": self.series, **self._windows.keys.states()}

    def restored(self) -> None:
        """Make what is derived from the windows."""
        self._windows.restored()

    def _score_row(self, row: Row) -> Hit | None:
        value = number_of(row.value)
        if value is None:
            return None
        start_ms, end_ms = row.span
        anomaly = self.score(row.key, value, start_ms, end_ms, end_ms)
        if anomaly is None:
            return None
        return Hit(
            kind=Kind.ANOMALY,
            key=row.key,
            time_ms=end_ms,
            bindings=(("", row.offsets),),
            event_count=row.event_count,
            values=self.values_of(anomaly),
            window=row.span,
            score=anomaly.verdict.score,
            is_repeat=anomaly.is_repeat,
        )
