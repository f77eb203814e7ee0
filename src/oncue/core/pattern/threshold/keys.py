"""The keys of a threshold: those that events name, and those that were declared."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.operator import Arrival

S = TypeVar("S", bound=Remembered)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many keys are known, and how long after their last event."""

    max_keys: int
    ttl_ms: int


class Keys(Generic[S]):
    """
    The states of keys. Declared keys are never forgotten, others are when their time is over.

    A key whose time is over is as good as forgotten, whether it was already swept out
    or not. The sweep comes before a key is added, so it does not depend on the ticks
    which keys give way when there are too many.
    """

    def __init__(
        self, bounds: Bounds, dump: Callable[[S], Json], load: Callable[[Json], S]
    ) -> None:
        self._ttl_ms: Final = bounds.ttl_ms
        self._known: Final = Keyed(bounds.max_keys, bounds.ttl_ms, dump, load)
        # Declared keys are bounded by the document, and their silence has no end.
        self._declared: Final = Keyed(2**62, 2**62, dump, load)
        self._has_declared = False

    def __len__(self) -> int:
        return len(self._known) + len(self._declared)

    def get(self, key: str, at_ms: int) -> S | None:
        """Return what is known of a key at an instant, to look at."""
        declared = self._declared.get(key)
        return self._alive(self._known.get(key), at_ms) if declared is None else declared

    def edit(self, key: str, at_ms: int) -> S | None:
        """Return what is known of a key at an instant, to change."""
        if self._has_declared:
            declared = self._declared.edit(key)
            if declared is not None:
                return declared
        return self._alive(self._known.edit(key), at_ms)

    def declare(self, key: str, state: S, at_ms: int) -> None:
        """Remember a key for good."""
        self._declared.put(key, state, at_ms)
        self._has_declared = True

    def put(self, key: str, state: S, seen_ms: int, at_ms: int) -> str | None:
        """
        Remember a key that was seen at an instant, which is put back by none before.

        Returns the key that is forgotten for lack of room.
        """
        before = self._known.get(key)
        if before is state:
            if state.touched_ms > seen_ms:
                seen_ms = state.touched_ms
        elif self._has_declared and self._declared.get(key) is state:
            state.touched_ms = max(seen_ms, state.touched_ms)
            return None
        elif before is None:
            self._known.expired(at_ms)
        return self._known.put(key, state, seen_ms)

    def drop(self, key: str) -> None:
        """Forget a key of which nothing matters any more, unless it was declared."""
        self._known.drop(key)

    def items(self) -> Iterator[tuple[str, S]]:
        """Yield keys and states."""
        yield from self._declared.items()
        yield from self._known.items()

    def states(self) -> Mapping[str, Keyed[S]]:
        """Return all of them by the sort of the key."""
        return {"known": self._known, "declared": self._declared}

    def restored(self) -> None:
        """Look whether keys were declared, after the states were read back."""
        self._has_declared = len(self._declared) > 0

    def _alive(self, state: S | None, at_ms: int) -> S | None:
        return None if state is None or state.touched_ms + self._ttl_ms <= at_ms else state


def heard_ms(arrival: Arrival) -> int:
    """
    Return when a key was heard of, in event time.

    A clock that is fast makes no key live longer, and an old event is heard of now.
    """
    event, watermark_ms = arrival.event, arrival.watermark_ms
    heard = event.time_ms if event.time_ms < event.received_at_ms else event.received_at_ms
    return heard if heard > watermark_ms else watermark_ms
