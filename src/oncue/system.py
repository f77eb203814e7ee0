"""What only the machine can give: time and chance."""

import asyncio
import gc
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from oncue.core.ids import random_id

_log = logging.getLogger(__name__)


class SystemClock:
    """
    Wall time at the start, the monotonic clock from then on.

    A step of the wall clock therefore neither fires timers early nor turns time
    back. One forward that lasts is followed: the machine slept, or had no time
    before its network. One back is told; after a restart time goes on from the
    newest instant on record (`raise_to`) even if the wall clock was set back.
    """

    def __init__(
        self,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._start_ms = wall_ns() // 1_000_000
        self._monotonic_start = monotonic_ns()
        self._apart_since_ms: int | None = None
        self._is_told = False

    def now_ms(self) -> int:
        """Return the milliseconds since 1970; never less than before."""
        return self._start_ms + self._elapsed_ms()

    def raise_to(self, instant_ms: int) -> None:
        """Go on from `instant_ms` if that is later than now."""
        self._start_ms += max(0, instant_ms - self.now_ms())

    async def sleep_until(self, instant_ms: int) -> None:
        """Return when the instant has come."""
        while (left_ms := instant_ms - self.now_ms()) > 0:
            await asyncio.sleep(min(left_ms, _LOOK_MS) / 1_000)
            self.look_at_the_wall()

    def look_at_the_wall(self) -> None:
        """Follow the wall clock if it has been ahead for a minute; tell if it is behind."""
        ahead_ms = self._wall_ns() // 1_000_000 - self.now_ms()
        if abs(ahead_ms) < _APART_MS:
            self._apart_since_ms, self._is_told = None, False
            return
        elapsed_ms = self._elapsed_ms()
        if self._apart_since_ms is None:
            self._apart_since_ms = elapsed_ms
        if elapsed_ms - self._apart_since_ms < _LASTS_MS:
            return
        if ahead_ms > 0:
            self._apart_since_ms = None
            self._start_ms += ahead_ms
            _log.warning("the clock went forward by %.1f s: followed", ahead_ms / 1_000)
        elif not self._is_told:
            self._is_told = True
            _log.warning(
                "the clock of the machine is %.1f s behind: time does not go back",
                -ahead_ms / 1_000,
            )

    def _elapsed_ms(self) -> int:
        return (self._monotonic_ns() - self._monotonic_start) // 1_000_000


_LOOK_MS: Final = 10_000
"""How often somebody who sleeps looks at the wall clock."""
_LASTS_MS: Final = 60_000
_APART_MS: Final = 1_000


def _entropy() -> Iterator[bytes]:
    # One call of the kernel for many ids: it costs as much as all else of an event's id.
    while True:
        pool = secrets.token_bytes(_POOL)
        for start in range(0, _POOL, _ENTROPY):
            yield pool[start : start + _ENTROPY]


_ENTROPY: Final = 10
_POOL: Final = 256 * _ENTROPY
_next_entropy = _entropy().__next__


def fresh_id(prefix: str) -> str:
    """Return an id that nobody else has."""
    return random_id(prefix, time.time_ns() // 1_000_000, _next_entropy())


def fresh_key() -> str:
    """Return an API key that nobody can guess."""
    return f"oncue_{secrets.token_urlsafe(32)}"


def fresh_secret() -> bytes:
    """Return 256 bits that nobody can guess."""
    return secrets.token_bytes(32)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)


def kept_secret(path: Path) -> bytes:
    """Return the secret in a file, which is made if it is not there."""
    if not path.exists():
        write_private(path, fresh_secret())
    return path.read_bytes()


# A turn of the loop makes hundreds of objects that live for one request; the default
# of 700 looks at them while they are at work.
_YOUNG_OBJECTS: Final = 10_000
_YOUNG_ROUNDS: Final = 20


def settle_memory() -> None:
    """
    Take what is alive now for what lives as long as the process.

    Else the collector looks through all modules again and again: measured, pauses
    of 80 ms and a third of all time under load (`bench/endurance.py`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_ROUNDS, _YOUNG_ROUNDS)
