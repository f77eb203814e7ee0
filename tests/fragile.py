"""A bug in a pattern, on order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Arrival, Hit, Operator
from oncue.core.pattern.plan import ActivePattern
from oncue.engine import active_patterns
from oncue.ports import PatternVersion

TWICE: dict[str, Json] = {
    "name": "twice",
    "pattern": {
        "type": "threshold", "event": "order.paid", "by": ["event.subject"],
        "measure": "count", "operator": ">=", "value": 2, "window": "1h",
    },
}  # fmt: skip


@dataclass
class Bug:
    """While it is there, patterns raise an exception on events whose data say `bad`."""

    is_there: bool = True

    def put_into(self, pattern: ActivePattern) -> ActivePattern:
        plan = pattern.plan
        make = plan.looking.operator
        if make is None:
            return pattern

        def fragile() -> Operator:
            operator = make()
            admit = operator.admit

            def admit_or_fail(arrival: Arrival) -> Sequence[Hit]:
                data = arrival.event.data
                if self.is_there and isinstance(data, dict) and data.get("bad"):
                    raise ZeroDivisionError(f"a bug met {arrival.event.id}")
                return admit(arrival)

            operator.admit = admit_or_fail  # type: ignore[method-assign]  # that is the bug
            return operator

        looking = replace(plan.looking, operator=fragile)
        return replace(pattern, plan=replace(plan, looking=looking))


@contextmanager
def bug() -> Iterator[Bug]:
    """Give all patterns a bug until the block ends."""
    there = Bug()
    sound = active_patterns.activated

    def activate(pattern: PatternVersion) -> ActivePattern:
        return there.put_into(sound(pattern))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(active_patterns, "activated", activate)
        yield there
