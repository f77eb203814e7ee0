"""
How far event time has come in an account: its watermark.

M is the largest min(time, received_at) over all events, so that no event can
advance it further than its own arrival: a fast client clock harms nobody. When
no event has come for a pattern's idle timeout, time goes on by the clock of the
records. A pattern's watermark is what it waits for behind the later of the two.
"""

from typing import Final

import msgspec

NEVER: Final = -(2**62)


class EventTime(msgspec.Struct):
    """
    M of one account as `newest_ms`, and when its last event arrived.

    `silent` holds, for each idle timeout in use, how far silence has brought time;
    `latest_ms` is the furthest of all.
    """

    newest_ms: int = NEVER
    last_received_ms: int = NEVER
    latest_ms: int = NEVER
    silent: dict[int, int] = {}

    def watch(self, idle_timeout_ms: int) -> None:
        """Let silence of so long move time."""
        self.silent.setdefault(idle_timeout_ms, NEVER)

    def read(self, received_ms: int) -> None:
        """Take note of a record before it is looked at."""
        quiet_ms = received_ms - self.last_received_ms
        for timeout_ms in self.silent:
            if quiet_ms >= timeout_ms:
                self.silent[timeout_ms] = received_ms - timeout_ms
                self.latest_ms = max(self.latest_ms, received_ms - timeout_ms)

    def saw(self, time_ms: int, received_ms: int) -> None:
        """Take note of an event."""
        reached_ms = time_ms if time_ms < received_ms else received_ms
        if reached_ms > self.newest_ms:
            self.newest_ms = reached_ms
            if reached_ms > self.latest_ms:
                self.latest_ms = reached_ms
        self.last_received_ms = received_ms

    def reached(self, idle_timeout_ms: int, since_ms: int) -> int:
        """
        Return how far time has come for who waits so long for silence to end.

        Silence from before `since_ms`, when the pattern began, says nothing to it:
        so what else there was in the account makes no difference.
        """
        silent = self.silent[idle_timeout_ms]
        return (
            max(self.newest_ms, silent) if silent > since_ms - idle_timeout_ms else self.newest_ms
        )

    def comes_ms(self, due_ms: int, idle_timeout_ms: int) -> int:
        """Return the instant at which silence will have brought time to `due_ms`."""
        return max(due_ms, self.last_received_ms) + idle_timeout_ms
