"""Failures of workflows reach people, from the first start on."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from oncue.testing.vendors import Simulators
from tests.running import Running, eventually, settings_for, up

BROKEN = {
    "name": "broken",
    "on": {"type": "event", "event": "order.paid"},
    "steps": [{"id": "end", "type": "stop", "status": "failed", "message": "no stock"}],
}


async def _names(running: Running) -> list[str]:
    return sorted(row["name"] for row in (await running.get("/workflows"))["data"])


def test_a_failure_is_told_by_slack_whatever_dies(tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulators() as vendors:
            settings = settings_for(vendors)
            async with up(tmp_path, settings) as running:
                assert await _names(running) == ["failure-alert"]
                assert (await running.get("/monitoring/dashboard"))["alerts"]["by"] == "slack"
                assert (await running.post("/workflows", BROKEN))[0] == 201
                assert (await running.post("/events", {"type": "order.paid"}))[0] == 202
                await running.kill()
            async with up(tmp_path, settings) as running:

                async def message() -> Any:
                    await running.get("/health")
                    return vendors.slack.effects

                (told,) = await eventually(message)
                assert told["text"].startswith("*broken* failed: no stock (execution exe_")
                assert await _names(running) == ["broken", "failure-alert"]
                failed = (await running.get("/events?type=execution.failed"))["data"]
                assert [event["data"]["workflow"] for event in failed] == ["broken"]

    asyncio.run(main())


def test_a_new_account_has_it_beyond_its_quota(tmp_path: Path) -> None:
    async def main() -> None:
        async with up(tmp_path, {}) as running:
            wanted = {"name": "shop", "quotas": {"max_workflows": 1}}
            _, account = await running.post("/accounts", wanted)
            headers = {"Authorization": f"Bearer {account['api_key']}"}
            url = json.loads((tmp_path / "server.json").read_text())["url"]
            async with aiohttp.ClientSession(url, headers=headers) as session:
                shop = Running(running.child, session, tmp_path)

                assert await _names(shop) == ["failure-alert"]
                assert (await shop.post("/workflows", BROKEN))[0] == 201
                assert (await shop.post("/workflows", {**BROKEN, "name": "more"}))[0] == 429
                assert (await shop.get("/account"))["usage"]["workflows"] == 1
                board = await shop.get("/monitoring/dashboard")
                assert "neither Slack nor e-mail" in board["alerts"]["lack"]
                assert (await shop.post("/events", {"type": "order.paid"}))[0] == 202

                async def skipped() -> Any:
                    return (await shop.get("/patterns/failure-alert/matches"))["data"]

                (match,) = await eventually(skipped)
                assert match["outcome"] == {"skipped": "the workflow's `if` does not hold"}

    asyncio.run(main())
