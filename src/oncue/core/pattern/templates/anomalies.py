"""Patterns over values that are far from what they used to be."""

from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json

OVER_VALUES: Final[Sequence[Mapping[str, Json]]] = (
    {
        "name": "spike-in-errors",
        "title": "More than usual",
        "description": "A minute with far more errors than the minutes before, once an hour of "
        "them is known. Fewer than three are never a spike.",
        "pattern": {
            "type": "anomaly",
            "event": "*.failed",
            "value": {"measure": "count", "window": "1m"},
            "direction": "up",
            "min_samples": 60,
            "min_scale": {"abs": 0.5},
            "cooldown": "15m",
        },
    },
    {
        "name": "slow-api",
        "title": "A value far from what it was",
        "description": "A request that took far longer than those of the same route before it.",
        "pattern": {
            "type": "anomaly",
            "event": "api.request",
            "by": ["event.data.route"],
            "value": "event.data.ms",
            "direction": "up",
        },
    },
)
