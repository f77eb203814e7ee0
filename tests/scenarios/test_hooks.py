"""A webhook, `kill -9`, and the same webhook again, over HTTP."""

import asyncio
import hashlib
import hmac
from pathlib import Path
from typing import Any

from tests.running import KEY, Running, up

SETTINGS = {
    "ONCUE_API_KEY": KEY,
    "ONCUE_PUBLIC_URL": "https://oncue.example.com/at",
    "WEBHOOK_SECRET": "the-installation's-secret",
}
BODY = b'{"ref": "refs/heads/main"}'
WORKFLOW = {
    "name": "pushed",
    "on": {"type": "event", "event": "github.push"},
    "steps": [{"id": "ref", "type": "transform", "expr": "event.data.ref"}],
}


async def deliver(running: Running, url: str, query: str = "") -> tuple[int, Any]:
    digest = hmac.new(SETTINGS["WEBHOOK_SECRET"].encode(), BODY, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": f"sha256={digest}",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "d-1",
        "Content-Type": "application/json",
        "Authorization": "",
    }
    path = url.removeprefix(SETTINGS["ONCUE_PUBLIC_URL"]) + query
    async with running.session.post(path, data=BODY, headers=headers) as answer:
        return answer.status, await answer.json()


def test_a_redelivery_after_kill_9_starts_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with up(tmp_path, SETTINGS) as running:
            await running.post("/workflows", WORKFLOW)
            _, hook = await running.post("/hooks", {"name": "repo", "scheme": "github"})
            assert hook["secret"] is None
            assert hook["ready"] is True
            assert hook["url"].startswith("https://oncue.example.com/at/hooks/acc_")
            status, first = await deliver(running, hook["url"])
            assert (status, first["status"]) == (202, "accepted")
            await running.kill()
        async with up(tmp_path, SETTINGS) as running:
            assert (await running.get("/hooks/repo"))["url"] == hook["url"]
            status, again = await deliver(running, hook["url"])
            assert (status, again) == (202, {**first, "status": "duplicate"})
            assert await deliver(running, hook["url"], "?wait=30s") == (200, "refs/heads/main")
            await running.only_execution("completed")

    asyncio.run(main())
