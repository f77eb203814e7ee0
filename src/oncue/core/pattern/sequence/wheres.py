"""
Conditions that an index cannot answer: those over earlier steps, and `until`.

A selector says which steps an event may satisfy. What also reads the events taken before is
evaluated for each partial match, and only where the rest holds; an `until` over the event
alone is evaluated once for it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from oncue.core.errors import EvaluationError
from oncue.core.expression import Expression
from oncue.core.json_text import Json
from oncue.core.pattern.nfa.partial import Taken
from oncue.core.pattern.nfa.sight import Refine
from oncue.core.pattern.sequence.captures import Captures

ERRORS = "where_errors"


@dataclass(frozen=True, slots=True)
class Wheres:
    """
    The conditions by the bit that they decide.

    `steps` clear a bit of the selectors where they do not hold, `untils` set their own where
    they do; `fixed_untils` read the event alone.
    """

    captures: Captures
    steps: Mapping[int, Expression] = field(default_factory=dict)
    untils: Mapping[int, Expression] = field(default_factory=dict)
    fixed_untils: Mapping[int, Expression] = field(default_factory=dict)

    @property
    def are_dynamic(self) -> bool:
        """Whether some condition reads earlier steps."""
        return bool(self.steps or self.untils)

    def fixed(self, bits: int, values: Mapping[str, Json], counts: Counter[str]) -> int:
        """Return `bits` with those that the event alone decides."""
        for bit, expression in self.fixed_untils.items():
            if _holds(expression, values, counts):
                bits |= 1 << bit
        return bits

    def refine(self, event: Json, counts: Counter[str]) -> Refine:
        """Return what decides the other bits for a partial match."""

        def refined(bits: int, taken: Taken | None) -> int:
            values: dict[str, Json] | None = None
            for bit, expression in self.steps.items():
                if bits >> bit & 1:
                    values = values or self.captures.values(event, taken)
                    if not _holds(expression, values, counts):
                        bits &= ~(1 << bit)
            for bit, expression in self.untils.items():
                values = values or self.captures.values(event, taken)
                if _holds(expression, values, counts):
                    bits |= 1 << bit
            return bits

        return refined


def _holds(expression: Expression, values: Mapping[str, Json], counts: Counter[str]) -> bool:
    try:
        return expression.evaluate(values) is True
    except EvaluationError:
        counts[ERRORS] += 1
        return False
