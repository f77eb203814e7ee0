"""What becomes of a pattern's document: how its events are chosen, and what looks at them."""

from collections.abc import Callable
from dataclasses import dataclass

from oncue.core.errors import Problem
from oncue.core.expression import Template
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.shared import Cooldown, Limits
from oncue.core.pattern.operator import Operator
from oncue.core.pattern.polled.poll import Poll
from oncue.core.pattern.selection import Selection


@dataclass(frozen=True, slots=True, eq=False)
class Looking:
    """
    What a kind of pattern looks at, and with what.

    Without `operator` each admitted event is a match by itself. `sorts` says that
    events are looked at in event time, behind the watermark, and `drops_late` that one
    from before it is not looked at then; `sees_all` that the
    operator is shown every event that has a key. `delay_ms` is how far event time stays back
    beside what the watermark says, for windows that take late events. `reach_ms` is how far back the state
    of a key reaches: the longest window, or the time of a sequence; `lead_ms` is how long
    before an event it must have begun to see the windows around it whole. `steps` are the
    names and places of what the selectors are of, where there are several. `key` is how
    a kind finds the key that says so itself, and not by `by`; `warnings` say what whoever
    saves the pattern should know; `poll` is what is asked every so often.
    """

    selections: tuple[Selection, ...]
    steps: tuple[tuple[str, str], ...] = ()
    operator: Callable[[], Operator] | None = None
    sorts: bool = False
    drops_late: bool = True
    sees_all: bool = False
    delay_ms: int = 0
    reach_ms: int = 0
    lead_ms: int = 0
    key: KeyOf | None = None
    warnings: tuple[Problem, ...] = ()
    poll: Poll | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a condition is looked for."""

    key: KeyOf
    looking: Looking
    declared_keys: tuple[str, ...]
    delay_ms: int
    idle_timeout_ms: int
    cooldown: Cooldown | None
    limits: Limits
    max_events: int
    backfill_ms: int

    @property
    def is_timed(self) -> bool:
        """Whether it must know how far event time has come."""
        return self.looking.operator is not None

    @property
    def is_stateful(self) -> bool:
        """Whether what it finds depends on what came before."""
        return self.is_timed or self.cooldown is not None


@dataclass(frozen=True, slots=True, eq=False)
class ActivePattern:
    """One version of a pattern, ready to match."""

    id: str
    name: str
    version: int
    state_version: int
    workflow_id: str | None
    input: Template | None
    plan: Plan
