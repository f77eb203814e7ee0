"""Processes of our own beside the server: each is told parts and answers them, and gives way to it."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

_LENGTH_BYTES: Final = 4
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

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self._running = running
        self._words = asyncio.create_task(_last_words(running), name=f"words of {self.module}")

    @classmethod
    async def start(cls) -> Self:
        """Return one that waits to be told something."""
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", cls.module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )
        _give_way(running.pid, cls.nice)
        return cls(running)

    @property
    def pid(self) -> int:
        """The number that the system knows it by."""
        return self._running.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended already."""
        return self._running.returncode is not None

    async def tell(self, message: bytes, most_bytes: int) -> bytes:
        """
        Return what it says to a message; the answer's length comes before it.

        Raises:
            EndedError: it ended instead.
            TooLongError: it says more than `most_bytes`.
        """
        reader, writer = self._running.stdout, self._running.stdin
        assert reader
        assert writer
        try:
            writer.write(message)
            await writer.drain()
            size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
            if size > most_bytes:
                raise TooLongError
            return await reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as exc:
            code = await self._running.wait()
            raise EndedError(Ending(code, await self._words)) from exc

    async def kill(self) -> None:
        """End it, whatever it does."""
        if self._running.returncode is None:
            with suppress(ProcessLookupError):
                self._running.kill()
        await self._running.wait()
        await self._words


def _give_way(pid: int, nice: int) -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, nice)
    # Linux shares the processor between sessions first: what a process takes counts as its own.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice), encoding="ascii")


async def _last_words(running: asyncio.subprocess.Process) -> bytes:
    words = b""
    assert running.stderr
    while some := await running.stderr.read(_LAST_WORDS):
        words = (words + some)[-_LAST_WORDS:]
    return words
