"""A queue in which accounts take turns: a flood of one holds up nobody else."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """First in, first out within an account; between accounts one after the other."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Item]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, account: str, item: Item) -> None:
        """Add an item at the end of its account's part."""
        self._queues.setdefault(account, deque()).append(item)
        self._count += 1

    def take(self, may: Callable[[str], bool] = lambda _: True) -> Item | None:
        """
        Return the first item of the next account that `may` have one; None if there is none.

        That account is last then.
        """
        account = next((name for name in self._queues if may(name)), None)
        if account is None:
            return None
        queue = self._queues.pop(account)
        item = queue.popleft()
        self._count -= 1
        if queue:
            self._queues[account] = queue
        return item
