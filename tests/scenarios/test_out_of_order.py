"""
Clients whose clocks and networks are what they are, over HTTP with default settings.

Times are shuffled within a minute, one client is four minutes fast, one ten
minutes slow, one event is dated 2020, and a hook comes two seconds late on a
quiet account. Every event is judged once, and counts come to the same as they
would over the sorted stream.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from tests.server import Served, serve

MINUTE_MS = 60_000
WINDOW_MS = 5 * MINUTE_MS
NEEDED = 5

EVERY: Json = {"name": "every", "pattern": {"type": "event", "event": "login.*"}}
COUNT: Json = {
    "name": "count",
    "pattern": {
        "type": "threshold",
        "event": "login.failed",
        "by": ["event.subject"],
        "value": NEEDED,
        "window": "5m",
    },
}


@dataclass(frozen=True)
class Login:
    """When it happened, as its client's clock says, and when it is sent."""

    subject: str
    time_ms: int
    sent_ms: int


def _bursts(subject: str, begin_ms: int, chance: random.Random) -> Iterator[Login]:
    """Bursts of failed logins half an hour apart, some of them too small, some doubled."""
    off_ms = {"fast": 4 * MINUTE_MS, "slow": -10 * MINUTE_MS}.get(subject, 0)
    for hour in range(3):
        for part in range(2):
            start = begin_ms + (hour * 60 + part * 30) * MINUTE_MS
            for _ in range(chance.choice([2, 4, 5, 6, 9])):
                happened = start + chance.randrange(4 * MINUTE_MS)
                sent = happened + chance.randrange(MINUTE_MS)
                yield Login(subject, happened + off_ms, sent)


def _matches_of_the_sorted_stream(logins: list[Login]) -> Counter[str]:
    """Count how often the fifth within five minutes comes after the condition was false."""
    found: Counter[str] = Counter()
    by_subject: dict[str, list[int]] = {}
    for login in sorted(logins, key=lambda one: one.time_ms):
        by_subject.setdefault(login.subject, []).append(login.time_ms)
    for subject, times in by_subject.items():
        held_until = -1
        for last in range(NEEDED - 1, len(times)):
            first = times[last - NEEDED + 1]
            if times[last] - first < WINDOW_MS:
                found[subject] += times[last] > held_until
                held_until = first + WINDOW_MS
    return found


def test_counts_come_to_the_same_as_over_the_sorted_stream(tmp_path: Path) -> None:
    chance = random.Random(20)
    subjects = [f"user-{n}" for n in range(12)] + ["fast", "slow"]

    async def use(server: Served) -> tuple[int, Counter[str], list[Login]]:
        begin_ms = server.world.clock.now_ms() + 20 * MINUTE_MS
        logins = [one for subject in subjects for one in _bursts(subject, begin_ms, chance)]
        logins.append(Login("old", 1_577_836_800_000, begin_ms + MINUTE_MS))
        for document in (EVERY, COUNT):
            assert (await server.request("POST", "/patterns", json=document)).status == 201
        for login in sorted(logins, key=lambda one: one.sent_ms):
            server.world.clock.advance(max(0, login.sent_ms - server.world.clock.now_ms()))
            event: Json = {
                "type": "login.failed",
                "subject": login.subject,
                "time": format_instant(login.time_ms),
            }
            assert (await server.request("POST", "/events", json=event)).status == 202
        await server.world.engine.settled()
        every = await server.request("GET", "/patterns/every")
        matches = await server.request("GET", "/patterns/count/matches?limit=500")
        keys = Counter(match["key"]["event.subject"] for match in matches.body["data"])
        return every.body["stats"]["matches"], keys, logins

    judged, found, logins = serve(tmp_path, use)

    assert judged == len(logins)
    assert found == _matches_of_the_sorted_stream(logins)
    assert found.keys() >= {"fast", "slow"}


def test_a_hook_that_comes_late_on_a_quiet_account_is_judged(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[int, int]:
        await server.request("POST", "/patterns", json=EVERY)
        await server.request("POST", "/patterns", json=COUNT)
        clock = server.world.clock
        for _ in range(NEEDED):
            clock.advance(30_000)
            time = format_instant(clock.now_ms() - 2_000)
            event: Json = {"type": "login.failed", "subject": "ada", "time": time}
            await server.request("POST", "/events", json=event)
            await server.world.engine.settled()
        shown = [await server.request("GET", f"/patterns/{name}") for name in ("every", "count")]
        every, count = (one.body["stats"]["matches"] for one in shown)
        return every, count

    assert serve(tmp_path, use) == (NEEDED, 1)
