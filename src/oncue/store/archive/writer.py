"""The process that writes files of the archive, as the server sees it."""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final

from oncue.core.errors import Overloaded
from oncue.store.archive.orders import LENGTH_BYTES, Order, Written, read_answer, write_order

_NICE: Final = 15
_TIMEOUT_S: Final = 600
_MOST_ORDERS: Final = 256
"""After so many a new process takes over, whatever the old one may have gathered."""


class Writer:
    """A process of low priority: begun with the first order, and ended by `rest`."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._orders = 0

    async def write(self, order: Order) -> Written:
        """
        Return what was written, once it is durable.

        Raises:
            Overloaded: it cannot be written now.
        """
        child = self._child or await _begun()
        # Until there is an answer nobody else has it, and nobody has it if there is none.
        self._child = None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                written = await _told(child, order)
        except TimeoutError as exc:
            raise Overloaded(f"expected a file of the archive within {_TIMEOUT_S} s") from exc
        except (OSError, asyncio.IncompleteReadError) as exc:
            raise Overloaded(await _last_words(child)) from exc
        else:
            self._orders += 1
            self._child = child
        finally:
            if self._child is None:
                await _end(child)
        if self._orders % _MOST_ORDERS == 0:
            await self.rest()
        return written

    async def rest(self) -> None:
        """End the process."""
        if self._child:
            child, self._child = self._child, None
            await _end(child)


async def _begun() -> asyncio.subprocess.Process:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oncue.store.archive.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, _NICE)
    return child


async def _told(child: asyncio.subprocess.Process, order: Order) -> Written:
    assert child.stdin
    assert child.stdout
    child.stdin.write(write_order(order))
    await child.stdin.drain()
    size = int.from_bytes(await child.stdout.readexactly(LENGTH_BYTES))
    return read_answer(await child.stdout.readexactly(size))


async def _last_words(child: asyncio.subprocess.Process) -> str:
    assert child.stderr
    said = await child.stderr.read()
    why = said.decode(errors="replace").strip().rpartition("\n")[2]
    return f"expected the archive to take a file, got: {why}"


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
    await child.wait()
