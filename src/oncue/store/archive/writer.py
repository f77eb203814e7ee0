"""The process that writes files of the archive, as the server sees it."""

import asyncio
from typing import Final

from oncue.core.errors import Overloaded
from oncue.store.archive.orders import Order, Written, read_answer, write_message
from oncue.store.children import Child, EndedError

_TIMEOUT_S: Final = 600
_MAX_ANSWER_BYTES: Final = 64 << 20
_MOST_ORDERS: Final = 256
"""After so many a new process takes over, whatever the old one may have gathered."""


class _ArchiveChild(Child):
    module = "oncue.store.archive.child"
    nice = 15


class Writer:
    """A process of low priority: begun with the first order, and ended by `rest`."""

    def __init__(self) -> None:
        self._child: _ArchiveChild | None = None
        self._orders = 0

    async def write(self, order: Order) -> Written:
        """
        Return what was written, once it is durable.

        Raises:
            Overloaded: it cannot be written now.
        """
        child = self._child or await _ArchiveChild.start()
        # Until there is an answer nobody else has it, and nobody has it if there is none.
        self._child = None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                written = read_answer(await child.tell(write_message(order), _MAX_ANSWER_BYTES))
        except TimeoutError as exc:
            raise Overloaded(f"expected a file of the archive within {_TIMEOUT_S} s") from exc
        except EndedError as exc:
            why = exc.ending.words.decode(errors="replace").strip().rpartition("\n")[2]
            raise Overloaded(
                f"expected the archive to take a file, got: {why or exc.ending}"
            ) from exc
        else:
            self._orders += 1
            self._child = child
        finally:
            if self._child is None:
                await child.kill()
        if self._orders % _MOST_ORDERS == 0:
            await self.rest()
        return written

    async def rest(self) -> None:
        """End the process."""
        if self._child:
            child, self._child = self._child, None
            await child.kill()
