"""How those who post to hooks fare: for whoever wonders why nothing arrives."""

from collections.abc import Mapping
from dataclasses import dataclass

from oncue.core.instants import format_instant_if_any
from oncue.core.json_text import Json


@dataclass(slots=True)
class HookCounts:
    """What a hook let in and what it refused, since the start."""

    received: int = 0
    refused: int = 0
    last_received_ms: int | None = None
    last_refused_ms: int | None = None
    last_refusal: str | None = None

    def let_in(self, now_ms: int) -> None:
        """Count a request that became an event."""
        self.received += 1
        self.last_received_ms = now_ms

    def refuse(self, why: str, now_ms: int) -> None:
        """Count a request that did not."""
        self.refused += 1
        self.last_refused_ms, self.last_refusal = now_ms, why

    def shown(self) -> Mapping[str, Json]:
        """Return it as people see it."""
        return {
            "received": self.received,
            "refused": self.refused,
            "last_received_at": format_instant_if_any(self.last_received_ms),
            "last_refused_at": format_instant_if_any(self.last_refused_ms),
            "last_refusal": self.last_refusal,
        }
