"""States while a graph is built: edges are added and changed until it is frozen."""

from dataclasses import dataclass, field
from enum import Enum

from oncue.core.pattern.nfa.signals import Condition, both, negated


class Sort(Enum):
    """What it means to be in a state."""

    NORMAL = "normal"
    FINAL = "final"
    STOP = "stop"


class Action(Enum):
    """What an edge makes of the event."""

    TAKE = "take"
    IGNORE = "ignore"
    PROCEED = "proceed"


class Since(Enum):
    """From when a clock runs."""

    START = "start"
    ENTERED = "entered"
    LAST = "last"


@dataclass(slots=True, eq=False)
class Edge:
    """A way out of a state; `step` is the number of the element that takes the event."""

    action: Action
    target: "State"
    condition: Condition
    step: int


@dataclass(slots=True, eq=False)
class Clock:
    """A way out of a state when time has passed without an event that forbids it."""

    since: Since
    after_ms: int
    target: "State"


@dataclass(slots=True, eq=False)
class State:
    """
    A node of the graph; `position` is that of its element in the pattern.

    `waits_for`: the state that this one is, but for the ways on that were tried already.
    """

    sort: Sort
    position: int
    ban: int = -1
    waits_for: "State | None" = None
    edges: list[Edge] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)

    def take(self, target: "State", condition: Condition, step: int) -> None:
        """Add an edge that takes the event."""
        self.edges.append(Edge(Action.TAKE, target, condition, step))

    def ignore(self, target: "State", condition: Condition) -> None:
        """Add an edge that passes the event over."""
        self.edges.append(Edge(Action.IGNORE, target, condition, -1))

    def proceed(self, target: "State", condition: Condition) -> None:
        """Add an edge to a state that looks at the same event."""
        self.edges.append(Edge(Action.PROCEED, target, condition, -1))

    def yield_to(self, condition: Condition) -> None:
        """Let every edge leave what satisfies `condition` to a greedy element before."""
        for edge in self.edges:
            edge.condition = both(edge.condition, negated(condition))
