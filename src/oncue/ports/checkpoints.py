"""What a matcher remembered, written down now and then."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from oncue.core.pattern.saving import Head, Part


class Checkpoints(Protocol):
    """The newest checkpoints of each account; losing one costs time, and nothing else."""

    async def load(self, account: str, upto: int) -> tuple[Head, Sequence[Part]] | None:
        """Return the newest that is whole, readable, and of no later offset than `upto`."""

    async def write(self, account: str, head: Head, parts: AsyncIterator[Part]) -> None:
        """Return when a checkpoint is durable; older ones may be gone then."""

    async def oldest(self, account: str) -> int | None:
        """Return the offset of the oldest that is kept: the log before it is not needed."""
