"""What a measure is compared with."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.pattern.threshold.accumulators import Number

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison with a limit; what has no value meets none."""

    operator: str
    limit: float

    def holds(self, value: Number | None) -> bool:
        """Return whether a measure meets it."""
        return value is not None and _COMPARISONS[self.operator](value, self.limit)
