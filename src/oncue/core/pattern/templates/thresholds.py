"""Patterns over a measure of the events in a window."""

from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json

OVER_WINDOWS: Final[Sequence[Mapping[str, Json]]] = (
    {
        "name": "brute-force",
        "title": "Too many within a time",
        "description": "Ten failed logins from one address within five minutes; again after a "
        "quiet time, or an hour later if it never stops.",
        "pattern": {
            "type": "threshold",
            "event": "login.failed",
            "by": ["event.data.ip"],
            "value": 10,
            "window": "5m",
            "cooldown": "1h",
        },
    },
    {
        "name": "card-testing",
        "title": "Many different values within a time",
        "description": "Small payments with five different cards from one address within ten "
        "minutes: somebody tries stolen cards.",
        "pattern": {
            "type": "threshold",
            "event": "payment.*",
            "conditions": {"amount": [{"numeric": ["<", 5]}]},
            "by": ["event.data.ip"],
            "measure": "distinct",
            "of": "event.data.card",
            "value": 5,
            "window": "10m",
        },
    },
    {
        "name": "price-above",
        "title": "Above a limit, and below it again",
        "description": "A price that rises above 100. It is over, and told so by a match of the "
        "kind `cleared`, once it falls below 95: in between nothing flutters.",
        "pattern": {
            "type": "threshold",
            "event": "price.changed",
            "by": ["event.subject"],
            "measure": "last",
            "of": "event.data.price",
            "operator": ">",
            "value": 100,
            "clear": {"<": 95},
            "notify_clear": True,
            "window": "7d",
        },
    },
    {
        "name": "silent-devices",
        "title": "Nothing from those that are expected",
        "description": "Each of these devices that said nothing for a quarter of an hour, also if "
        "it never said anything.",
        "pattern": {
            "type": "threshold",
            "event": "device.reading",
            "by": ["event.subject"],
            "keys": ["boiler", "pump"],
            "operator": "<",
            "value": 1,
            "window": "15m",
        },
    },
    {
        "name": "long-visit",
        "title": "Sessions",
        "description": "Visits of five pages or more; a visit is over after half an hour without "
        "a page.",
        "pattern": {
            "type": "threshold",
            "event": "page.viewed",
            "by": ["event.subject"],
            "value": 5,
            "window_type": "session",
            "gap": "30m",
        },
    },
    {
        "name": "poor-day",
        "title": "A sum per day, by the calendar",
        "description": "Days in Berlin on which less than 1000 was earned, also those without any "
        "order. Told at midnight, each day anew.",
        "pattern": {
            "type": "threshold",
            "event": "order.paid",
            "measure": "sum",
            "of": "event.data.amount",
            "operator": "<",
            "value": 1000,
            "window": "1d",
            "window_type": "tumbling",
            "time": {"zone": "Europe/Berlin"},
        },
    },
)
