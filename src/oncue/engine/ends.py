"""Who waits for the end of which execution."""

import asyncio


class Ends:
    """Futures that are done when an execution has ended."""

    def __init__(self) -> None:
        self._awaited: dict[str, list[asyncio.Future[None]]] = {}

    def of(self, execution_id: str) -> asyncio.Future[None]:
        """Return what is done once an execution that is open now has ended."""
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(execution_id, []).append(end)
        end.add_done_callback(lambda _: self._forget(execution_id, end))
        return end

    def tell(self, execution_id: str) -> None:
        """Say that an execution has ended."""
        for end in [*self._awaited.get(execution_id, ())]:
            if not end.done():
                end.set_result(None)

    def _forget(self, execution_id: str, end: asyncio.Future[None]) -> None:
        waiting = self._awaited.get(execution_id, [])
        if end in waiting:
            waiting.remove(end)
        if not waiting:
            self._awaited.pop(execution_id, None)
