"""`oncue connections`, connections as documents, and what `doctor` says of keys."""

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from oncue.cli.doctor_keys import look_at_keys
from oncue.cli.findings import Verdict
from oncue.core.encryption_keys import EncryptionKey
from oncue.settings import Environment, Settings
from tests.cli.shell import Shell
from tests.server import READER

SECRET = "xoxb-planted-secret-5678"
OWN_KEY = EncryptionKey.of(b"an encryption key of this test..")


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_connection_is_set_from_stdin_changed_listed_and_deleted(
    at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shell: Shell) -> None:
        _type(monkeypatch, f"bot_token={SECRET}\n")
        code, told = await shell.run("connections", "set", "alerts", "--integration", "slack")
        assert (code, told) == (0, "alerts, version 1: ready\n")
        _type(monkeypatch, json.dumps({"base_url": "https://slack.example"}))
        code, told = await shell.run("connections", "set", "alerts", "--default", "--json")
        assert json.loads(told)["default"] is True
        assert json.loads(told)["values"] == {
            "bot_token": "••••5678", "base_url": "https://slack.example",
        }  # fmt: skip
        code, told = await shell.run("connections", "list")
        assert "alerts" in told
        assert "ready" in told
        assert "never" in told
        code, told = await shell.run("connections", "test", "alerts")
        assert code == 1
        assert "there is no world outside of a test" in told
        code, told = await shell.run("secrets", "rotate")
        assert (code, told) == (0, "0 of 1 encrypted anew\n")
        assert await shell.run("connections", "delete", "alerts") == (0, "deleted alerts\n")
        assert json.loads((await shell.run("connections", "list", "--json"))[1]) == []

    at(use)


@pytest.mark.parametrize(
    ("words", "typed", "told"),
    [
        (("alerts",), "", "expected --integration out of ai, apprise, database"),
        (("alerts", "--integration", "slack"), SECRET, "expected name=value on line 1"),
        (("alerts", "--integration", "slack"), "{" + SECRET, "expected an object of JSON"),
        (("alerts", "--integration", "slack"), f"token={SECRET}", "values.token"),
    ],
)
def test_what_cannot_be_set_is_told_without_the_secret(
    at: Any, monkeypatch: pytest.MonkeyPatch, words: Any, typed: str, told: str
) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        _type(monkeypatch, typed)
        return await shell.run("connections", "set", *words)

    code, printed = at(use)

    assert code == 1
    assert told in printed
    assert SECRET not in printed


def test_export_and_apply_are_a_round_trip_without_secrets(
    at: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = {
        "kind": "connection", "name": "alerts", "integration": "slack",
        "values": {"bot_token": SECRET, "base_url": "https://slack.example"},
    }  # fmt: skip

    async def use(shell: Shell) -> None:
        file = tmp_path / "connection.yaml"
        file.write_text(json.dumps(document))
        assert (await shell.run("validate", str(file)))[0] == 0
        code, told = await shell.run("apply", str(file))
        assert code == 0
        assert told.startswith("created connection alerts")
        assert (await shell.run("apply", str(file)))[1] == "unchanged connection alerts\n"
        _, exported = await shell.run("export")
        assert SECRET not in exported
        assert "••••" not in exported
        assert "base_url: https://slack.example" in exported
        file.write_text(exported)
        # Without values the secrets stay.
        assert (await shell.run("apply", str(file)))[1] == "unchanged connection alerts\n"
        await shell.run("connections", "delete", "alerts")
        code, told = await shell.run("apply", str(file))
        assert "created connection alerts" in told
        assert "warning: values: connection 'alerts' lacks webhook_url or bot_token" in told
        assert (await shell.run("export"))[1] == exported

    at(use)


def test_whoever_is_no_admin_exports_the_rest(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        monkeypatch.setenv("ONCUE_API_KEY", READER)
        return await shell.run("export")

    code, told = at(use)

    assert code == 0
    assert "connections are left out" in told


def test_a_document_that_means_nothing_is_told_by_line(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> tuple[int, str]:
        file = tmp_path / "connection.yaml"
        file.write_text(
            f"kind: connection\nname: alerts\nintegration: slack\nvalues:\n  bot_tokne: {SECRET}\n"
        )
        return await shell.run("validate", str(file))

    code, told = at(use)

    assert code == 1
    assert "connection.yaml:5: values.bot_tokne:" in told
    assert SECRET not in told


def test_doctor_names_what_no_key_opens(at: Any, tmp_path: Path) -> None:
    async def use(shell: Shell) -> None:
        for name in ("one", "two"):
            body = {"name": name, "integration": "slack", "values": {"bot_token": SECRET}}
            await shell.server.request("POST", "/connections", json=body)

    at(use)
    text = {
        "own": base64.b64encode(OWN_KEY.secret).decode(),
        "other": "another key of sixteen and more",
    }

    def look(*keys: str) -> list[tuple[Verdict, str]]:
        joined = ",".join(text[key] for key in keys)
        settings = Settings.of({"ENCRYPTION_KEY": joined, "ONCUE_DATA": tmp_path / "data"})
        return [(finding.verdict, finding.found) for finding in look_at_keys(settings)]

    assert look("own") == [(Verdict.GOOD, "the first key opens 2 connections")]
    assert look("other", "own") == [
        (Verdict.NOTE, "2 of 2 connections wait for `oncue secrets rotate`")
    ]
    assert [verdict for verdict, _ in look("other")] == [Verdict.WRONG, Verdict.WRONG]
    assert {name for _, found in look("other") for name in ("'one'", "'two'") if name in found} == {
        "'one'", "'two'",
    }  # fmt: skip
    assert all(OWN_KEY.id.hex() in found for _, found in look("other"))
    assert all("there is no key" in found for _, found in look())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ENVIRONMENT": Environment.PRODUCTION}, "no ENCRYPTION_KEY"),
        ({"ENCRYPTION_KEY": "short"}, "ENCRYPTION_KEY: expected base64 of 32 bytes"),
    ],
)
def test_doctor_says_what_is_wrong_with_the_keys(
    tmp_path: Path, values: dict[str, object], words: str
) -> None:
    settings = Settings.of({"ONCUE_DATA": tmp_path, **values})

    (finding,) = look_at_keys(settings)

    assert finding.verdict is Verdict.WRONG
    assert finding.found.startswith(words)
    assert finding.remedy
