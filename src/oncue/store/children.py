"""
Processes of our own beside the server: each is told parts and answers them, and gives way to it.

They are begun by `subprocess` and not by the loop: uvloop copies the whole server for each,
which kept everybody waiting for 25 ms on a busy machine, and `subprocess` borrows its memory.
What is said goes over a pair of sockets, which are all that the loop has to know.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from oncue.store.frames import LENGTH_BYTES, framed

IDLE: Final = 19
"""The lowest priority, with which it has what nobody else wants of the processor, where Linux can."""
_LAST_WORDS: Final = 4_096
# What C++ and Python say before they give up for want of memory.
_WANTED_MEMORY: Final = (b"bad_alloc", b"MemoryError", b"annot allocate memory", b"out of memory")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: its code, negative for a signal, and what it said last."""

    code: int
    words: bytes

    @property
    def is_for_memory(self) -> bool:
        """Whether it wanted more memory than there was, for itself or for all."""
        # Nobody but the kernel, in want of memory, kills a process that we wait for.
        return self.code == -signal.SIGKILL or any(sign in self.words for sign in _WANTED_MEMORY)

    def __str__(self) -> str:
        if self.code >= 0:
            return f"exit code {self.code}"
        with suppress(ValueError):
            return f"signal {-self.code}, {signal.Signals(-self.code).name}"
        return f"signal {-self.code}"


class EndedError(Exception):
    """The process is no more, and has not answered."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        super().__init__(str(ending))


class TooLongError(Exception):
    """The answer is longer than any may be."""


class Child:
    """A process that runs a module of ours."""

    module: ClassVar[str]
    nice: ClassVar[int]

    def __init__(
        self,
        running: "subprocess.Popen[bytes]",
        said: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        complaints: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._running = running
        self._reader, self._writer = said
        self._complaints = complaints[1]
        self._words = asyncio.create_task(
            _last_words(complaints[0]), name=f"words of {self.module}"
        )

    @classmethod
    async def start(cls) -> Self:
        """Return one that waits to be told something."""
        ours, theirs = socket.socketpair()
        heard, complained = socket.socketpair()
        with ExitStack() as undone, theirs, complained:
            undone.callback(ours.close)
            undone.callback(heard.close)
            running = subprocess.Popen(  # noqa: ASYNC220, S603 see above; it is our own module
                [sys.executable, "-m", cls.module],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=complained.fileno(),
                env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            undone.callback(running.wait)
            undone.callback(running.kill)
            _give_way(running.pid, cls.nice)
            said = await asyncio.open_connection(sock=ours)
            undone.callback(said[1].close)
            complaints = await asyncio.open_connection(sock=heard)
            undone.pop_all()
        return cls(running, said, complaints)

    @property
    def pid(self) -> int:
        """The number that the system knows it by."""
        return self._running.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended already."""
        return self._running.poll() is not None

    async def tell(self, message: bytes, most_bytes: int) -> bytes:
        """
        Return what it says to a message.

        Raises:
            EndedError: it ended instead.
            TooLongError: it says more than `most_bytes`.
        """
        try:
            self._writer.write(framed(message))
            await self._writer.drain()
            size = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES))
            if size > most_bytes:
                raise TooLongError
            return await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as exc:
            code = await asyncio.to_thread(self._running.wait)
            raise EndedError(Ending(code, await self._words)) from exc

    async def kill(self) -> None:
        """End it, whatever it does."""
        self._running.kill()
        self._writer.close()
        try:
            await asyncio.to_thread(self._running.wait)
            # Whoever gave up in the midst of `tell` may have cancelled it.
            await asyncio.wait([self._words])
        finally:
            self._complaints.close()


def _give_way(pid: int, nice: int) -> None:
    with suppress(OSError):
        if nice == IDLE and hasattr(os, "SCHED_IDLE"):
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
        else:
            os.setpriority(os.PRIO_PROCESS, pid, nice)


async def _last_words(complaints: asyncio.StreamReader) -> bytes:
    words = b""
    with suppress(OSError):
        while some := await complaints.read(_LAST_WORDS):
            words = (words + some)[-_LAST_WORDS:]
    return words
