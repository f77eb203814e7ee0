"""Connections in a running OnCue: who goes with which, and where their secrets are."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, Simulators
from tests.running import Running, run_to_end, settings_for, up

PLANTED = "planted-secret-of-nobody-8421"
PASSWORD = "planted-password-7733"
KEYS = tuple(base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def _with_vendors(use: Callable[[Simulators], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Simulators() as vendors:
            return await use(vendors)

    return asyncio.run(main())


async def _ask(server: Running, method: str, path: str, body: Any = None, **headers: str) -> Any:
    async with server.session.request(method, path, json=body, headers=headers) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def _connect(server: Running, name: str, integration: str, **values: str) -> None:
    body = {"name": name, "integration": integration, "values": values}
    status, answer = await server.post("/connections", body)
    assert status == 201, answer


async def _run(server: Running, action: str, given: Any, **more: Any) -> Any:
    status, answer = await server.post(f"/actions/{action}/run", {"with": given, **more})
    assert status == 200, answer
    return answer


def test_a_step_goes_with_the_connection_that_it_names(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        vendors.hide("SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN")
        async with up(tmp_path, settings_for(vendors)) as server:
            await _connect(server, "hook", "slack", webhook_url=vendors.slack.webhook_url)
            await _connect(server, "bot", "slack", bot_token=vendors.slack.bot_token)
            message = {"id": "tell", "type": "action", "action": "send_slack_message"}
            status, saved = await server.post("/workflows", {
                "name": "tell",
                "on": {"type": "event", "event": "order.paid"},
                "steps": [
                    {**message, "connection": "bot",
                     "with": {"text": "paid", "channel": "#orders"}},
                    {**message, "id": "again", "with": {"text": "again"}, "on_error": "continue"},
                ],
            })  # fmt: skip
            assert status == 201
            assert saved["warnings"] == [{
                "path": "steps[1]",
                "message": "several connections for slack: name one of bot, hook, "
                "or make one the default",
            }]  # fmt: skip
            assert (await server.post("/events", {"type": "order.paid"}))[0] == 202
            execution = await server.only_execution("completed")
            assert [step["status"] for step in execution["steps"]] == ["completed", "failed"]
            assert "several connections" in execution["steps"][1]["error"]
            assert [effect["text"] for effect in vendors.slack.effects] == ["paid"]
            # The real call of a test posts nothing.
            _, tested = await server.post("/connections/hook/test", None)
            assert tested["ok"] is True, tested
            assert len(vendors.slack.effects) == 1
            status, refused = await _ask(server, "DELETE", "/connections/bot")
            assert status == 409
            assert "named by the workflows tell" in refused["detail"]
            assert (await _ask(server, "PATCH", "/connections/bot", {"name": "b"}))[0] == 409
            assert (await _ask(server, "DELETE", "/connections/bot?force=true"))[0] == 204
            flow, steps = "/workflows/tell", saved["steps"]
            assert (await _ask(server, "PATCH", flow, {"enabled": False}))[0] == 200
            steps = [{**steps[0], "connection": "bto"}]
            assert (await _ask(server, "PATCH", flow, {"steps": steps}))[0] == 422
            rows = (await server.get("/connections"))["data"]
            assert [row["name"] for row in rows] == ["hook"]
            # Now that there is one, whoever names none goes with it.
            assert "error" not in await _run(server, "send_slack_message", {"text": "by hook"})
            used = (await server.get("/connections/hook"))["last_used_at"]
            assert used is not None
            gone = await _run(server, "send_slack_message", {"text": "x"}, connection="hook")
            assert gone["request"]["url"].startswith("***")

    _with_vendors(use)


@pytest.mark.parametrize("shared", [False, True])
def test_vendor_variables_serve_the_first_account_unless_shared(
    tmp_path: Path,
    shared: bool,  # noqa: FBT001 pytest gives it
) -> None:
    async def use(vendors: Simulators) -> None:
        settings = {**settings_for(vendors), "ONCUE_SHARED_CONNECTIONS": str(shared).lower()}
        async with up(tmp_path, settings) as server:
            first = await _run(server, "send_slack_message", {"text": "first"})
            assert "error" not in first
            _, other = await server.post("/accounts", {"name": "acme"})
            bearer = {"Authorization": f"Bearer {other['api_key']}"}
            path, body = "/actions/send_slack_message/run", {"with": {"text": "other"}}
            status, answer = await _ask(server, "POST", path, body, **bearer)
            assert status == 200
            assert ("error" in answer) is not shared
            assert len(vendors.slack.effects) == 1 + shared

    _with_vendors(use)


def test_no_secret_is_in_any_file_answer_or_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def use(vendors: Simulators) -> list[Any]:
        data = tmp_path / "data"
        # A vendor that repeats what it was sent.
        vendors.hide("SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "HUBSPOT_API_KEY")
        answers: list[Any] = []
        async with up(data, settings_for(vendors)) as server:
            await _connect(server, "crm", "hubspot", api_key=PLANTED)
            await _connect(server, "bot", "slack", bot_token=PLANTED)
            await _connect(
                server, "shop", "database", url=f"postgresql://cue:{PASSWORD}@127.0.0.1:1/shop"
            )
            echo = Fixed(400, f"what is Bearer {PLANTED}?")
            vendors.slack.answer_next(echo, echo, echo)
            record = {"type": "contacts", "properties": {"email": f"{PLANTED}@example.com"}}
            answers += [
                await _run(server, "create_crm_record", record),
                await _run(server, "db_query", {"sql": "SELECT 1"}, connection="shop"),
                await _run(server, "send_slack_message", {"text": "x", "channel": "#c"}),
                await server.get("/connections"),
            ]
            for name in ("crm", "bot", "shop"):
                answers.append(await server.post(f"/connections/{name}/test", None))
            answers.append(await server.post("/connections", {
                "name": "bad", "integration": "slack", "values": {"bot_token": f"{PLANTED}\n"},
            }))  # fmt: skip
            await server.post("/workflows", {
                "name": "w", "on": {"type": "event", "event": "e"},
                "steps": [{"id": "s", "type": "action", "action": "send_slack_message",
                           "connection": "bot", "with": {"text": "x", "channel": "#c"}}],
            })  # fmt: skip
            await server.post("/events", {"type": "e"})
            execution = await server.only_execution("failed")
            assert "what is Bearer ***?" in execution["error"]
            answers.append(execution)
            answers.append(await server.get("/monitoring/audit"))
            assert await server.terminate() == 0
        assert [answer["error"] is not None for answer in answers[:3]] == [True] * 3
        return answers

    answers = _with_vendors(use)

    printed = "".join(capfd.readouterr())
    kept = b"".join(
        path.read_bytes() for path in sorted((tmp_path / "data").rglob("*")) if path.is_file()
    )
    for secret in (PLANTED, PASSWORD):
        # What stands in an action's own input is no credential: there it may stay.
        told = json.dumps(answers[1:])
        assert secret not in told
        assert secret not in printed
        assert secret.encode() not in kept
        assert secret.encode().hex().encode() not in kept
        assert base64.b64encode(secret.encode()) not in kept
    assert (tmp_path / "data" / "encryption.key").stat().st_mode & 0o777 == 0o600


def test_keys_are_rotated_and_the_old_one_is_taken_away(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        vendors.hide("SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN")
        settings = settings_for(vendors)
        old, fresh = KEYS

        async def sends(server: Running) -> bool:
            return "error" not in await _run(server, "send_slack_message", {"text": "x"})

        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": old}) as server:
            await _connect(server, "hook", "slack", webhook_url=vendors.slack.webhook_url)
            assert await sends(server)
        # Whoever takes it away too early is told, and nothing is lost.
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": fresh}) as server:
            row = await server.get("/connections/hook")
            assert row["locked"] is True
            assert "cannot be opened" in row["trouble"]
            answer = await _run(server, "send_slack_message", {"text": "x"})
            assert "connection 'hook' cannot be opened" in answer["error"]
            _, done = await server.post("/secrets/rotate", None)
            assert done["rotated"] == 0
            assert [one["name"] for one in done["locked"]] == ["hook"]
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": f"{fresh},{old}"}) as server:
            assert await sends(server)
            _, done = await server.post("/secrets/rotate", None)
            assert done == {"total": 1, "rotated": 1, "locked": []}
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": fresh}) as server:
            assert await sends(server)
            assert (await server.get("/connections/hook"))["version"] == 1

    _with_vendors(use)


def test_a_key_of_the_folder_still_opens_when_one_is_set(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        settings = settings_for(vendors)
        async with up(tmp_path, settings) as server:
            await _connect(server, "hook", "slack", webhook_url=vendors.slack.webhook_url)
        async with up(tmp_path, {**settings, "ENCRYPTION_KEY": KEYS[0]}) as server:
            assert (await server.get("/connections/hook"))["locked"] is False

    _with_vendors(use)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ENVIRONMENT": "production"}, "ENCRYPTION_KEY: expected a key with"),
        ({"ENCRYPTION_KEY": "short"}, "ENCRYPTION_KEY: expected base64 of 32 bytes"),
    ],
)
def test_without_a_key_that_is_one_it_does_not_start(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    code, output = asyncio.run(run_to_end(tmp_path, settings, "--port", "0"))

    assert code == 1
    assert words in output
    assert "Traceback" not in output
    assert not (tmp_path / "encryption.key").exists()


def test_google_is_asked_with_a_token_that_was_fetched(tmp_path: Path) -> None:
    async def use(vendors: Simulators) -> None:
        vendors.hide("GOOGLE_CALENDAR_TOKEN")
        token = vendors.credentials("google_calendar")
        assert "token" not in token
        async with up(tmp_path, settings_for(vendors)) as server:
            await _connect(
                server, "calendar", "google_calendar",
                client_id="id", client_secret=PLANTED, refresh_token=f"{PASSWORD}-refresh",
                token_url=f"{vendors.http.base_url}/token",
            )  # fmt: skip
            meeting = {"title": "t", "start": "2026-11-23T09:00:00Z", "duration": "30m"}
            answer = await _run(server, "schedule_meeting", meeting)
            assert "no access token" in answer["error"]
            assert PLANTED not in json.dumps(answer)
            given: Json = {"access_token": vendors.google_calendar.token, "expires_in": 3_600}
            vendors.http.answer_next(Fixed(200, given))
            for _ in range(2):
                answer = await _run(server, "schedule_meeting", meeting)
                assert answer["output"]["id"]
            # One that gave none, and one for both meetings.
            assert [call.path for call in vendors.http.calls] == ["/token", "/token"]

    _with_vendors(use)
