"""Hooks as their tests make them, and vendors as they post to them."""

import hashlib
import hmac
import json
from typing import Any

from oncue.testing.embedded import PUBLIC_URL
from tests.server import Answer, Served

SECRET = "planted-secret-of-github"
GITHUB = {"name": "repo", "scheme": "github", "secret": SECRET}
PUSH = {"ref": "refs/heads/main", "repository": {"full_name": "octo/cat"}}


def signed(secret: str, body: bytes, **headers: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push", **named}


async def make(server: Served, **document: Any) -> Any:
    answer = await server.request("POST", "/hooks", json={**GITHUB, **document})
    assert answer.status == 201, answer.body
    return answer.body


async def post(server: Served, url: str, body: bytes = b"{}", **headers: str) -> Answer:
    path = url.removeprefix(PUBLIC_URL)
    return await server.request("POST", path, key=None, data=body, headers=headers)


async def push(
    server: Served, url: str, secret: str = SECRET, content: Any = PUSH, **headers: str
) -> Answer:
    body = json.dumps(content).encode()
    return await post(server, url, body, **signed(secret, body, **headers))


async def events(server: Served) -> list[Any]:
    rows: list[Any] = (await server.request("GET", "/events")).body["data"]
    return rows
