"""Patterns over single events."""

from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json

OVER_EVENTS: Final[Sequence[Mapping[str, Json]]] = (
    {
        "name": "every-signup",
        "title": "Every event of a type",
        "description": "Each sign-up.",
        "pattern": {"type": "event", "event": "user.signup"},
    },
    {
        "name": "large-order",
        "title": "A number above a limit",
        "description": "Paid orders of more than 1000, from three countries.",
        "pattern": {
            "type": "event",
            "event": "order.paid",
            "conditions": {
                "amount": [{"numeric": [">", 1000]}],
                "country": ["DE", "AT", "CH"],
            },
        },
    },
    {
        "name": "failed-payment-once-a-day",
        "title": "Once per customer and day",
        "description": "Failed payments; a customer's first, then a day's rest for that customer.",
        "pattern": {
            "type": "event",
            "event": "payment.failed",
            "by": ["event.subject"],
            "cooldown": "24h",
        },
    },
    {
        "name": "outside-the-office",
        "title": "A condition in CEL",
        "description": "Administrators who log in from outside the office network.",
        "pattern": {
            "type": "event",
            "event": "auth.login",
            "conditions": {"ip": [{"anything-but": {"cidr": "10.0.0.0/8"}}]},
            "where": "event.data.role == 'admin'",
        },
    },
    {
        "name": "any-failure",
        "title": "Many types by a glob",
        "description": "Whatever failed, whoever says so; the message is handed on.",
        "input": {"what": "{{ event.type }}", "message": "{{ event.data.?message.orValue('') }}"},
        "pattern": {
            "type": "event",
            "event": "*.failed",
            "cooldown": {"for": "1m", "per": "pattern"},
        },
    },
)
