"""
What an evaluation may cost, in counted units: the same on every machine.

One unit is about the work of one node of the tree, or of sixteen characters
copied, or of one member of a list. `MAX_UNITS` is set so that spending all of
it takes less than 50 ms and 50 MB on a small server; an expression without
loops cannot come near it.
"""

from oncue.core.errors import EvaluationError

MAX_SOURCE_CHARS = 20_000
MAX_TOKENS = 6_500
MAX_BULK = 3_000
"""What the parts of an expression may take together to become Python: 10 to 18 µs each."""
MAX_NESTING = 64
"""Levels of brackets in a source."""
MAX_DEPTH = 100
"""Levels of a tree: brackets, and the operators of one chain such as `1 + 1 + 1`."""
MAX_UNITS = 100_000
MAX_VALUE_DEPTH = 200


class OverBudget(EvaluationError):
    """The evaluation was stopped; unlike other errors, `&&` and `||` do not absorb it."""


class Budget:
    """What is left of one evaluation's budget, and which patterns it has already paid for."""

    # Most evaluations make one and spend nothing, so what it begins with is the class's.
    left: int = MAX_UNITS
    patterns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, units: int) -> "Budget":
        """Return a budget of so many units."""
        budget = cls()
        budget.left = units
        return budget

    def charge(self, units: int) -> None:
        """
        Take `units` off what is left.

        Raises:
            OverBudget: nothing is left.
        """
        self.left -= units
        if self.left < 0:
            raise OverBudget("expected an evaluation within its budget of units, got one beyond it")

    def charge_pattern(self, pattern: str, units: int) -> None:
        """
        Take `units` off for a regular expression, once in this evaluation.

        Raises:
            OverBudget: nothing is left.
        """
        if pattern not in self.patterns:
            self.patterns |= {pattern}
            self.charge(units)


def size_of(value: object) -> int:
    """Return what copying or reading through `value`, one level deep, costs."""
    if value.__class__ is str or value.__class__ is bytes:
        return len(value) >> 4
    if value.__class__ is list or value.__class__ is dict:
        return len(value)
    return 0
