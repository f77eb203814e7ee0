"""Accounts, keys, scopes and quotas over real HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.installation import ACCOUNT
from tests.make import make_document
from tests.server import KEY, READER, Answer, Served, serve


async def _open(server: Served, name: str = "acme", **changes: Any) -> Any:
    answer = await server.request("POST", "/accounts", json={"name": name, **changes})
    assert answer.status == 201, answer.body
    return answer.body


async def _make_key(server: Served, account: str, *scopes: str, key: str = KEY) -> Any:
    body = {"name": "ci", "scopes": list(scopes)}
    answer = await server.request("POST", f"/accounts/{account}/keys", json=body, key=key)
    assert answer.status == 201, answer.body
    return answer.body


def test_an_account_is_opened_with_a_key_of_its_own(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any, Any]:
        made = await _open(server, quotas={"max_workflows": 3})
        own = await server.request("GET", "/account", key=made["api_key"])
        listed = await server.request("GET", "/accounts")
        return made, own.body, listed.body["data"]

    made, own, listed = serve(tmp_path, use)

    secret = made.pop("api_key")
    assert made["quotas"] == {
        "max_workflows": 3,
        "max_executions_per_month": None,
        "max_events_per_month": None,
    }
    assert own == {
        **made,
        "scopes": ["admin"],
        "usage": {"month": "2026-01", "workflows": 0, "executions": 0, "events": 0},
    }
    assert [row["name"] for row in listed] == ["acme", "test"]
    assert secret not in str(listed)


def test_a_key_is_shown_once_and_opens_nothing_once_it_is_revoked(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any, list[int]]:
        made = await _make_key(server, ACCOUNT, "events:write")
        statuses = []
        for _ in range(2):
            answer = await server.request(
                "POST", "/events", json={"type": "a"}, key=made["api_key"]
            )
            statuses.append(answer.status)
        keys = await server.request("GET", f"/accounts/{ACCOUNT}/keys")
        path = f"/accounts/{ACCOUNT}/keys/{made['id']}"
        statuses += [(await server.request("DELETE", path)).status for _ in range(2)]
        answer = await server.request("POST", "/events", json={"type": "a"}, key=made["api_key"])
        return made, keys.body["data"], [*statuses, answer.status]

    made, keys, statuses = serve(tmp_path, use)

    secret = made.pop("api_key")
    assert statuses == [202, 202, 204, 404, 401]
    assert made in keys
    assert made["hint"] == f"…{secret[-4:]}"
    assert secret not in str(keys)


# What each scope opens: the least that is answered with neither 401 nor 403.
_REQUESTS = {
    "read": ("GET", "/events", None),
    "events:write": ("POST", "/events", {"type": "a"}),
    "write": ("POST", "/workflows", make_document()),
    "admin": ("GET", f"/accounts/{ACCOUNT}/keys", None),
    "operator": ("GET", "/accounts", None),
}


@pytest.mark.parametrize(
    ("scope", "opened"),
    [
        ("read", {"read"}),
        ("events:write", {"events:write"}),
        ("write", {"read", "events:write", "write"}),
        ("admin", {"read", "events:write", "write", "admin"}),
        ("operator", set(_REQUESTS)),
    ],
)
def test_a_scope_opens_what_it_implies_and_nothing_else(
    tmp_path: Path, scope: str, opened: set[str]
) -> None:
    async def use(server: Served) -> dict[str, int]:
        made = await _make_key(server, ACCOUNT, scope)
        found = {}
        for name, (method, path, body) in _REQUESTS.items():
            options: dict[str, Any] = {} if body is None else {"json": body}
            answer = await server.request(method, path, key=made["api_key"], **options)
            found[name] = answer.status
        return found

    found = serve(tmp_path, use)

    assert {name for name, status in found.items() if status < 300} == opened
    assert {status for name, status in found.items() if name not in opened} <= {403}


def test_nobody_gives_or_takes_more_than_they_have(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        other = await _open(server)
        admin = (await _make_key(server, ACCOUNT, "admin"))["api_key"]
        keys = (await server.request("GET", f"/accounts/{ACCOUNT}/keys")).body["data"]
        operator = next(key["id"] for key in keys if key["scopes"] == ["operator"])
        answers = [
            await server.request(
                "POST", f"/accounts/{ACCOUNT}/keys", json={"scopes": ["operator"]}, key=admin
            ),
            await server.request("DELETE", f"/accounts/{ACCOUNT}/keys/{operator}", key=admin),
            await server.request("DELETE", f"/accounts/{ACCOUNT}/keys/{operator}"),
            await server.request("GET", f"/accounts/{other['id']}/keys", key=admin),
            await server.request("GET", f"/accounts/{other['id']}/keys"),
            await server.request("GET", "/accounts/acme", key=other["api_key"]),
            await server.request("PATCH", "/accounts/acme", json={"name": "b"}, key=other["api_key"]),
            await server.request("POST", f"/accounts/{ACCOUNT}/keys", json={"scopes": ["read"]}, key=READER),
        ]  # fmt: skip
        return [answer.status for answer in answers]

    assert serve(tmp_path, use) == [422, 409, 409, 404, 200, 200, 403, 403]


def test_an_account_that_is_not_enabled_is_shut_and_opened_again(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        key = (await _open(server))["api_key"]
        statuses = []
        for enabled in (True, False, True):
            await server.request("PATCH", "/accounts/acme", json={"enabled": enabled})
            statuses.append((await server.request("GET", "/account", key=key)).status)
        return statuses

    assert serve(tmp_path, use) == [200, 401, 200]


def test_nothing_of_an_account_is_visible_to_another(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[dict[str, int], dict[str, Any]]:
        key = (await _open(server))["api_key"]
        workflow = (await server.request("POST", "/workflows", json=make_document())).body
        pattern = {"name": "p", "pattern": {"type": "event", "event": "user.signup"}}
        pattern_id = (await server.request("POST", "/patterns", json=pattern)).body["id"]
        await server.request("POST", "/events", json={"id": "e-1", "type": "user.signup"})
        await server.world.engine.settled()
        execution = (await server.request("GET", "/executions")).body["data"][0]["id"]
        paths = [
            ("GET", f"/workflows/{workflow['id']}"),
            ("GET", "/workflows/greet"),
            ("PATCH", f"/workflows/{workflow['id']}"),
            ("DELETE", f"/workflows/{workflow['id']}"),
            ("GET", f"/workflows/{workflow['id']}/versions"),
            ("POST", f"/workflows/{workflow['id']}/rollback"),
            ("POST", f"/workflows/{workflow['id']}/execute"),
            ("GET", f"/patterns/{pattern_id}"),
            ("PATCH", "/patterns/p"),
            ("DELETE", f"/patterns/{pattern_id}"),
            ("GET", f"/patterns/{pattern_id}/matches"),
            ("GET", f"/executions/{execution}"),
            ("POST", f"/executions/{execution}/cancel"),
            ("GET", "/events/e-1"),
            ("GET", "/events/@1"),
            ("GET", f"/accounts/{ACCOUNT}"),
            ("GET", f"/accounts/{ACCOUNT}/keys"),
            ("POST", f"/accounts/{ACCOUNT}/keys"),
        ]
        statuses = {}
        for method, path in paths:
            body: dict[str, Any] = {"version": 1} if "rollback" in path else {}
            options: dict[str, Any] = {} if method == "GET" else {"json": body}
            answer = await server.request(method, path, key=key, **options)
            statuses[f"{method} {path}"] = answer.status
        lists = {}
        for path in ("/events", "/workflows", "/patterns", "/executions"):
            lists[path] = (await server.request("GET", path, key=key)).body["data"]
        repeat = await server.request("POST", "/events", json={"id": "e-1", "type": "x"}, key=key)
        assert (repeat.body["status"], repeat.body["offset"]) == ("accepted", 1)
        return statuses, lists

    statuses, lists = serve(tmp_path, use)

    assert {request: status for request, status in statuses.items() if status != 404} == {}
    assert lists == {"/events": [], "/workflows": [], "/patterns": [], "/executions": []}


def test_the_live_tail_shows_no_event_of_another_account(tmp_path: Path) -> None:
    async def use(server: Served) -> str:
        key = (await _open(server))["api_key"]
        headers = {"Authorization": f"Bearer {key}"}
        async with server.session.get("/events/stream?after=0", headers=headers) as answer:
            await answer.content.readuntil(b"\n\n")
            await server.request("POST", "/events", json={"id": "theirs", "type": "a"})
            await server.request("POST", "/events", json={"id": "mine", "type": "a"}, key=key)
            return (await answer.content.readuntil(b"\n\n")).decode()

    assert '"id":"mine"' in serve(tmp_path, use)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_quota_of_events_counts_a_month(tmp_path: Path, *, is_restarted: bool) -> None:
    async def first(server: Served) -> str:
        key: str = (await _open(server, quotas={"max_events_per_month": 5}))["api_key"]
        await server.request(
            "POST", "/events/batch", json=[{"type": "a", "id": f"{n}"} for n in range(3)], key=key
        )
        return key

    async def then(server: Served, key: str) -> list[Answer]:
        batch = [{"type": "a", "id": f"x{n}"} for n in range(3)]
        answers = [
            await server.request("POST", "/events/batch", json=batch, key=key),
            await server.request("POST", "/events/batch", json=batch[:2], key=key),
            await server.request("POST", "/events", json=batch[2], key=key),
            await server.request("GET", "/account", key=key),
        ]
        server.world.clock.advance(31 * 86_400_000)
        return [*answers, await server.request("POST", "/events", json=batch[2], key=key)]

    if is_restarted:
        key = serve(tmp_path, first)
        answers = serve(tmp_path, lambda server: then(server, key))
    else:

        async def both(server: Served) -> list[Answer]:
            return await then(server, await first(server))

        answers = serve(tmp_path, both)

    assert [answer.status for answer in answers] == [429, 202, 429, 200, 202]
    assert int(answers[0].headers["Retry-After"]) == 31 * 86_400 + 1
    assert answers[0].headers["Content-Type"] == "application/problem+json"
    assert answers[3].body["usage"]["events"] == 5


def test_a_quota_of_executions_lets_matches_be_recorded(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[int], list[str]]:
        key = (await _open(server, quotas={"max_executions_per_month": 2}))["api_key"]
        await server.request("POST", "/workflows", json=make_document(), key=key)
        statuses = [(await server.request("POST", "/workflows/greet/execute", key=key)).status]
        for n in range(2):
            event = {"type": "user.signup", "id": f"{n}"}
            await server.request("POST", "/events", json=event, key=key)
            await server.world.engine.settled()
        statuses.append((await server.request("POST", "/workflows/greet/execute", key=key)).status)
        await server.request(
            "PATCH", "/accounts/acme", json={"quotas": {"max_executions_per_month": None}}
        )
        statuses.append((await server.request("POST", "/workflows/greet/execute", key=key)).status)
        page = await server.request("GET", "/patterns/greet/matches", key=key)
        return statuses, sorted(next(iter(row["outcome"])) for row in page.body["data"])

    assert serve(tmp_path, use) == ([202, 429, 202], ["execution_id", "skipped"])


def test_a_quota_of_workflows_is_kept(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        key = (await _open(server, quotas={"max_workflows": 1}))["api_key"]
        answers = [
            await server.request("POST", "/workflows", json=make_document(name=name), key=key)
            for name in ("a", "b")
        ]
        await server.request("DELETE", "/workflows/a", key=key)
        again = await server.request("POST", "/workflows", json=make_document(name="c"), key=key)
        return [answer.status for answer in (*answers, again)]

    assert serve(tmp_path, use) == [201, 429, 201]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "paths"),
    [
        ("POST", "/accounts", {}, 422, ["name"]),
        ("POST", "/accounts", {"name": "A b"}, 422, ["name"]),
        ("POST", "/accounts", {"name": "a", "quota": 1}, 422, ["quota"]),
        ("POST", "/accounts", {"name": "a", "quotas": {"max_workflows": -1}}, 422, ["quotas.max_workflows"]),
        ("POST", "/accounts", {"name": "test"}, 422, ["name"]),
        ("POST", "/accounts", {"name": "taken"}, 409, None),
        ("PATCH", "/accounts/none", {}, 404, None),
        ("PATCH", "/accounts/taken", {"quotas": {"max_events": 1}}, 422, ["quotas.max_events"]),
        ("PATCH", "/accounts/taken", {"quotas": {"max_events_per_month": True}}, 422, ["quotas.max_events_per_month"]),
        ("PATCH", "/accounts/taken", [], 422, [""]),
        ("POST", "/accounts/none/keys", {"scopes": ["read"]}, 404, None),
        ("POST", "/accounts/taken/keys", {"scopes": []}, 422, ["scopes"]),
        ("POST", "/accounts/taken/keys", {"scopes": ["raed"]}, 422, ["scopes[0]"]),
        ("POST", "/accounts/taken/keys", {"scopes": "read"}, 422, ["scopes"]),
        ("DELETE", "/accounts/taken/keys/none", None, 404, None),
        ("DELETE", "/accounts/taken", None, 405, None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(
    tmp_path: Path, method: str, path: str, body: Any, status: int, paths: list[str] | None
) -> None:
    async def use(server: Served) -> Answer:
        await _open(server, "taken")
        options = {} if body is None else {"json": body}
        return await server.request(method, path, **options)

    answer = serve(tmp_path, use)

    assert answer.status == status
    if paths is not None:
        assert [error["path"] for error in answer.body["errors"]] == paths


def test_of_many_requests_at_once_no_more_pass_than_the_quota(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        key = (await _open(server, quotas={"max_events_per_month": 7}))["api_key"]
        posts = (server.request("POST", "/events", json={"type": "a"}, key=key) for _ in range(20))
        return sorted(answer.status for answer in await asyncio.gather(*posts))

    assert serve(tmp_path, use) == [202] * 7 + [429] * 13
