"""The kind `event`: each event that fits is a match."""

from collections.abc import Iterator
from typing import Literal

from oncue.core.errors import Problem
from oncue.core.pattern.kinds.shared import Keyed, Selector


class EventPattern(Selector, Keyed):
    """Matches each event of a type whose `conditions` and `where` hold."""

    type: Literal["event"]


def unfit(pattern: EventPattern, path: str) -> Iterator[Problem]:
    """Yield what an event pattern cannot be: it keeps no state, so nothing waits and nothing ends."""
    if pattern.emit == "final":
        yield Problem(
            f"{path}.emit", "expected 'early', since an event is judged alone, got 'final'"
        )
    if pattern.late.action == "amend":
        yield Problem(f"{path}.late.action", "expected 'drop': nothing is late here, got 'amend'")
    if pattern.rearm == "reset":
        yield Problem(f"{path}.rearm", "expected 'every': there is nothing to reset, got 'reset'")
    if pattern.keys:
        yield Problem(
            f"{path}.keys", "expected no keys: silence is seen by other kinds of patterns"
        )
