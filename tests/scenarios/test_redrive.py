"""A vendor is down, fifty executions fail, and are redriven when it is up again."""

import asyncio
from pathlib import Path
from typing import Any

from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, Simulators
from tests.running import Running, eventually, settings_for, up
from tests.server import Served, served
from tests.vendors import library_for

DOWN = Fixed(503, {"message": "down for maintenance"})
REFUSED = Fixed(403, {"message": "you may not"})
COUNT = 50


def order(tell: dict[str, Json]) -> dict[str, Json]:
    """A workflow that books an order and then tells of it."""
    return {
        "name": "order",
        "on": {"type": "event", "event": "order.paid"},
        "steps": [
            {
                "id": "book", "type": "action", "action": "create_crm_record",
                "with": {"type": "contacts", "properties": {"email": "{{ event.data.email }}"}},
            },
            {"id": "tell", "type": "action", **tell},
        ],
    }  # fmt: skip


TEXT = "{{ 'Order ' + string(event.data.n) }}"
MAIL: dict[str, Json] = {
    "action": "send_email",
    "with": {"to": "{{ event.data.email }}", "subject": TEXT, "text": TEXT},
    "retry": False,
}


def paid(n: int) -> dict[str, Json]:
    return {"type": "order.paid", "id": f"o-{n}", "data": {"n": n, "email": f"p{n}@example.com"}}


def test_what_failed_while_a_vendor_was_down_happens_once(tmp_path: Path) -> None:
    async def use(server: Served, vendors: Simulators) -> None:
        clock, settled = server.world.clock, server.world.engine.settled
        await server.request("POST", "/workflows", json=order(MAIL))
        vendors.resend.answer_next(*[DOWN] * COUNT)
        for n in range(COUNT):
            await server.request("POST", "/events", json=paid(n))
        await settled()

        groups = (await server.request("GET", "/dead-letters?group=error")).body["data"]
        assert [(group["count"], group["origins"]) for group in groups] == [(COUNT, ["order"])]
        body = {"filter": {"fingerprint": groups[0]["fingerprint"]}, "rate": "10/s"}
        begun = await server.request("POST", "/dead-letters/redrive", json=body)
        assert (begun.status, begun.body["total"]) == (202, COUNT)
        path = begun.headers["Location"]
        counts: list[int] = []
        for _ in range(COUNT // 10):
            await settled()
            counts.append(len(vendors.resend.effects))
            for _ in range(10):
                clock.advance(100)
                await settled()
        done = (await server.request("GET", path)).body

        # One at once, then ten each second.
        assert counts == [1, 11, 21, 31, 41]
        assert (done["state"], done["redriven"], done["left"]) == ("done", COUNT, 0)
        left = (await server.request("GET", "/dead-letters?state=open")).body["data"]
        assert left == []
        assert len(vendors.hubspot.effects) == COUNT
        subjects = sorted(str(sent["subject"]) for sent in vendors.resend.effects)
        assert subjects == sorted(f"Order {n}" for n in range(COUNT))
        keys = {call.idempotency_key for call in vendors.resend.calls}
        assert len(keys) == COUNT

    async def main() -> None:
        async with (
            Simulators() as vendors,
            library_for(vendors) as library,
            served(tmp_path, vendors=library) as server,
        ):
            await use(server, vendors)

    asyncio.run(main())


def test_a_redrive_of_many_goes_on_after_kill_9(tmp_path: Path) -> None:
    many = 12

    async def redriven(server: Running, path: str, at_least: int) -> Any:
        async def look() -> Any:
            found = await server.get(path)
            return found if found["redriven"] >= at_least else None

        return await eventually(look)

    async def dead(server: Running) -> Any:
        return len((await server.get("/dead-letters?workflow=order"))["data"]) == many

    async def done(server: Running, path: str) -> Any:
        found = await server.get(path)
        completed = await server.get("/executions?workflow=order&status=completed")
        # What is redriven is begun, and not carried out yet.
        is_done = found["state"] == "done" and len(completed["data"]) == many
        return found if is_done else None

    async def main() -> None:
        async with Simulators() as vendors:
            settings = settings_for(vendors)
            vendors.http.answer_next(*[REFUSED] * many)
            async with up(tmp_path, settings) as server:
                call: Json = {"method": "POST", "url": vendors.http.base_url, "json": {"n": TEXT}}
                tell: dict[str, Json] = {"action": "http_request", "with": call}
                status, body = await server.post("/workflows", order(tell))
                assert status == 201, body
                for n in range(many):
                    await server.post("/events", paid(n))
                await eventually(lambda: dead(server))
                order_of_all = {"filter": {"workflow": "order"}, "rate": "20/s"}
                _, begun = await server.post("/dead-letters/redrive", order_of_all)
                path = f"/dead-letters/redrives/{begun['id']}"
                await redriven(server, path, 3)
                await server.kill()
            async with up(tmp_path, settings) as server:
                found = await eventually(lambda: done(server, path))

        assert (found["total"], found["redriven"], found["refused"]) == (many, many, 0)
        assert len(vendors.hubspot.effects) == many
        assert len(vendors.http.effects) == many

    asyncio.run(main())
