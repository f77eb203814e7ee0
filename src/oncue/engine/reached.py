"""Who waits until the log of an account is matched, and up to which offset."""

import asyncio


class Reached:
    """How far the log is matched: decided, and written down."""

    def __init__(self) -> None:
        self._upto = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def by(self, offset: int) -> None:
        """Return once the record at `offset` is matched."""
        if offset <= self._upto:
            return
        mine = offset, asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            await mine[1]
        finally:
            self._waiting.remove(mine)

    def tell(self, upto: int) -> None:
        """Say how far it is matched."""
        self._upto = upto
        for offset, future in self._waiting:
            if offset <= upto and not future.done():
                future.set_result(None)
