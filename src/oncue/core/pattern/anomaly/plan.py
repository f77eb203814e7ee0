"""Which operator looks for anomalies."""

from dataclasses import dataclass

from oncue.core.pattern.anomaly.judging import Judge
from oncue.core.pattern.anomaly.measured import MeasureAnomalies
from oncue.core.pattern.anomaly.operator import Alarm, ValueAnomalies
from oncue.core.pattern.anomaly.readings import Reading
from oncue.core.pattern.operator import Operator
from oncue.core.pattern.threshold.closing import Closing
from oncue.core.pattern.threshold.keys import Bounds


@dataclass(frozen=True, slots=True, eq=False)
class ValuePlan:
    """Values are learnt in the order of event time, so events must come in it."""

    judge: Judge
    alarm: Alarm
    bounds: Bounds
    reading: Reading
    reach_ms: int
    sorts: bool = True

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        return ValueAnomalies(self.judge, self.alarm, self.bounds, self.reading)


@dataclass(frozen=True, slots=True, eq=False)
class MeasurePlan:
    """Windows take events in any order until they close."""

    judge: Judge
    alarm: Alarm
    closing: Closing
    reach_ms: int
    sorts: bool = False

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        return MeasureAnomalies(self.judge, self.alarm, self.closing)
