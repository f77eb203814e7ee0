"""Templates match what their descriptions say, and nothing near it."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import pytest

from oncue.core.event import Event
from oncue.core.instants import parse_duration, parse_instant
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from oncue.core.pattern.templates import TEMPLATES
from tests.make import make_event

# Midnight in Berlin.
START_MS = parse_instant("2026-01-04T23:00:00Z")
BY_NAME = {str(template["name"]): template for template in TEMPLATES}

Given: TypeAlias = tuple[str, str, str | None, Json]
Expected: TypeAlias = tuple[str, str]
"""The kind of a match, and how long after the start it holds."""


def at(after: str, event_type: str, subject: str | None = "ada", **data: Json) -> Given:
    return after, event_type, subject, data


def each(count: int, unit: str, event_type: str, **data: Json) -> list[Given]:
    """Return so many events, one each minute or second."""
    return [(f"{place}{unit}", event_type, "ada", data) for place in range(count)]


def cards(*numbers: int, amount: int = 1) -> list[Given]:
    return [
        at(f"{place}s", "payment.failed", ip="1.2.3.4", amount=amount, card=number)
        for place, number in enumerate(numbers)
    ]


def prices(*values: int) -> list[Given]:
    return [at(f"{place}m", "price.changed", price=value) for place, value in enumerate(values)]


def documents(*kinds: str) -> list[Given]:
    return [
        at(f"{place}d", "document.uploaded", application=7, kind=kind)
        for place, kind in enumerate(kinds)
    ]


def errors(minutes: Iterable[tuple[int, int]]) -> list[Given]:
    """Return so many errors in each minute."""
    return [
        at(f"{minute * 60 + place}s", "job.failed")
        for minute, count in minutes
        for place in range(count)
    ]


def requests(*tail: int) -> list[Given]:
    """Return 300 usual requests, and some after them."""
    usual = [20 + place % 5 for place in range(300)]
    return [
        at(f"{place}s", "api.request", route="/orders", ms=ms)
        for place, ms in enumerate([*usual, *tail])
    ]


def found(name: str, given: Sequence[Given], until: str) -> list[Expected]:
    """Return what a template finds in events, and in the silence after them."""
    pattern = parse_pattern(BY_NAME[name]).named("template", 1, 1, None)
    backtest = Backtest([pattern], START_MS)
    events = [_event(offset, one) for offset, one in enumerate(given, 1)]
    hits = [one.hit for event in events for one in backtest.fold(event)]
    hits += [one.hit for more in backtest.run_on(START_MS + parse_duration(until)) for one in more]
    return [(hit.kind.value, _spoken(hit.time_ms - START_MS)) for hit in hits]


def _event(offset: int, given: Given) -> Event:
    after, event_type, subject, data = given
    time_ms = START_MS + parse_duration(after)
    return make_event(
        offset=offset,
        id=f"e-{offset}",
        type=event_type,
        subject=subject,
        time_ms=time_ms,
        received_at_ms=time_ms,
        data=data,
    )


def _spoken(duration_ms: int) -> str:
    return next(
        f"{duration_ms // size}{unit}"
        for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000))
        if duration_ms % size == 0
    )


CASES: dict[str, list[tuple[str, list[Given], list[Expected]]]] = {
    "every-signup": [
        ("matches each", [at("1m", "user.signup"), at("2m", "user.login")], [("matched", "1m")]),
    ],
    "large-order": [
        ("matches more", [at("1m", "order.paid", amount=1001, country="AT")], [("matched", "1m")]),
        ("passes over others", [at("1m", "order.paid", amount=1000, country="AT")], []),
        ("passes over other countries", [at("1m", "order.paid", amount=2000, country="FR")], []),
    ],
    "failed-payment-once-a-day": [
        (
            "rests for a day",
            [at(after, "payment.failed") for after in ("0h", "23h", "24h")],
            [("matched", "0h"), ("matched", "24h")],
        ),
    ],
    "outside-the-office": [
        ("matches", [at("1m", "auth.login", ip="8.8.8.8", role="admin")], [("matched", "1m")]),
        ("inside", [at("1m", "auth.login", ip="10.1.1.1", role="admin")], []),
        ("others", [at("1m", "auth.login", ip="8.8.8.8", role="user")], []),
    ],
    "any-failure": [
        ("matches any", [at("1m", "job.failed"), at("3m", "disk.failed")],
         [("matched", "1m"), ("matched", "3m")]),
        ("a minute's rest for all", [at("1m", "job.failed"), at("90s", "disk.failed")],
         [("matched", "1m")]),
    ],
    "brute-force": [
        ("the tenth matches", each(10, "s", "login.failed", ip="1.2.3.4"), [("threshold", "9s")]),
        ("nine do not", each(9, "s", "login.failed", ip="1.2.3.4"), []),
        ("nor ten that are slow", each(10, "m", "login.failed", ip="1.2.3.4"), []),
        (
            "one that never stops is told each hour",
            [at(f"{place * 20}s", "login.failed", ip="1.2.3.4") for place in range(360)],
            [("threshold", "3m"), ("threshold", "63m")],
        ),
    ],
    "card-testing": [
        ("the fifth card matches", cards(1, 2, 2, 3, 4, 5), [("threshold", "5s")]),
        ("four cards do not", cards(1, 2, 3, 4, 4, 4), []),
        ("nor large payments", cards(1, 2, 3, 4, 5, amount=50), []),
    ],
    "price-above": [
        (
            "it rises once and falls once",
            prices(90, 101, 99, 102, 96, 94, 99),
            [("threshold", "1m"), ("cleared", "5m")],
        ),
        ("it never rises", prices(90, 100, 99), []),
    ],
    "silent-devices": [
        (
            "who is silent is told",
            [at(f"{minute}m", "device.reading", "pump") for minute in range(0, 60, 5)],
            [("threshold", "15m"), ("threshold", "70m")],
        ),
    ],
    "long-visit": [
        ("five pages", each(5, "m", "page.viewed"), [("threshold", "34m")]),
        ("four pages", each(4, "m", "page.viewed"), []),
        (
            "two visits of three pages",
            [*each(3, "m", "page.viewed"), *(at(f"{100 + m}m", "page.viewed") for m in range(3))],
            [],
        ),
    ],
    "poor-day": [
        ("a poor day", [at("12h", "order.paid", amount=999)], [("threshold", "24h")]),
        ("a good day", [at("12h", "order.paid", amount=1000)], []),
        ("after midnight is the next day", [at("24h", "order.paid", amount=1000)],
         [("threshold", "24h")]),
        ("a day without orders", [at("1h", "user.signup")], [("threshold", "24h")]),
    ],
    "abandoned-cart": [
        ("nothing ordered", [at("0m", "cart.item_added"), at("30m", "cart.item_added")],
         [("absent", "90m")]),
        ("ordered", [at("0m", "cart.item_added"), at("59m", "order.placed")], []),
    ],
    "heartbeat-lost": [
        ("it falls silent once", each(10, "m", "device.heartbeat"), [("absent", "14m")]),
        (
            "it comes back",
            [at("0m", "device.heartbeat"), at("20m", "device.heartbeat")],
            [("absent", "5m"), ("absent", "25m")],
        ),
    ],
    "login-after-failures": [
        ("three, then one", [*each(4, "s", "login.failed"), at("9s", "login.succeeded")],
         [("matched", "9s")]),
        ("two, then one", [*each(2, "s", "login.failed"), at("9s", "login.succeeded")], []),
        ("failures alone", each(9, "s", "login.failed"), []),
    ],
    "ticket-not-answered": [
        (
            "each by its own clock",
            [at(f"{n}m", "ticket.opened", ticket=n, priority="urgent") for n in (0, 30, 60)]
            + [at("2h", "ticket.answered", ticket=30)],
            [("absent", "4h"), ("absent", "5h")],
        ),
        ("not urgent", [at("0m", "ticket.opened", ticket=1, priority="low")], []),
    ],
    "funnel": [
        (
            "the whole way",
            [at("0m", "user.signup"), at("1m", "profile.completed"), at("2m", "order.paid")],
            [("matched", "2m")],
        ),
        ("half the way", [at("0m", "user.signup"), at("1m", "profile.completed")],
         [("timeout", "168h")]),
        ("another way", [at("1m", "profile.completed"), at("2m", "order.paid")], []),
    ],
    "documents-complete": [
        ("in any order", documents("contract", "passport", "payslip"), [("matched", "48h")]),
        ("one twice", documents("contract", "passport", "passport"), []),
    ],
    "spike-in-errors": [
        ("a spike", errors([*((m, m % 3) for m in range(90)), (90, 40)]), [("anomaly", "91m")]),
        ("as usual", errors((m, m % 3) for m in range(91)), []),
        ("three after none", errors([(70, 3)]), [("anomaly", "71m")]),
        ("two after none", errors([(70, 2)]), []),
    ],
    "slow-api": [
        ("far longer", requests(500), [("anomaly", "5m")]),
        ("a little longer", requests(27), []),
        ("far shorter", requests(0), []),
    ],
    "best-sellers": [
        (
            "three of four",
            [at(f"{n}m", "order.paid", product=f"p{n}", amount=n) for n in range(4)],
            [("window", "1h")] * 3,
        ),
        ("of another hour", [at("5m", "order.paid", product="p", amount=1),
                             at("65m", "order.paid", product="p", amount=1)],
         [("window", "1h"), ("window", "2h")]),
        ("nothing paid", [at("5m", "order.placed", product="p", amount=1)], []),
    ],
    "visit-ended": [
        ("two pages", each(2, "m", "page.viewed"), [("window", "31m")]),
        ("one page, and one more much later",
         [at("0m", "page.viewed"), at("30m", "page.viewed")], []),
    ],
    "unusual-payment": [
        ("far above", [at(f"{n}m", "payment.made", amount=a) for n, a in enumerate([10, 10, 10, 100])],
         [("matched", "3m")]),
        ("as usual", [at(f"{n}m", "payment.made", amount=a) for n, a in enumerate([10, 10, 10, 50])], []),
        ("the first", [at("0m", "payment.made", amount=100)], []),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        pytest.param(name, given, expected, id=f"{name}: {what}")
        for name, cases in CASES.items()
        for what, given, expected in cases
    ],
)
def test_a_template_matches_what_it_says(
    name: str, given: list[Given], expected: list[Expected]
) -> None:
    until = "8d" if name in ("funnel", "documents-complete") else "40h"
    assert found(name, given, until) == [(kind, _normal(after)) for kind, after in expected]


def test_every_template_is_tried() -> None:
    assert list(CASES) == list(BY_NAME)


def _normal(after: str) -> str:
    return _spoken(parse_duration(after))
