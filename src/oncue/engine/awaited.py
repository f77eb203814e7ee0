"""Who waits for the next turn of which execution, and who for its end."""

import asyncio


class Awaited:
    """Futures that are done when something has happened to an execution."""

    def __init__(self) -> None:
        self._awaited: dict[str, list[asyncio.Future[None]]] = {}

    def of(self, execution_id: str) -> asyncio.Future[None]:
        """Return what is done once it has happened; cancel it if nobody waits any more."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(execution_id, []).append(future)
        future.add_done_callback(lambda _: self._forget(execution_id, future))
        return future

    def tell(self, execution_id: str) -> None:
        """Say that it has happened."""
        for future in [*self._awaited.get(execution_id, ())]:
            if not future.done():
                future.set_result(None)

    def _forget(self, execution_id: str, future: asyncio.Future[None]) -> None:
        waiting = self._awaited.get(execution_id, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._awaited.pop(execution_id, None)
