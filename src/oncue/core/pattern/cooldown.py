"""After a match, a while without: per key, in the time of events."""

from dataclasses import dataclass
from typing import Final

MAX_KEYS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Cooling:
    """When a key matched last, and how many hits were suppressed since."""

    last_ms: int
    suppressed: int


class Cooldowns:
    """The keys of one pattern that matched; the one longest without a hit is forgotten first."""

    def __init__(self, for_ms: int) -> None:
        self._for_ms = for_ms
        self._keys: dict[str, Cooling] = {}

    def put(self, key: str, cooling: Cooling) -> None:
        """Take up what is known of a key."""
        self._keys.pop(key, None)
        self._keys[key] = cooling
        if len(self._keys) > MAX_KEYS:
            del self._keys[next(iter(self._keys))]

    def hit(self, key: str, time_ms: int) -> tuple[Cooling, int | None]:
        """
        Return the key's new state, and how many hits were suppressed before this one.

        None says that this one is suppressed: it is nearer than the cooldown to
        the last match, or earlier than it.
        """
        known = self._keys.get(key)
        if known and time_ms < known.last_ms + self._for_ms:
            cooling = Cooling(known.last_ms, known.suppressed + 1)
            admitted = None
        else:
            cooling = Cooling(time_ms, 0)
            admitted = known.suppressed if known else 0
        self.put(key, cooling)
        return cooling, admitted
