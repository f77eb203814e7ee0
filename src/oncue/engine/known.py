"""What was read of each account and holds until somebody changes it."""

from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

Rows = TypeVar("Rows", bound=Collection[object])


class Known(Generic[Rows]):
    """
    What `read` finds of each account, read once for each change.

    With `keeps_nothing` it remembers also of which accounts there is nothing:
    not where anybody may ask, who would fill the memory with accounts that there
    are not.
    """

    def __init__(
        self, read: Callable[[str], Awaitable[Rows]], *, keeps_nothing: bool = True
    ) -> None:
        self._read = read
        self._keeps_nothing = keeps_nothing
        self._known: dict[str, Rows] = {}
        self._changes: dict[str, int] = {}

    async def of(self, account: str) -> Rows:
        """Return what there is of an account."""
        if account not in self._known:
            changes = self._changes.get(account)
            found = await self._read(account)
            is_kept = bool(found) or self._keeps_nothing
            # What was read across a change may be older than it.
            if not is_kept or changes != self._changes.get(account):
                return found
            self._known[account] = found
        return self._known[account]

    def forget(self, account: str) -> None:
        """Read an account anew when it is needed next."""
        self._known.pop(account, None)
        self._changes[account] = self._changes.get(account, 0) + 1
