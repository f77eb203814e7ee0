"""When to try again: a policy is data, and answers with data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncue.core.ids import digest


class Backoff(StrEnum):
    """How the delay grows from attempt to attempt."""

    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    CONSTANT = "constant"


class OnUnknown(StrEnum):
    """What follows an attempt whose outcome is unknown."""

    RETRY = "retry"
    """Call again with the same idempotency key."""
    FAIL = "fail"
    """End the step: a repeat would cost."""
    ASK = "ask"
    """Wait until somebody says what happened."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    At most `attempts` tries, with a growing delay between them.

    >>> [RetryPolicy(has_jitter=False).delay_after(n, "") for n in (1, 2, 3, 4)]
    [5000, 10000, 20000, None]
    """

    attempts: int = 4
    delay_ms: int = 5_000
    backoff: Backoff = Backoff.EXPONENTIAL
    factor: float = 2.0
    max_delay_ms: int = 300_000
    has_jitter: bool = True

    def delay_after(self, attempt: int, seed: str) -> int | None:
        """Return the delay in ms before the attempt after `attempt`, or None if it was the last."""
        if attempt >= self.attempts:
            return None
        match self.backoff:
            case Backoff.CONSTANT:
                delay: float = self.delay_ms
            case Backoff.LINEAR:
                delay = self.delay_ms * attempt
            case Backoff.EXPONENTIAL:
                delay = self.delay_ms * self.factor ** min(attempt - 1, _MAX_DOUBLINGS)
        delay = min(delay, self.max_delay_ms)
        return round(delay * _spread(seed) if self.has_jitter else delay)


ONCE: Final = RetryPolicy(attempts=1)

# 2**32 times the shortest delay is beyond any ceiling; without the clamp a
# large attempt number overflows the float.
_MAX_DOUBLINGS = 32


def _spread(seed: str) -> float:
    """Return 0.75 to 1.25, always the same for one seed: a replay must wait as long as the run."""
    return 0.75 + int(digest([seed])[:8], 16) / 2**33
