"""
A circuit breaker: a vendor that does not answer is not asked again by everybody.

    closed ── nothing but failures for a minute, of several executions ──▶ open
      ▲                                                          │ after a while
      └───────────── the probe is answered ◀── one probe ◀───────┘
                                                  │ it fails: open, twice as long
"""

from typing import Final

from oncue.core.limits.waits import FIRST_MS, wait_ms

# What one execution meets may be its own: a loop over a broken URL opens nothing.
FAILURES: Final = 10
EXECUTIONS: Final = 5
# Of what is shorter, retries take care; and nobody waits who was told to give up soon.
LASTING_MS: Final = 60_000
# A probe that was cancelled meanwhile is not waited for longer.
_PROBE_MS: Final = 120_000


class Circuit:
    """Whether a vendor answers, as those who called it found."""

    def __init__(self) -> None:
        self._failures = 0
        self._failing_since_ms = 0
        self._executions: set[str] = set()
        self._probes = 0
        self._probed_at_ms: int | None = None
        self.open_until_ms: int | None = None
        """When the next probe may go; None while it is closed."""
        self.since_ms: int | None = None
        """When it opened."""

    @property
    def is_free(self) -> bool:
        """Whether all calls went well lately."""
        return not self._failures and self.open_until_ms is None

    def next_at_ms(self, now_ms: int) -> int:
        """Return when the next call may begin; what is not after `now_ms` is now."""
        if self.open_until_ms is None:
            return now_ms
        is_probed = self._probed_at_ms is not None and now_ms < self._probed_at_ms + _PROBE_MS
        return now_ms + FIRST_MS if is_probed else self.open_until_ms

    def take(self, now_ms: int) -> None:
        """Count a call that begins; in an open circuit it is the probe."""
        self._probed_at_ms = None if self.open_until_ms is None else now_ms

    def fail(self, execution_id: str, now_ms: int, since_ms: int | None = None) -> None:
        """
        Take in that no answer came, or that the vendor could not.

        The execution may have waited for it since an instant, which a restart made us forget.
        """
        if self.open_until_ms is not None:
            # Those that were on their way when it opened tell nothing new.
            if self._probed_at_ms is not None or now_ms >= self.open_until_ms:
                self._open(now_ms)
            return
        before_ms = self._failing_since_ms if self._failures else now_ms
        self._failing_since_ms = min(before_ms, now_ms if since_ms is None else since_ms)
        self._failures += 1
        if len(self._executions) < EXECUTIONS:
            self._executions.add(execution_id)
        is_lasting = now_ms - self._failing_since_ms >= LASTING_MS
        if is_lasting and self._failures >= FAILURES and len(self._executions) >= EXECUTIONS:
            self.since_ms = self._failing_since_ms
            self._open(now_ms)

    def answer(self) -> bool:
        """Take in an answer, whatever it said; return whether that closes an open circuit."""
        was_open = self.open_until_ms is not None
        self._failures = self._probes = 0
        self._executions.clear()
        self._probed_at_ms = None
        self.open_until_ms = self.since_ms = None
        return was_open

    def _open(self, now_ms: int) -> None:
        self._probed_at_ms = None
        self.open_until_ms = now_ms + wait_ms(self._probes)
        self._probes += 1
