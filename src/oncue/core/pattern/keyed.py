"""
What is remembered of each key: bounded, in the order of use, and saved while it changes.

    get ── look ─▶ ┌───────────────────────────────┐
                   │ oldest use  ·  ·  · newest use│ ─▶ over the bound: the oldest is forgotten
    put ── use ──▶ └───────────────────────────────┘

A save takes many turns, and what it writes is the state at its begin: before a
key changes that was not written yet, it is written as it was. So a million keys
are saved without a pause, and to begin costs a list of them.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Generic, TypeAlias, TypeVar

from oncue.core.json_text import Json


class Remembered:
    """
    What is remembered of a key; `touched_ms` is the event time of its last use, `use` its number.

    `saved_in` is the number of the last save that has it, or need not.
    """

    __slots__ = ("saved_in", "touched_ms", "use")

    saved_in: int
    touched_ms: int
    use: int


S = TypeVar("S", bound=Remembered)

Saved: TypeAlias = tuple[int, str, int, Json]
"""A key as it is saved: the number of its last use, itself, the instant of that, its state."""


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
        # Not a dict: to find its first item it walks over all that were deleted before it.
        self._states: OrderedDict[str, S] = OrderedDict()
        self._budget = KeyBudget(0)
        self._uses = 0
        self._saves = 0
        self._save: KeySave[S] | None = None

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, key: str) -> bool:
        return key in self._states

    def get(self, key: str) -> S | None:
        """Return the state of a key to look at, not to change."""
        return self._states.get(key)

    def edit(self, key: str) -> S | None:
        """Return the state of a key to change; `put` it back."""
        state = self._states.get(key)
        if self._save is not None and state is not None:
            self._save.write(key, state)
        return state

    def put(self, key: str, state: S, at_ms: int) -> str | None:
        """Remember the state of a key as used last; return the key that is forgotten for it."""
        states = self._states
        before = states.get(key)
        if before is None:
            self._budget.used += 1
        else:
            if self._save is not None:
                self._save.write(key, before)
            states.move_to_end(key)
        self._uses += 1
        state.use = self._uses
        state.saved_in = self._saves
        state.touched_ms = at_ms
        states[key] = state
        if len(states) <= self._max:
            return None
        oldest = next(iter(states))
        self.drop(oldest)
        return oldest

    def drop(self, key: str) -> None:
        """Forget a key."""
        state = self._states.pop(key, None)
        if state is not None:
            self._budget.used -= 1
            if self._save is not None:
                self._save.write(key, state)

    @property
    def is_full(self) -> bool:
        """Whether the budget has no room for a further key."""
        return self._budget.is_spent

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

    def begin_save(self) -> "KeySave[S]":
        """Begin to write down the states as they are now."""
        self._saves += 1
        self._save = KeySave(self._states, self._saves, self._row)
        return self._save

    def rows(self) -> list[Saved]:
        """Return all states as they would be saved, in the order of their use."""
        return [self._row(key, state) for key, state in self._states.items()]

    def load(self, saved: Iterable[Saved]) -> None:
        """Take up all that was saved."""
        for use, key, touched_ms, state in sorted(saved, key=itemgetter(0)):
            loaded = self._load(state)
            loaded.use = self._uses = use
            loaded.saved_in = self._saves
            loaded.touched_ms = touched_ms
            self._states[key] = loaded
            self._budget.used += 1

    def _row(self, key: str, state: S) -> Saved:
        return state.use, key, state.touched_ms, self._dump(state)


class KeySave(Generic[S]):
    """The states of keys as they were at the begin, while they change."""

    def __init__(
        self, states: OrderedDict[str, S], number: int, row: Callable[[str, S], Saved]
    ) -> None:
        self._states = states
        self._number = number
        self._row = row
        # In whatever order: uses are numbered. (Measured: in their order 15 times as long.)
        self._walk: list[str] = list(dict.keys(states))
        self._walked = 0
        self._written: list[Saved] = []
        self._is_open = True

    def write(self, key: str, state: S) -> None:
        """Write a state that is about to change, if it was not written before."""
        if state.saved_in != self._number and self._is_open:
            state.saved_in = self._number
            self._written.append(self._row(key, state))

    def part(self, limit: int) -> list[Saved]:
        """Return about `limit` more keys; nothing when all are written."""
        while self._walked < len(self._walk) and len(self._written) < limit:
            key = self._walk[self._walked]
            self._walked += 1
            state = self._states.get(key)
            if state is not None:
                self.write(key, state)
        written, self._written = self._written, []
        self._is_open = bool(written)
        return written

    def stop(self) -> None:
        """Write nothing more."""
        self._walk, self._walked, self._written = [], 0, []
        self._is_open = False
