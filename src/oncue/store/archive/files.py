"""What is known of the files of the archive without opening them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

EVER: Final = 2**62
"""Beyond all offsets and instants."""


class Wanted(NamedTuple):
    """Which offsets, event times and arrivals somebody is interested in, all bounds included."""

    offsets: tuple[int, int] = (0, EVER)
    times: tuple[int, int] = (-EVER, EVER)
    arrivals: tuple[int, int] = (0, EVER)


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file: the records of an account from one offset to another, without a gap."""

    account: str
    name: str
    wanted: Wanted
    """The bounds of what is in it."""
    events: int
    size: int
    bodies: int
    """Bytes of the `data` in it, unpacked."""

    @property
    def first(self) -> int:
        """The offset of its first record."""
        return self.wanted.offsets[0]

    @property
    def last(self) -> int:
        """The offset of its last record."""
        return self.wanted.offsets[1]

    def may_hold(self, wanted: Wanted) -> bool:
        """Return whether something that is wanted may be in it."""
        return all(
            mine[0] <= theirs[1] and theirs[0] <= mine[1]
            for mine, theirs in zip(self.wanted, wanted, strict=True)
        )


def of_interest(files: Sequence[ArchivedFile], wanted: Wanted) -> list[ArchivedFile]:
    """Return the files that may hold something that is wanted."""
    return [file for file in files if file.may_hold(wanted)]
