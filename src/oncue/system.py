"""What only the machine can give: time and chance."""

import asyncio
import gc
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from oncue.core.ids import random_id


class SystemClock:
    """
    Wall time at the start, the monotonic clock from then on.

    A step of the wall clock therefore neither fires timers early nor turns
    time back. `not_before_ms` is the newest instant on record: after a restart
    time goes on from there even if the wall clock was set back.
    """

    def __init__(self, not_before_ms: int = 0) -> None:
        self._start_ms = max(time.time_ns() // 1_000_000, not_before_ms)
        self._monotonic_start = time.monotonic_ns()

    def now_ms(self) -> int:
        """Return the milliseconds since 1970; never less than before."""
        return self._start_ms + (time.monotonic_ns() - self._monotonic_start) // 1_000_000

    def raise_to(self, instant_ms: int) -> None:
        """Go on from `instant_ms` if that is later than now."""
        self._start_ms += max(0, instant_ms - self.now_ms())

    async def sleep_until(self, instant_ms: int) -> None:
        """Return when the instant has come."""
        while (left_ms := instant_ms - self.now_ms()) > 0:  # noqa: ASYNC110 time has no event
            # Timers of the event loop are bounded by the platform; a day is not.
            await asyncio.sleep(min(left_ms, _LONGEST_SLEEP_MS) / 1_000)


_LONGEST_SLEEP_MS = 86_400_000


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
