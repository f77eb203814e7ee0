"""
How long a row behind the watermark is in time, where rows look back by time.

    rows     ·  ·   ·                       ·
    sweeps              1.5 frames after ──▶│    1.5 frames after ──▶│

A sweep is one and a half frames after a row, and the next is set by the first row that
would still be looked back at then. If none was set, no row is looked back at any more, and
the key begins anew. Else time has come up to the sweep, and a row from before it is late.
Source: what Flink does with rows and timers of OVER; shared/cases/flink_windows_oracle.json.
"""

from typing import Final

NEVER: Final = -(2**62)


class Sweeps:
    """The sweeps of a key that are still to come, and when the last one was."""

    __slots__ = ("coming", "last_ms")

    def __init__(self, coming: list[int], last_ms: int = NEVER) -> None:
        self.coming = coming
        self.last_ms = last_ms

    def set_by(self, time_ms: int, reach_ms: int) -> None:
        """Set the next sweep, if a row would be looked back at beyond the last one that was set."""
        if not self.coming or self.coming[-1] <= time_ms + reach_ms:
            self.coming.append(time_ms + reach_ms * 3 // 2 + 1)

    def pass_by(self, watermark_ms: int) -> bool:
        """Let those pass that event time is beyond; return whether the key begins anew."""
        coming = self.coming
        if not coming or coming[0] >= watermark_ms:
            return False
        passed = sum(sweep < watermark_ms for sweep in coming)
        self.last_ms = coming[passed - 1]
        del coming[:passed]
        return not coming
