"""
A day in the life: an order comes in by a signed hook, a report goes out at night, a vendor is
down for an hour, the machine restarts, and next week is lived on from a backup.
"""

import asyncio
import hashlib
import hmac
import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oncue.actions import ACTIONS
from oncue.actions.gating import Gating
from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.app import built_in_workflows
from oncue.core.instants import format_instant, parse_instant
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.store.backup import write_backup
from oncue.store.restore import restore_backup
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import PUBLIC_URL
from oncue.testing.trial import fresh_stores
from oncue.testing.vendors.http import AcceptingSimulator
from oncue.testing.vendors.orders import Fixed
from oncue.testing.vendors.simulator import ReceivedCall
from oncue.testing.vendors.wire import Wire
from tests.server import Served, served

# In the night that follows, clocks in Berlin go back from 3:00 to 2:00.
BEGIN = "2026-10-24T12:00:00Z"
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
SECRET = "whsec_of_the_shop"
ORDERS = 30

SHIP: dict[str, Json] = {
    "name": "ship",
    "on": {"type": "hook", "scheme": "stripe", "secret": SECRET},
    "steps": [
        {
            "id": "order",
            "type": "action",
            "action": "http_request",
            "with": {
                "method": "POST",
                "url": "https://warehouse.example/orders",
                "json": {"order": "{{ event.data.data.object.id }}"},
            },
            "retry": False,
        },
        {"id": "settle", "type": "delay", "for": "3d"},
        {
            "id": "ask",
            "type": "action",
            "action": "http_request",
            "with": {
                "method": "POST",
                "url": "https://surveys.example/ask",
                "json": {"order": "{{ event.data.data.object.id }}"},
            },
        },
    ],
}
REPORT: dict[str, Json] = {
    "name": "report",
    "on": {"type": "schedule", "cron": "30 2 * * *", "time_zone": "Europe/Berlin"},
    "steps": [
        {
            "id": "send",
            "type": "action",
            "action": "http_request",
            "with": {
                "method": "POST",
                "url": "https://reports.example/nightly",
                "json": {"at": "{{ event.data.schedule.scheduled_at }}"},
            },
        }
    ],
}


class Elsewhere(AcceptingSimulator):
    """Every API that is called by its URL; one of them is down for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.keys: dict[str, Counter[str]] = {}
        self.times: dict[str, list[int]] = {}

    def answer(self, call: ReceivedCall) -> Fixed:
        if self.is_down and call.path.startswith("/orders"):
            return Fixed(503, "closed for repairs")
        assert call.idempotency_key
        self.keys.setdefault(call.path, Counter())[call.idempotency_key] += 1
        self.times.setdefault(call.path, []).append(self.clock.now_ms())
        return super().answer(call)

    def effects_at(self, path: str) -> list[Any]:
        return [effect["body"] for effect in self.effects if effect["path"] == path]


@dataclass
class Day:
    """One clock and one world outside, for several lives of OnCue."""

    clock: VirtualClock = field(default_factory=lambda: VirtualClock(parse_instant(BEGIN)))
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    alerts: list[Any] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def life(self, folder: Path) -> AsyncIterator[Served]:
        gates = Gates()
        async with Wire(self.clock, {"http": self.elsewhere}) as wire, fresh_stores() as stores:
            source = GivenCredentials(lambda _, name: wire.known.credentials(name))
            gating = Gating(gates, self.clock)
            vendors = ActionLibrary(ACTIONS, source, wire.ways, self.clock, stores, gating)
            async with served(
                folder,
                vendors=vendors,
                clock=self.clock,
                gates=gates,
                built_in=built_in_workflows(),
            ) as server:
                try:
                    yield server
                finally:
                    self.alerts += [effect["text"] for effect in wire.vendors["slack"].effects]

    async def go_to(self, server: Served, instant: str) -> None:
        await server.world.go_to(parse_instant(instant))

    async def order(self, server: Served, number: int) -> int:
        """Return the status with which an event of the shop's payments was answered."""
        body = json.dumps(
            {
                "id": f"evt_{number}",
                "type": "checkout.session.completed",
                "data": {"object": {"id": f"order-{number}"}},
            }
        ).encode()
        at = self.clock.now_ms() // 1_000
        digest = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={digest}"}
        path = self.url.removeprefix(PUBLIC_URL)
        return (await server.request("POST", path, key=None, data=body, headers=headers)).status


async def prepare(day: Day, server: Served) -> None:
    for document in (SHIP, REPORT):
        answer = await server.request("POST", "/workflows", json=document)
        assert answer.status == 201, answer.body
    day.url = (await server.request("GET", "/hooks")).body["data"][0]["url"]
    connection = {
        "name": "team",
        "integration": "slack",
        "values": {"webhook_url": "https://hooks.slack.com/services/T0/B0/xyz"},
    }
    answer = await server.request("POST", "/connections", json=connection)
    assert answer.status == 201, answer.body


async def letters(server: Served) -> list[Any]:
    path = "/dead-letters?group=error&queue=workflows&state=open"
    rows: list[Any] = (await server.request("GET", path)).body["data"]
    return rows


async def outage(day: Day, server: Served) -> None:
    """Let the warehouse be down for an hour, in which orders come in."""
    day.elsewhere.is_down = True
    for number in range(1, ORDERS + 1):
        assert await day.order(server, number) == 202
        # A vendor that gets no answer posts again.
        assert await day.order(server, number) == 202
    await server.world.engine.settled()
    await day.go_to(server, "2026-10-24T19:00:00Z")
    day.elsewhere.is_down = False


def move(day: Day, first: Path, second: Path) -> None:
    """Make a folder from a backup of another."""
    packed = io.BytesIO()
    made_at = format_instant(day.clock.now_ms())
    write_backup(first, packed, first.parent, version="test", created_at=made_at, with_key=False)
    packed.seek(0)
    second.mkdir()
    restore_backup(packed, second)


def test_a_day_in_the_life(tmp_path: Path) -> None:
    day, first, second = Day(), tmp_path / "first", tmp_path / "second"

    async def live() -> None:
        async with day.life(first) as server:
            await prepare(day, server)
            assert await day.order(server, 0) == 202
            await day.go_to(server, "2026-10-24T18:00:00Z")
            await outage(day, server)
            (group,) = await letters(server)
            assert group["count"] == ORDERS
            assert "503" in group["error"]
            body: Json = {"filter": {"workflow": "ship"}, "rate": "10/s"}
            begun = await server.request("POST", "/dead-letters/redrive", json=body)
            assert begun.status == 202, begun.body
            await server.world.go_to(day.clock.now_ms() + 1_000)
            assert 5 <= len(day.elsewhere.effects_at("/orders")) - 1 < ORDERS
        # In the middle of it, everything ends and begins again.
        async with day.life(first) as server:
            await server.world.go_to(day.clock.now_ms() + MINUTE_MS)
            assert await letters(server) == []
            await day.go_to(server, "2026-10-25T12:00:00Z")
        move(day, first, second)
        async with day.life(second) as server:
            await server.world.go_to(day.clock.now_ms() + 3 * DAY_MS)
            listed = (await server.request("GET", "/executions?workflow=ship&limit=500")).body
            assert Counter(row["status"] for row in listed["data"]) == {
                "completed": ORDERS + 1,
                "failed": ORDERS,
            }

    asyncio.run(live())

    wanted = Counter(f"order-{number}" for number in range(ORDERS + 1))
    shipped = Counter(body["order"] for body in day.elsewhere.effects_at("/orders"))
    asked = Counter(body["order"] for body in day.elsewhere.effects_at("/ask"))
    assert shipped == wanted
    assert asked == wanted
    assert set(day.elsewhere.keys["/orders"].values()) == {1}
    redriven = sorted(day.elsewhere.times["/orders"])[1:]
    assert redriven[-1] - redriven[0] >= (ORDERS - 1) * 100
    # Once each night, also in the one in which 2:30 comes twice.
    assert [body["at"] for body in day.elsewhere.effects_at("/nightly")] == [
        "2026-10-25T00:30:00.000Z",
        "2026-10-26T01:30:00.000Z",
        "2026-10-27T01:30:00.000Z",
        "2026-10-28T01:30:00.000Z",
    ]
    (alert,) = day.alerts
    assert alert.startswith("*ship* failed: step 'order': the server answered 503")
