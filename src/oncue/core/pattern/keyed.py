"""
What is remembered of each key: bounded, in the order of use, and saved while it changes.

    get ── look ─▶ ┌───────────────────────────────┐
                   │ oldest use  ·  ·  · newest use│ ─▶ over the bound: the oldest is forgotten
    put ── use ──▶ └───────────────────────────────┘

A save takes many turns, and what it writes is the state at its begin: before a
key changes that was not written yet, it is written as it was. So a million keys
are saved without a pause.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Generic, TypeAlias, TypeVar

from oncue.core.json_text import Json


class Remembered:
    """What is remembered of a key; `touched_ms` is the event time of its last use."""

    __slots__ = ("touched_ms",)

    touched_ms: int


S = TypeVar("S", bound=Remembered)

Saved: TypeAlias = tuple[int, str, int, Json]
"""A key as it is saved: its place in the order of use, itself, the instant of its use, its state."""


class KeyBudget:
    """How many keys an account may have in all its patterns together, and how many it has."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @property
    def is_spent(self) -> bool:
        """Whether no further key may be admitted."""
        return self.used >= self.limit


class Keyed(Generic[S]):
    """The states of the keys of one operator."""

    def __init__(
        self,
        max_keys: int,
        ttl_ms: int,
        dump: Callable[[S], Json],
        load: Callable[[Json], S],
    ) -> None:
        self._max = max_keys
        self._ttl_ms = ttl_ms
        self._dump = dump
        self._load = load
        self._states: dict[str, S] = {}
        self._budget = KeyBudget(0)
        self._unsaved: dict[str, int] | None = None
        self._saved: list[Saved] = []

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, key: str) -> bool:
        return key in self._states

    def get(self, key: str) -> S | None:
        """Return the state of a key to look at, not to change."""
        return self._states.get(key)

    def edit(self, key: str) -> S | None:
        """Return the state of a key to change; `put` it back."""
        if self._unsaved is not None:
            self._save_first(key)
        return self._states.get(key)

    def put(self, key: str, state: S, at_ms: int) -> str | None:
        """Remember the state of a key as used last; return the key that is forgotten for it."""
        states = self._states
        if self._unsaved is not None:
            self._save_first(key)
        if states.pop(key, None) is None:
            self._budget.used += 1
        state.touched_ms = at_ms
        states[key] = state
        if len(states) <= self._max:
            return None
        oldest = next(iter(states))
        self.drop(oldest)
        return oldest

    def drop(self, key: str) -> None:
        """Forget a key."""
        if self._unsaved is not None:
            self._save_first(key)
        if self._states.pop(key, None) is not None:
            self._budget.used -= 1

    def count_in(self, budget: KeyBudget) -> None:
        """Count the keys, those that are there and those to come, in a budget instead of another."""
        self._budget.used -= len(self._states)
        self._budget = budget
        budget.used += len(self._states)

    def expired(self, watermark_ms: int) -> list[str]:
        """Forget the keys whose last event is too long ago, oldest first, and return them."""
        gone: list[str] = []
        for key, state in self._states.items():
            if state.touched_ms + self._ttl_ms > watermark_ms:
                break
            gone.append(key)
        for key in gone:
            self.drop(key)
        return gone

    def items(self) -> Iterator[tuple[str, S]]:
        """Yield keys and states, the one longest without use first."""
        yield from self._states.items()

    def begin_save(self) -> None:
        """Begin to write down the states as they are now."""
        self._unsaved = {key: place for place, key in enumerate(self._states)}
        self._saved = []

    def save(self, limit: int) -> list[Saved]:
        """Return about `limit` more keys as they were at the begin; nothing when all are written."""
        while self._unsaved and len(self._saved) < limit:
            self._save_first(next(iter(self._unsaved)))
        written, self._saved = self._saved, []
        if not written:
            self._unsaved = None
        return written

    def end_save(self) -> None:
        """Write nothing more, whether all was written or not."""
        self._unsaved = None
        self._saved = []

    def rows(self) -> list[Saved]:
        """Return all states as they would be saved."""
        return [
            (place, key, state.touched_ms, self._dump(state))
            for place, (key, state) in enumerate(self._states.items())
        ]

    def load(self, saved: Iterable[Saved]) -> None:
        """Take up all that was saved."""
        for _, key, touched_ms, state in sorted(saved, key=itemgetter(0)):
            loaded = self._load(state)
            loaded.touched_ms = touched_ms
            self._states[key] = loaded
            self._budget.used += 1

    def _save_first(self, key: str) -> None:
        assert self._unsaved is not None
        place = self._unsaved.pop(key, None)
        if place is not None:
            state = self._states[key]
            self._saved.append((place, key, state.touched_ms, self._dump(state)))
