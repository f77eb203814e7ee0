"""What one version of a pattern remembers, and how that is carried over and saved."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from oncue.core.pattern.cooldown import Cooldowns
from oncue.core.pattern.keyed import KeyBudget, Keyed, Saved
from oncue.core.pattern.operator import Operator
from oncue.core.pattern.plan import Plan
from oncue.core.pattern.sorter import Sorter, Waiting


class Memory:
    """The state of its operator, what waits for its turn, its cooldowns, and its counts."""

    def __init__(self, plan: Plan) -> None:
        looking, limits = plan.looking, plan.limits
        self.plan = plan
        self.counts: Counter[str] = Counter()
        self.operator: Operator | None = looking.operator() if looking.operator else None
        self.sorter = Sorter() if looking.sorts and plan.delay_ms else None
        self.cooldowns = (
            Cooldowns(plan.cooldown, limits.max_keys, limits.key_ttl) if plan.is_stateful else None
        )

    def under(self, plan: Plan) -> "Memory":
        """Return the same memory for a plan that looks for the same, perhaps within other bounds."""
        mine, others = self.plan, plan
        if (mine.cooldown, mine.limits, mine.max_events) == (
            others.cooldown,
            others.limits,
            others.max_events,
        ):
            return self
        memory = Memory(plan)
        memory.sorter = self.sorter
        memory.counts = self.all_counts()
        memory.load({sort: keyed.rows() for sort, keyed in self.states().items()})
        return memory

    def resume(self, waiting: Iterable[Waiting], counts: Mapping[str, int]) -> None:
        """Go on with what waited, and what was counted."""
        for one in waiting:
            assert self.sorter is not None
            self.sorter.put(one)
        self.counts.update(counts)

    def load(self, rows: Mapping[str, list[Saved]]) -> None:
        """Take up what was saved of the keys, by sort."""
        for sort, keyed in self.states().items():
            keyed.load(rows.get(sort, []))
        if self.operator:
            self.operator.restored()

    def states(self) -> dict[str, Keyed[Any]]:
        """Return all that is remembered of keys, by a name for each sort of it."""
        states: dict[str, Keyed[Any]] = dict(self.operator.states()) if self.operator else {}
        if self.cooldowns is not None:
            states["matched"] = self.cooldowns.keys
        return states

    def count_in(self, budget: KeyBudget) -> None:
        """Count all keys in a budget instead of another."""
        for keyed in self.states().values():
            keyed.count_in(budget)

    def knows(self, key: str) -> bool:
        """Return whether anything is remembered of a key."""
        return any(key in keyed for keyed in self.states().values())

    def all_counts(self) -> Counter[str]:
        """Return what was left out, counted by the reason."""
        return self.counts + (self.operator.counts if self.operator else Counter())
