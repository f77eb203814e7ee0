"""What its parent sees of a process that answers one question, and why it ended if it did before."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oncue.ports.catalog import MAX_QUERY_BYTES
from oncue.store.query.messages import Part, Refusal, Reply, read_reply, write_message

_NICE: Final = 10
# The columns may be as large as the rows are.
_MAX_REPLY_BYTES: Final = 2 * MAX_QUERY_BYTES + (1 << 20)
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


class QueryChild:
    """A process that answers one question."""

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self._running = running
        self._words = asyncio.create_task(_last_words(running), name="words of a query process")

    @classmethod
    async def start(cls) -> "QueryChild":
        """Return one that waits to be told where the rows are."""
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "oncue.store.query.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )
        _yield_to_others(running.pid)
        return cls(running)

    @property
    def pid(self) -> int:
        """The number that the system knows it by."""
        return self._running.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended already."""
        return self._running.returncode is not None

    async def ask(self, part: Part) -> Reply:
        """
        Return the reply to one part.

        Raises:
            EndedError: it ended instead.
        """
        reader, writer = self._running.stdout, self._running.stdin
        assert reader
        assert writer
        try:
            writer.write(write_message(part))
            await writer.drain()
            size = int.from_bytes(await reader.readexactly(4))
            if size > _MAX_REPLY_BYTES:
                return Refusal("over size: the answer is larger than any may be")
            return read_reply(await reader.readexactly(size))
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


def _yield_to_others(pid: int) -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
    # Linux shares the processor between sessions first: what a query takes counts as its own.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_NICE), encoding="ascii")


async def _last_words(running: asyncio.subprocess.Process) -> bytes:
    words = b""
    assert running.stderr
    while some := await running.stderr.read(_LAST_WORDS):
        words = (words + some)[-_LAST_WORDS:]
    return words
