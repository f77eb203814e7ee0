"""What every way of expecting values has in common."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from oncue.core.json_text import Json


class Expectation(NamedTuple):
    """The value that is expected, and how far from it values usually are."""

    expected: float
    spread: float


class Model(ABC):
    """
    What was learnt from the values of one key.

    Its arithmetic is that of 64-bit floats in a fixed order, so that the same values
    give the same bits; and what it dumps, read back, goes on with the same bits.
    """

    __slots__ = ()

    def pass_time(self, _at_ms: int) -> bool:
        """Forget what is too old at an instant; return whether nothing that counts is left."""
        return False

    @abstractmethod
    def expect(self, at_ms: int) -> Expectation | None:
        """Return what is expected at an instant; None where too little is known."""

    @abstractmethod
    def learn(self, value: float, at_ms: int) -> None:
        """Let a value count for what is expected from here on."""

    @abstractmethod
    def dump(self) -> Json:
        """Return all of it as plain data."""

    @abstractmethod
    def take_up(self, dumped: object) -> None:
        """Go on from what `dump` gave."""
