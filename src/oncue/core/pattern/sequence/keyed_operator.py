"""What the operators of sequences share: keys that are remembered, and when each is due."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from oncue.core.pattern.deadlines import Deadlines
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.operator import Operator

State = TypeVar("State", bound=Remembered)


class KeyedOperator(Operator, Generic[State]):
    """An operator whose state is one thing by key."""

    def __init__(self, keys: Keyed[State]) -> None:
        super().__init__()
        self._keys = keys
        self._due = Deadlines()

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        return self._due.earliest()

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return all that is remembered, by a name for each sort of it."""
        return {"keys": self._keys}

    def _remember(self, key: str, state: State, due_ms: int | None, used_ms: int | None) -> None:
        """Keep a key; it is used anew if an event of it came at `used_ms`."""
        self._due.set(key, due_ms)
        if used_ms is not None:
            forgotten = self._keys.put(key, state, used_ms)
            if forgotten is not None:
                self._forget(forgotten)

    def _drop(self, key: str) -> None:
        """Remember nothing of a key."""
        self._due.set(key, None)
        self._keys.drop(key)

    def _forget_expired(self, at_ms: int) -> None:
        for key in self._keys.expired(at_ms):
            self._forget(key)

    def _forget(self, key: str) -> None:
        self.counts["keys_forgotten"] += 1
        self._due.set(key, None)
