"""An enterprise signup, from `curl` to its calls, through `kill -9` and back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from oncue.cli.demo import EXAMPLE
from oncue.cli.documents import example
from oncue.testing.vendors import Held, Simulators
from tests.running import Running, settings_for, up

SIGNUP = {
    "type": "user.signup",
    "id": "signup-1",
    "data": {"email": "ada@example.com", "plan": "enterprise"},
}
FREE = {
    "type": "user.signup",
    "id": "signup-2",
    "data": {"email": "kim@example.com", "plan": "free"},
}


def _with_vendors(use: Callable[[Simulators], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Simulators() as vendors:
            return await use(vendors)

    return asyncio.run(main())


async def _save_example(server: Running) -> None:
    document = example(EXAMPLE)
    status, body = await server.post("/workflows", document)
    assert status == 201, body


def test_a_signup_is_carried_out_once_and_survives_kill_9(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        settings = settings_for(vendors)
        async with up(tmp_path, settings) as server:
            await _save_example(server)
            accepted = await server.post("/events", SIGNUP)
            free = await server.post("/events", FREE)
            before = await server.only_execution("waiting")
            duplicate = await server.post("/events", SIGNUP)
            await server.kill()
        async with up(tmp_path, settings) as server:
            after = await server.only_execution("waiting")
            again = await server.post("/events", SIGNUP)
            assert await server.terminate() == 0

        assert accepted == (202, {"id": "signup-1", "status": "accepted", "offset": 3})
        assert free == (202, {"id": "signup-2", "status": "accepted", "offset": 4})
        assert duplicate == (202, {"id": "signup-1", "status": "duplicate", "offset": 3})
        assert again == duplicate
        assert after == before
        assert [step["status"] for step in before["steps"]] == ["completed"] * 3 + ["waiting"]
        (email,), (message,), (contact,) = (
            vendors.resend.calls,
            vendors.slack.calls,
            vendors.hubspot.calls,
        )
        assert email.body["to"] == "ada@example.com"  # type: ignore[index,call-overload]
        assert email.body["subject"] == "Welcome"  # type: ignore[index,call-overload]
        assert email.idempotency_key
        assert message.body == {"text": "New enterprise signup: ada@example.com"}
        assert contact.body["properties"]["email"] == "ada@example.com"  # type: ignore[index,call-overload]

    _with_vendors(use)


def test_a_call_in_flight_is_repeated_with_its_key(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        settings = settings_for(vendors)
        held = Held()
        vendors.resend.answer_next(held)
        async with up(tmp_path, settings) as server:
            await _save_example(server)
            await server.post("/events", SIGNUP)
            await held.arrived()
            await server.kill()
        held.release()
        async with up(tmp_path, settings) as server:
            execution = await server.only_execution("waiting")

        first, second = vendors.resend.calls
        assert first.idempotency_key == second.idempotency_key
        assert first.body == second.body
        assert len(vendors.resend.effects) == 1
        assert [a["status"] for a in execution["steps"][0]["attempts"]] == ["in_doubt", "completed"]
        assert (len(vendors.slack.calls), len(vendors.hubspot.calls)) == (1, 1)

    _with_vendors(use)


def test_what_was_accepted_before_kill_9_is_there_after(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        settings = settings_for(vendors)
        offsets: list[int] = []

        async def post_until_dead(server: Running, worker: int) -> None:
            number = 0
            try:
                while True:
                    event = {"type": "page.viewed", "id": f"{worker}-{number}"}
                    _, body = await server.post("/events", event)
                    offsets.append(body["offset"])
                    number += 1
            except aiohttp.ClientError:
                return

        async with up(tmp_path, settings) as server:
            workers = [asyncio.create_task(post_until_dead(server, n)) for n in range(8)]
            while len(offsets) < 200:
                await asyncio.wait(workers, timeout=0.01)
            await server.kill()
            await asyncio.gather(*workers)
        async with up(tmp_path, settings) as server:
            repeats = [
                await server.post("/events", {"type": "page.viewed", "id": f"{worker}-0"})
                for worker in range(8)
            ]
            _, fresh = await server.post("/events", {"type": "page.viewed", "id": "fresh"})

        assert [body["status"] for _, body in repeats] == ["duplicate"] * 8
        assert len(set(offsets)) == len(offsets)
        assert fresh["offset"] > max(offsets)

    _with_vendors(use)
