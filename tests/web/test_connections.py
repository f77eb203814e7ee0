"""`/connections`: what goes in, and what never comes out."""

from pathlib import Path
from typing import Any

import pytest

from oncue.actions.integrations import INTEGRATIONS
from oncue.core.errors import Conflict
from tests.installation import ACCOUNT
from tests.make import make_call, make_document
from tests.server import READER, Answer, Served, serve

TOKEN = "xoxb-planted-secret-5678"
SLACK = {"name": "alerts", "integration": "slack", "values": {"bot_token": TOKEN}}


async def _make(server: Served, **changes: Any) -> Any:
    answer = await server.request("POST", "/connections", json={**SLACK, **changes})
    assert answer.status == 201, answer.body
    return answer.body


def test_a_connection_is_kept_and_its_secret_not_shown(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer, Answer]:
        made = await server.request("POST", "/connections", json=SLACK)
        by_name = await server.request("GET", "/connections/alerts")
        listed = await server.request("GET", "/connections")
        return made, by_name, listed

    made, by_name, listed = serve(tmp_path, use)

    assert made.status == 201
    assert made.headers["Location"] == f"/connections/{made.body['id']}"
    assert made.headers["Etag"] == '"1"'
    assert made.body["id"].startswith("con_")
    assert made.body.pop("warnings") == []
    assert made.body["values"] == {"bot_token": "••••5678"}
    assert made.body["ready"] is True
    assert made.body["last_used_at"] is None
    assert by_name.body == made.body
    assert listed.body == {"data": [made.body], "next_cursor": None}


def test_lists_go_by_pages(tmp_path: Path) -> None:
    async def use(server: Served) -> list[str]:
        for number in range(5):
            await _make(server, name=f"c{number}")
        names, path = [], "/connections?limit=2"
        while True:
            page = (await server.request("GET", path)).body
            names += [row["name"] for row in page["data"]]
            if page["next_cursor"] is None:
                return names
            path = f"/connections?limit=2&cursor={page['next_cursor']}"

    assert serve(tmp_path, use) == ["c4", "c3", "c2", "c1", "c0"]


def test_what_is_missing_is_a_warning_and_can_be_given_later(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any]:
        made = await _make(server, values={})
        patch = {"values": {"bot_token": TOKEN}}
        given = await server.request("PATCH", "/connections/alerts", json=patch)
        return made, given.body

    made, given = serve(tmp_path, use)

    assert made["warnings"] == [
        {"path": "values", "message": "connection 'alerts' lacks webhook_url or bot_token"}
    ]
    assert made["ready"] is False
    assert given["ready"] is True
    assert given["warnings"] == []
    assert given["version"] == 2


@pytest.mark.parametrize(
    ("patch", "values"),
    [
        ({}, {"bot_token": TOKEN}),
        ({"default": True}, {"bot_token": TOKEN}),
        ({"name": "renamed"}, {"bot_token": TOKEN}),
        ({"values": {"bot_token": "••••5678"}}, {"bot_token": TOKEN}),
        ({"values": {"bot_token": "another-token-1"}}, {"bot_token": "another-token-1"}),
        (
            {"values": {"base_url": "https://slack.example"}},
            {"bot_token": TOKEN, "base_url": "https://slack.example"},
        ),
        (
            {"values": {"bot_token": None, "webhook_url": "https://hooks.example/x"}},
            {"webhook_url": "https://hooks.example/x"},
        ),
        ({"values": {"bot_token": None}}, {}),
    ],
)
def test_a_patch_changes_what_it_names(tmp_path: Path, patch: Any, values: dict[str, str]) -> None:
    async def use(server: Served) -> tuple[Answer, dict[str, str], int]:
        made = await _make(server)
        headers = {"If-Match": '"1"'}
        answer = await server.request("PATCH", "/connections/alerts", json=patch, headers=headers)
        parts = server.world.parts
        row = await server.world.engine.connections.find(ACCOUNT, made["id"])
        return answer, {**row.settings, **parts.connected.secrets(ACCOUNT, row)}, row.version

    answer, kept, version = serve(tmp_path, use)

    assert answer.status == 200, answer.body
    assert kept == values
    assert version == answer.body["version"] == (2 if patch and "5678" not in str(patch) else 1)
    assert TOKEN not in str(answer.body)


def test_one_connection_of_an_integration_is_the_default(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await _make(server, name="first", default=True)
        await _make(server, name="second", default=True)
        await _make(server, name="other", integration="linear", default=True,
                    values={"api_key": "lin_api_1"})  # fmt: skip
        rows = (await server.request("GET", "/connections")).body["data"]
        return {row["name"]: row["default"] for row in rows}

    assert serve(tmp_path, use) == {"first": False, "second": True, "other": True}


def test_whoever_changes_an_older_version_is_told(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        await _make(server)
        statuses = []
        for method in ("PATCH", "DELETE"):
            body: dict[str, Any] = {"json": {"default": True}} if method == "PATCH" else {}
            answer = await server.request(
                method, "/connections/alerts", headers={"If-Match": '"7"'}, **body
            )
            statuses.append(answer.status)
        book = server.world.engine.connections
        stale = await book.find(ACCOUNT, "alerts")
        await book.change(ACCOUNT, stale, {"default": True})
        with pytest.raises(Conflict):
            await book.change(ACCOUNT, stale, {"values": {"bot_token": "another-token"}})
        return statuses

    assert serve(tmp_path, use) == [412, 412]


def test_a_repeat_with_the_same_key_makes_one(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        headers = {"Idempotency-Key": "k"}
        return [
            await server.request("POST", "/connections", json=body, headers=headers)
            for body in (SLACK, SLACK, {**SLACK, "name": "other"})
        ]

    first, repeat, other = serve(tmp_path, use)

    assert first.body == repeat.body
    assert other.status == 409


def test_a_step_names_a_connection_that_is_there_and_fits(tmp_path: Path) -> None:
    def flow(name: str) -> Any:
        return make_document(steps=[make_call("a", connection=name)])

    async def use(server: Served) -> list[Any]:
        await _make(server)
        bodies = [flow("alrets"), flow("alerts")]
        answers = [await server.request("POST", "/workflows", json=body) for body in bodies]
        answers += [
            await server.request("POST", "/workflows/validate", json=flow("alrets")),
            await server.request(
                "POST", "/actions/note/run", json={"with": {"text": "x"}, "connection": "alrets"}
            ),
            await server.request(
                "POST", "/actions/note/run", json={"with": {"text": "x"}, "connection": "alerts"}
            ),
        ]
        assert {answer.status for answer in answers} == {422}
        return [answer.body["errors"] for answer in answers]

    unknown, unfit, validated, run, run_unfit = serve(tmp_path, use)

    told = "expected a connection, got 'alrets'; did you mean 'alerts'?"
    assert unknown == validated == [{"path": "steps[0].connection", "message": told}]
    assert run == [{"path": "connection", "message": told}]
    assert unfit == [
        {
            "path": "steps[0].connection",
            "message": "expected a connection for test, got 'alerts', which is for slack",
        }
    ]
    assert run_unfit[0]["path"] == "connection"


def test_each_integration_says_what_it_needs(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        return (await server.request("GET", "/connections/schemas", key=READER)).body["data"]

    rows = {row["integration"]: row for row in serve(tmp_path, use)}

    assert set(rows) == {one.name for one in INTEGRATIONS}
    assert rows["slack"]["secret"] == ["webhook_url", "bot_token"]
    properties = rows["slack"]["schema"]["properties"]
    assert properties["bot_token"]["writeOnly"] is True
    assert properties["base_url"]["writeOnly"] is False
    assert rows["twilio"]["schema"]["anyOf"] == [{"required": ["account_sid", "auth_token"]}]


def test_other_accounts_see_and_change_nothing(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[int], Any, Any]:
        made = await _make(server)
        other = (await server.request("POST", "/accounts", json={"name": "acme"})).body
        key = other["api_key"]
        statuses = []
        for reference in ("alerts", made["id"]):
            for method, suffix in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
                body: dict[str, Any] = {"json": {"default": True}} if method == "PATCH" else {}
                path = f"/connections/{reference}{suffix}"
                statuses.append((await server.request(method, path, key=key, **body)).status)
        flow = make_document(steps=[make_call("a", connection="alerts")])
        refused = await server.request("POST", "/workflows", json=flow, key=key)
        assert refused.body["errors"][0]["message"] == "expected a connection, got 'alerts'"
        # The name is free in another account.
        assert (await server.request("POST", "/connections", json=SLACK, key=key)).status == 201
        listed = (await server.request("GET", "/connections", key=key)).body["data"]
        return statuses, listed, made

    statuses, listed, made = serve(tmp_path, use)

    assert set(statuses) == {404}
    assert [row["name"] for row in listed] == ["alerts"]
    assert listed[0]["id"] != made["id"]


@pytest.mark.parametrize("scope", ["read", "write"])
def test_whoever_is_no_admin_gets_none(tmp_path: Path, scope: str) -> None:
    async def use(server: Served) -> set[int]:
        body = {"name": "k", "scopes": [scope]}
        made = await server.request("POST", f"/accounts/{ACCOUNT}/keys", json=body)
        key = made.body["api_key"]
        requests = (
            ("GET", "/connections"), ("POST", "/connections"), ("GET", "/connections/a"),
            ("PATCH", "/connections/a"), ("DELETE", "/connections/a"),
            ("POST", "/connections/a/test"), ("POST", "/secrets/rotate"),
        )  # fmt: skip
        return {(await server.request(*request, key=key)).status for request in requests}

    assert serve(tmp_path, use) == {403}
