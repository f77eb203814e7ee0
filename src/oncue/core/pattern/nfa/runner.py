"""What runs a graph: from partial matches and an event, or an instant, to those that follow."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.deadlines import due_at
from oncue.core.pattern.nfa.graph import Graph
from oncue.core.pattern.nfa.partial import Partial
from oncue.core.pattern.nfa.sight import Sight
from oncue.core.pattern.nfa.standing import Standing


class Open(NamedTuple):
    """What is open of a key; `completed` are matches that wait for earlier partial ones."""

    partials: Sequence[Partial] = ()
    completed: Sequence[Completion] = ()


class Turn:
    """What an event or an instant made of what was open of a key."""

    __slots__ = (
        "completed",
        "completions",
        "has_reopened",
        "has_started",
        "has_taken",
        "missed_targets",
        "partials",
    )

    def __init__(self) -> None:
        self.partials: list[Partial] = []
        self.completed: list[Completion] = []
        self.completions: list[Completion] = []
        self.has_taken = False
        self.has_started = False
        self.has_reopened = False
        self.missed_targets = 0


class Runner(ABC):
    """A way to run a graph; it remembers nothing itself."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.standing = Standing(graph)

    def begin(self, at_ms: int) -> list[Partial]:
        """Return what is open of a key that is known from an instant on."""
        return self.standing.begin(at_ms)

    @abstractmethod
    def take(self, before: Open, sight: Sight) -> Turn:
        """Return what an event makes of what is open."""

    @abstractmethod
    def pass_time(self, before: Open, at_ms: int) -> Turn:
        """Return what an instant makes of what is open, of which something is due then."""

    def due_at(self, partials: Iterable[Partial]) -> int | None:
        """Return the first instant at which time changes one of the partial matches."""
        graph = self.graph
        first: int | None = None
        for partial in partials:
            due_ms = due_at(graph, partial)
            if due_ms is not None and (first is None or due_ms < first):
                first = due_ms
        return first

    def is_open(self, partial: Partial, sight: Sight) -> bool:
        """Return whether an event comes within the time of a partial match."""
        within_ms = self.graph.within_ms
        return within_ms is None or sight.time_ms - partial.start_ms < within_ms
