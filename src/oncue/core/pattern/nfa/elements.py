"""
What the automaton is made of: elements in their order, as an author means them.

Each element that looks at events has the number of its signal. A group stands for
its members: all of them in any order, or one of them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ALONE: Final = -1
"""The number of a group, which looks at no event itself."""


class Contiguity(StrEnum):
    """What may lie between an event and the one before it."""

    STRICT = "strict"
    RELAXED = "relaxed"
    ANY = "any"


class Need(StrEnum):
    """How many members of a group are needed."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Element:
    """
    One step: an event, several, one that must stay away, or a group of such.

    `inner` is the contiguity of repetitions among each other, `until` the number of the
    signal that ends them. `within_ms` counts from the end of the element before; for one
    that is forbidden it is how long it stays away. `is_again`: the element is waited for
    anew whenever it was passed.
    """

    number: int
    contiguity: Contiguity = Contiguity.RELAXED
    least: int = 1
    most: int | None = 1
    inner: Contiguity = Contiguity.RELAXED
    is_optional: bool = False
    is_greedy: bool = False
    until: int | None = None
    is_forbidden: bool = False
    within_ms: int | None = None
    need: Need | None = None
    members: tuple["Element", ...] = ()
    is_again: bool = False

    @property
    def is_loop(self) -> bool:
        """Whether it repeats without end."""
        return self.most is None

    @property
    def is_repeated(self) -> bool:
        """Whether it may take more than one event."""
        return self.most is None or self.most > 1

    @property
    def is_wait(self) -> bool:
        """Whether it passes when a time has gone by without its event."""
        return self.is_forbidden and self.within_ms is not None

    @property
    def is_ban(self) -> bool:
        """Whether its event ends what is open until the next element."""
        return self.is_forbidden and self.within_ms is None
