"""Which events a statement wants, and by what they are told apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.keys import KeyOf, canonical_key


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """The condition of a WHERE, if there is one."""

    condition: Callable[[Event], Json] | None

    def holds(self, event: Event) -> bool:
        """Return whether an event is wanted."""
        return self.condition is None or self.condition(event) is True


def key_of(
    names: Sequence[str], parts: Sequence[Callable[[Event], Json]], *, takes_null: bool
) -> KeyOf:
    """Return how a key of these parts is found; without `takes_null` an event has all of them."""

    def text(event: Event, _: Mapping[str, Json]) -> str | None:
        values = [of(event) for of in parts]
        if not takes_null and None in values:
            return None
        return canonical_key(values)

    told_apart: list[str] = []
    for name in names:
        taken = sum(each.startswith(name) for each in told_apart) if name in told_apart else 0
        told_apart.append(f"{name}_{taken}" if taken else name)
    return KeyOf(tuple(told_apart), text)
