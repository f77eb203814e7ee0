"""
How fast a vendor may be called.

What it tells, by `Retry-After` or by how many calls are left, is kept to. Where
it only refuses, the pace is found: a refusal sets it to what went through since
the last one, and each success quickens it a little.
"""

from collections.abc import Iterable
from typing import Final

from oncue.core.limits.allowance import Allowance
from oncue.core.limits.waits import wait_ms

# A vendor that asks for more is asked again after a day.
MAX_CLOSED_MS: Final = 86_400_000
# One refusal in about seventy calls, where the vendor's limit stays as it is.
_QUICKER: Final = 0.99
_SLOWER: Final = 1.5
_NO_PACE_MS: Final = 1.0
# Answers of one window tell its end to within a second.
_SAME_WINDOW_MS: Final = 1_000


class Budget:
    """The calls that one vendor takes from one account."""

    def __init__(self) -> None:
        self._closed_until_ms = 0
        self._remaining: int | None = None
        self._resets_at_ms = 0
        self._interval_ms = 0.0
        self._next_ms = 0.0
        self._opened_ms = 0
        self._passed = 0
        self._refusals = 0

    def next_at_ms(self, now_ms: int) -> int:
        """Return when the next call may begin; what is not after `now_ms` is now."""
        if self._remaining is not None and now_ms >= self._resets_at_ms:
            self._remaining = None
        instant = max(self._closed_until_ms, round(self._next_ms))
        if self._remaining is not None and self._remaining <= 0:
            return max(instant, self._resets_at_ms)
        return instant

    def is_slow(self, now_ms: int) -> bool:
        """Return whether a call would have to wait, or calls are spread."""
        return bool(self._interval_ms) or self.next_at_ms(now_ms) > now_ms

    def is_free(self, now_ms: int) -> bool:
        """Return whether nothing is known that would hold up a call."""
        return not self.is_slow(now_ms) and self._remaining is None

    def take(self, now_ms: int) -> None:
        """Count a call that begins."""
        if self._remaining is not None:
            self._remaining -= 1
        if self._interval_ms:
            self._next_ms = max(self._next_ms, now_ms) + self._interval_ms

    def hear(self, told: Iterable[Allowance], in_flight: int, now_ms: int) -> None:
        """Take in what an answer told; the calls in flight may not be counted there yet."""
        tightest = min(told, key=lambda one: (one.remaining, -one.resets_at_ms), default=None)
        if tightest is None or tightest.resets_at_ms <= now_ms:
            return
        left = tightest.remaining - in_flight
        resets_at_ms = min(tightest.resets_at_ms, now_ms + MAX_CLOSED_MS)
        if self._remaining is not None and resets_at_ms <= self._resets_at_ms + _SAME_WINDOW_MS:
            # Answers overtake each other: within a window the number only falls.
            left = min(left, self._remaining)
        self._remaining, self._resets_at_ms = left, resets_at_ms

    def refuse(self, retry_after_ms: int | None, now_ms: int) -> None:
        """Take in that a call was refused because there were too many."""
        asked_ms = wait_ms(self._refusals) if retry_after_ms is None else retry_after_ms
        closed_until_ms = now_ms + min(asked_ms, MAX_CLOSED_MS)
        # Those that were on their way when the first was refused tell nothing new.
        if now_ms >= self._closed_until_ms:
            self._refusals += 1
            if self._opened_ms and self._remaining is None:
                span_ms = closed_until_ms - self._opened_ms
                measured = span_ms / max(1, self._passed)
                # One call for each time that it wants to be left alone is what it takes.
                self._interval_ms = min(max(measured, self._interval_ms * _SLOWER), asked_ms)
            self._passed = 0
        self._closed_until_ms = self._opened_ms = max(self._closed_until_ms, closed_until_ms)

    def close(self, asked_ms: int, now_ms: int) -> None:
        """Take in that the vendor wants to be left alone for a while."""
        until_ms = now_ms + min(asked_ms, MAX_CLOSED_MS)
        self._closed_until_ms = max(self._closed_until_ms, until_ms)

    def pass_(self) -> None:
        """Take in that a call was not refused."""
        self._passed += 1
        self._refusals = 0
        self._interval_ms *= _QUICKER
        if self._interval_ms < _NO_PACE_MS:
            self._interval_ms = 0.0
