"""`/hooks`: who is let in, and what becomes of what they post."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from oncue.testing.embedded import PUBLIC_URL
from tests.installation import ACCOUNT
from tests.server import READER, Answer, Served, serve
from tests.web.hooked import GITHUB, PUSH, SECRET, events, make, post, push, signed


def test_a_hook_is_kept_and_its_secret_not_shown(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer, Answer]:
        made = await server.request("POST", "/hooks", json=GITHUB)
        by_name = await server.request("GET", "/hooks/repo")
        listed = await server.request("GET", "/hooks")
        return made, by_name, listed

    made, by_name, listed = serve(tmp_path, use)

    assert made.status == 201
    assert made.headers["Location"] == f"/hooks/{made.body['id']}"
    assert made.headers["Etag"] == '"1"'
    assert made.body["id"].startswith("hok_")
    assert made.body.pop("warnings") == []
    assert made.body["secret"] == "••••thub"
    assert made.body["url"] == f"{PUBLIC_URL}/hooks/{ACCOUNT}/{made.body['id']}"
    assert made.body["ready"] is True
    assert by_name.body == made.body
    assert by_name.headers["Etag"] == '"1"'
    assert listed.body == {"data": [made.body], "next_cursor": None}


def test_a_webhook_becomes_an_event_once(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer, list[Any]]:
        url = (await make(server))["url"]
        first = await push(server, url, X_GitHub_Delivery="d-1")
        again = await push(server, url, X_GitHub_Delivery="d-1")
        return first, again, await events(server)

    first, again, (event,) = serve(tmp_path, use)

    assert first.status == again.status == 202
    assert first.body == {"id": "d-1", "status": "accepted", "offset": 1}
    assert again.body == {"id": "d-1", "status": "duplicate", "offset": 1}
    assert event["type"] == "github.push"
    assert event["source"] == "hooks/repo"
    assert event["subject"] == "octo/cat"
    assert event["data"] == PUSH


@pytest.mark.parametrize(
    ("content_type", "headers", "body", "status"),
    [
        ("application/json", {"X-Hub-Signature-256": "sha256=00"}, b"{}", 401),
        ("application/json", {"X-Hub-Signature-256": "\u00e9"}, b"{}", 401),
        ("application/json", {}, b"{}", 401),
        ("application/json", signed("another", b"{}"), b"{}", 401),
        ("application/json", signed(SECRET, b"{"), b"{", 400),
        ("image/png", signed(SECRET, b"\x89PNG"), b"\x89PNG", 415),
        ("application/json", signed(SECRET, b"1" * 300_000), b"1" * 300_000, 413),
        ("application/json", signed(SECRET, b"{}", X_GitHub_Delivery="x" * 600), b"{}", 202),
    ],
)
def test_whoever_is_not_let_in_leaves_nothing(
    tmp_path: Path, content_type: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    async def use(server: Served) -> tuple[Answer, list[Any]]:
        url = (await make(server))["url"]
        answer = await post(server, url, body, **{"Content-Type": content_type, **headers})
        return answer, await events(server)

    answer, kept = serve(tmp_path, use)

    assert answer.status == status, answer.body
    assert len(kept) == (status == 202)
    assert "planted" not in str(answer.body)


def test_while_the_secret_is_changed_either_is_good(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        url = (await make(server))["url"]
        both = {"secret": ["the-next-secret-of-ours", "••••thub"]}
        patched = await server.request("PATCH", "/hooks/repo", json=both)
        assert patched.body["secret"] == ["••••ours", "••••thub"]
        found = [(await push(server, url, secret)).status for secret in (SECRET, both["secret"][0])]
        await server.request("PATCH", "/hooks/repo", json={"secret": both["secret"][0]})
        found += [
            (await push(server, url, secret)).status for secret in (SECRET, both["secret"][0])
        ]
        return found

    assert serve(tmp_path, use) == [202, 202, 401, 202]


@pytest.mark.parametrize(
    ("patch", "version"),
    [
        ({}, 1),
        ({"secret": "••••thub"}, 1),
        ({"secret": SECRET}, 1),
        ({"enabled": True}, 2),
        ({"type": "repo.pushed"}, 2),
        ({"secret": "another-secret"}, 2),
    ],
)
def test_a_patch_that_changes_nothing_saves_nothing(
    tmp_path: Path, patch: dict[str, Any], version: int
) -> None:
    async def use(server: Served) -> Answer:
        await make(server)
        headers = {"If-Match": '"1"'}
        return await server.request("PATCH", "/hooks/repo", json=patch, headers=headers)

    answer = serve(tmp_path, use)

    assert answer.status == 200, answer.body
    assert answer.body["version"] == version


def test_a_secret_that_is_made_is_shown_once(tmp_path: Path) -> None:
    document = {"name": "shop", "scheme": "standard-webhooks"}

    async def use(server: Served) -> tuple[Any, Any, Any]:
        headers = {"Idempotency-Key": "k"}
        made = await server.request("POST", "/hooks", json=document, headers=headers)
        again = await server.request("POST", "/hooks", json=document, headers=headers)
        got = await server.request("GET", "/hooks/shop")
        return made, again, got.body

    made, again, got = serve(tmp_path, use)

    assert made.status == again.status == 201
    assert made.body["secret"].startswith("whsec_")
    assert again.body["secret"] == got["secret"] == f"••••{made.body['secret'][-4:]}"
    assert again.body["id"] == made.body["id"]


def test_a_secret_path_is_shown_to_whoever_may_send(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any, list[int]]:
        made = await make(server, name="in", scheme="path", secret=None)
        seen = (await server.request("GET", "/hooks/in", key=READER)).body
        statuses = [
            (await post(server, url)).status
            for url in (
                made["url"],
                seen["url"],
                made["url"].rpartition("/")[0],
                made["url"] + "/x",
            )
        ]
        return made, seen, statuses

    made, seen, statuses = serve(tmp_path, use)

    assert statuses == [202, 401, 401, 404]
    assert "••••" in seen["url"]
    assert len(made["url"].rpartition("/")[2]) == 43


@pytest.mark.parametrize("scheme", ["stripe", "slack", "twilio"])
def test_a_hook_may_wait_for_the_secret_of_its_vendor(tmp_path: Path, scheme: str) -> None:
    async def use(server: Served) -> tuple[Any, Answer]:
        made = await make(server, name="pay", scheme=scheme, secret=None)
        return made, await post(server, made["url"])

    made, answer = serve(tmp_path, use)

    assert made["ready"] is False
    assert made["warnings"] == [
        {
            "path": "secret",
            "message": "hook 'pay' has no secret yet: whatever is posted to it is refused (401)",
        }
    ]
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Webhook"


def test_slack_hears_its_challenge_if_it_is_slack(tmp_path: Path) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-1"}).encode()

    async def use(server: Served) -> tuple[Answer, Answer, list[Any]]:
        url = (await make(server, name="chat", scheme="slack", secret="s"))["url"]
        now = str(server.world.clock.now_ms() // 1_000)
        digest = hmac.new(b"s", b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={digest}"}
        asked = await post(server, url, body, **headers)
        faked = await post(server, url, body, **{**headers, "X-Slack-Signature": "v0=0"})
        return asked, faked, await events(server)

    asked, faked, kept = serve(tmp_path, use)

    assert (asked.status, asked.body) == (200, {"challenge": "c-1"})
    assert faked.status == 401
    assert kept == []


def test_twilio_gets_an_answer_that_it_can_read(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, list[Any]]:
        url = (await make(server, name="sms", scheme="twilio", secret="12345"))["url"]
        content = f"{url}?a=1BodyHiMessageSidSM1".encode()
        digest = hmac.new(b"12345", content, hashlib.sha1).digest()
        headers = {
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = await post(server, f"{url}?a=1", b"MessageSid=SM1&Body=Hi", **headers)
        return answer, await events(server)

    answer, (event,) = serve(tmp_path, use)

    assert answer.status == 202
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert event["type"] == "twilio.message.received"
    assert event["data"] == {"MessageSid": "SM1", "Body": "Hi"}


def test_a_hook_that_is_off_or_gone_is_not_there(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        url = (await make(server))["url"]
        await server.request("PATCH", "/hooks/repo", json={"enabled": False})
        off = (await push(server, url)).status
        await server.request("PATCH", "/hooks/repo", json={"enabled": True})
        on = (await push(server, url)).status
        gone = await server.request("DELETE", "/hooks/repo", headers={"If-Match": '"3"'})
        after = (await push(server, url)).status
        foreign = (await push(server, url.replace(ACCOUNT, "acc_other"))).status
        return [off, on, gone.status, after, foreign]

    assert serve(tmp_path, use) == [404, 202, 204, 404, 404]


def test_the_hooks_of_a_closed_account_let_nobody_in(tmp_path: Path) -> None:
    async def use(server: Served) -> int:
        url = (await make(server))["url"]
        assert (await push(server, url)).status == 202
        closed = await server.request(
            "PATCH", f"/accounts/{ACCOUNT}", json={"name": "shut", "enabled": False}
        )
        assert closed.status == 200, closed.body
        return (await push(server, url)).status

    assert serve(tmp_path, use) == 404


def test_quotas_count_what_comes_in_by_hooks(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        url = (await make(server))["url"]
        quotas = {"name": "small", "quotas": {"max_events_per_month": 1}}
        await server.request("PATCH", f"/accounts/{ACCOUNT}", json=quotas)
        return [(await push(server, url)).status for _ in range(2)]

    assert serve(tmp_path, use) == [202, 429]


def test_a_hook_tells_how_those_who_post_fare(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Any, Any]:
        made = await make(server)
        await push(server, made["url"])
        await push(server, made["url"], "another-secret")
        return made["stats"], (await server.request("GET", "/hooks/repo")).body["stats"]

    before, after = serve(tmp_path, use)

    assert (before["received"], before["refused"], before["last_refusal"]) == (0, 0, None)
    assert (after["received"], after["refused"]) == (1, 1)
    assert after["last_refusal"] == "expected a signature made with the hook's secret, got another"
    assert after["last_received_at"] == after["last_refused_at"] == "2026-01-01T00:00:00.000Z"


def test_lists_go_by_pages(tmp_path: Path) -> None:
    async def use(server: Served) -> list[str]:
        for number in range(5):
            await make(server, name=f"h{number}")
        names, path = [], "/hooks?limit=2"
        while True:
            page = (await server.request("GET", path)).body
            names += [row["name"] for row in page["data"]]
            if page["next_cursor"] is None:
                return names
            path = f"/hooks?limit=2&cursor={page['next_cursor']}"

    assert serve(tmp_path, use) == ["h4", "h3", "h2", "h1", "h0"]


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/hooks", {"json": GITHUB}, 409),
        ("POST", "/hooks", {"json": {"name": "x", "scheme": "gitlab"}}, 422),
        ("POST", "/hooks", {"data": b"{"}, 400),
        ("POST", "/hooks", {"json": GITHUB, "key": READER}, 403),
        ("GET", "/hooks/nobody", {}, 404),
        ("GET", "/hooks?limit=0", {}, 422),
        ("PATCH", "/hooks/repo", {"json": {"scheme": None}}, 422),
        ("PATCH", "/hooks/repo", {"json": {"scheme": "path"}}, 422),
        ("PATCH", "/hooks/repo", {"json": {"enabled": False}, "headers": {"If-Match": '"9"'}}, 412),
        ("DELETE", "/hooks/repo", {"headers": {"If-Match": '"9"'}}, 412),
        ("DELETE", "/hooks/repo", {"key": READER}, 403),
        ("PUT", "/hooks/acc_x/hok_x", {"data": b"{}"}, 405),
    ],
)
def test_what_is_refused(
    tmp_path: Path, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    async def use(server: Served) -> Answer:
        await make(server)
        return await server.request(method, path, **options)

    answer = serve(tmp_path, use)

    assert answer.status == status, answer.body
    assert SECRET not in str(answer.body)


def test_an_event_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, list[Any]]:
        url = (await make(server, type="{{ body.kind }}"))["url"]
        bad = await push(server, url, content={"kind": "not a type"})
        return bad, await events(server)

    bad, kept = serve(tmp_path, use)

    assert bad.status == 422
    assert [error["path"] for error in bad.body["errors"]] == ["type"]
    assert kept == []
