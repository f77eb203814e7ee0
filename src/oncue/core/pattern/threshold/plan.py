"""Which operator looks for a threshold."""

from dataclasses import dataclass

from oncue.core.pattern.operator import Operator
from oncue.core.pattern.threshold.closing import Closing
from oncue.core.pattern.threshold.closing_threshold import ClosingThreshold
from oncue.core.pattern.threshold.early_count import EarlyCount
from oncue.core.pattern.threshold.early_measure import EarlyMeasure
from oncue.core.pattern.threshold.rules import Rule
from oncue.core.pattern.threshold.swept import SweptThreshold


@dataclass(frozen=True, slots=True, eq=False)
class ClosingPlan:
    """Windows that close take events in any order until they do."""

    closing: Closing
    repeats: bool
    sorts: bool = False

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        return ClosingThreshold(self.closing, repeats=self.repeats)


@dataclass(frozen=True, slots=True, eq=False)
class SlidingPlan:
    """
    A window that slides.

    `is_early` says that events can only bring the condition nearer, so that it is judged
    in whatever order they come; others `sorts` them by event time, where one waits.
    """

    rule: Rule
    is_early: bool

    @property
    def sorts(self) -> bool:
        """Whether the operator must be given the events in event time."""
        return not self.is_early

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        if not self.is_early:
            return SweptThreshold(self.rule)
        if self.rule.measure.name == "count":
            return EarlyCount(self.rule)
        return EarlyMeasure(self.rule)
