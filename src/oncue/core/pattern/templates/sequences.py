"""Patterns over steps that follow each other, or stay away."""

from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json

OVER_STEPS: Final[Sequence[Mapping[str, Json]]] = (
    {
        "name": "abandoned-cart",
        "title": "Something begun and not finished",
        "description": "An hour after the last thing was put into a cart, nothing was ordered.",
        "pattern": {
            "type": "sequence",
            "by": ["event.subject"],
            "within": "1h",
            "overlap": "last",
            "steps": [
                {"as": "cart", "event": "cart.item_added"},
                {"as": "order", "event": "order.placed", "not": True},
            ],
        },
    },
    {
        "name": "heartbeat-lost",
        "title": "A dead man's switch",
        "description": "A device that reported has not done so for five minutes. Told once, until "
        "it reports again.",
        "pattern": {
            "type": "sequence",
            "by": ["event.subject"],
            "within": "5m",
            "overlap": "last",
            "steps": [
                {"as": "last", "event": "device.heartbeat"},
                {"as": "next", "event": "device.heartbeat", "not": True},
            ],
        },
    },
    {
        "name": "login-after-failures",
        "title": "Several of one kind, then another",
        "description": "Three failed logins or more, then one that succeeds, within ten minutes: "
        "somebody may have guessed the password.",
        "pattern": {
            "type": "sequence",
            "by": ["event.subject"],
            "within": "10m",
            "steps": [
                {"as": "failures", "event": "login.failed", "times": {"min": 3}},
                {"as": "login", "event": "login.succeeded"},
            ],
        },
    },
    {
        "name": "ticket-not-answered",
        "title": "An answer that is late (SLA)",
        "description": "An urgent ticket that was not answered within four hours; each has its own "
        "clock.",
        "input": {"ticket": "{{ event.data.ticket }}"},
        "pattern": {
            "type": "sequence",
            "by": ["event.data.ticket"],
            "within": "4h",
            "steps": [
                {"as": "ticket", "event": "ticket.opened", "conditions": {"priority": "urgent"}},
                {"as": "answer", "event": ["ticket.answered", "ticket.closed"], "not": True},
            ],
        },
    },
    {
        "name": "funnel",
        "title": "A funnel, and who leaves it",
        "description": "Who signs up, completes the profile and buys within a week is a match of "
        "the kind `matched`. Who stops on the way is one of the kind `timeout`, "
        "whose `bindings` show how far they came.",
        "pattern": {
            "type": "sequence",
            "by": ["event.subject"],
            "within": "7d",
            "on_timeout": "emit",
            "steps": [
                {"as": "signup", "event": "user.signup"},
                {"as": "profile", "event": "profile.completed"},
                {"as": "purchase", "event": "order.paid"},
            ],
        },
    },
    {
        "name": "documents-complete",
        "title": "All of several, in any order",
        "description": "The three documents of an application are there, in whatever order they "
        "came within a month.",
        "pattern": {
            "type": "sequence",
            "by": ["event.data.application"],
            "within": "30d",
            "ordered": False,
            "steps": [
                {"as": name, "event": "document.uploaded", "conditions": {"kind": name}}
                for name in ("passport", "payslip", "contract")
            ],
        },
    },
)
