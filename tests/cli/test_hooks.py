"""`oncue hooks`, and what `doctor` says of them."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from oncue.cli.doctor_hooks import look_at_hooks
from oncue.cli.findings import Verdict
from oncue.settings import Settings
from tests.cli.shell import Shell
from tests.installation import ACCOUNT
from tests.server import Served, serve
from tests.web.hooked import make


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_hook_is_made_listed_shown_and_deleted(at: Any) -> None:
    async def use(shell: Shell) -> None:
        code, told = await shell.run("hooks", "create", "repo", "github", "--type", "repo.pushed")
        url, secret = told.splitlines()
        assert code == 0
        assert url.startswith(f"http://oncue.example/hooks/{ACCOUNT}/hok_")
        assert secret.startswith("secret, shown once: ")
        shown = (await shell.run("hooks", "show", "repo"))[1]
        assert url in shown
        assert "repo.pushed" in shown
        assert secret.rpartition(" ")[2] not in shown
        assert "since the start: 0 received, 0 refused" in shown
        assert url in (await shell.run("hooks", "list"))[1]
        assert await shell.run("hooks", "delete", "repo") == (0, "deleted repo\n")
        assert json.loads((await shell.run("hooks", "list", "--json"))[1]) == []

    at(use)


def test_a_secret_comes_from_stdin_and_the_one_before_may_stay(
    at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shell: Shell) -> None:
        told = (await shell.run("hooks", "create", "pay", "stripe"))[1]
        assert "warning: hook 'pay' has no secret yet" in told
        _type(monkeypatch, "whsec_the-first-one\n")
        assert await shell.run("hooks", "secret", "pay") == (0, "pay, version 2: ready\n")
        _type(monkeypatch, "whsec_the-second-one\n")
        assert (await shell.run("hooks", "secret", "pay", "--keep"))[0] == 0
        shown = json.loads((await shell.run("hooks", "show", "pay", "--json"))[1])
        assert shown["secret"] == ["••••-one", "••••-one"]
        row = await shell.server.world.engine.hooks.find(ACCOUNT, "pay")
        kept = shell.server.world.engine.hooks.secrets.of(ACCOUNT, row)
        assert kept == ("whsec_the-second-one", "whsec_the-first-one")

    at(use)


def test_a_secret_path_is_in_its_url(at: Any) -> None:
    async def use(shell: Shell) -> None:
        (url,) = (await shell.run("hooks", "create", "in", "path"))[1].splitlines()
        assert len(url.rpartition("/")[2]) == 43

    at(use)


def test_a_workflow_with_a_hook_is_applied_and_exported(at: Any, tmp_path: Path) -> None:
    file = tmp_path / "pushed.yaml"
    file.write_text(
        "kind: workflow\nname: pushed\non: {type: hook, scheme: github}\n"
        "steps: [{id: ref, type: transform, expr: event.data.ref}]\n"
    )

    async def use(shell: Shell) -> None:
        created, url, secret = (await shell.run("apply", str(file)))[1].splitlines()
        assert created == "created workflow pushed"
        assert url.startswith(f"  pushed: http://oncue.example/hooks/{ACCOUNT}/hok_")
        assert secret.startswith("  secret of pushed, shown once: ")
        assert await shell.run("apply", str(file)) == (0, "unchanged workflow pushed\n")
        exported = (await shell.run("export"))[1]
        assert "type: hook" in exported
        assert "hok_" not in exported
        (tmp_path / "exported.yaml").write_text(exported)
        assert (await shell.run("apply", str(tmp_path / "exported.yaml")))[
            1
        ] == "unchanged workflow pushed\n"

    at(use)


@pytest.mark.parametrize(
    ("public_url", "verdict", "found"),
    [
        ("", Verdict.NOTE, "1 hook, and no ONCUE_PUBLIC_URL"),
        ("http://localhost:8787", Verdict.NOTE, "only this machine gets there"),
        ("http://127.0.0.1", Verdict.NOTE, "only this machine gets there"),
        ("https://oncue.example.com", Verdict.GOOD, "1 hook at https://oncue.example.com"),
    ],
)
def test_doctor_says_whether_hooks_can_be_reached(
    tmp_path: Path, public_url: str, verdict: Verdict, found: str
) -> None:
    serve(tmp_path, make)

    (finding,) = look_at_hooks(Settings.of({"data": tmp_path, "public_url": public_url}))

    assert finding.verdict is verdict
    assert found in finding.found


def test_doctor_says_nothing_where_there_are_no_hooks(tmp_path: Path) -> None:
    async def use(_: Served) -> None:
        pass

    serve(tmp_path, use)

    assert [*look_at_hooks(Settings.of({"data": tmp_path}))] == []
    assert [*look_at_hooks(Settings.of({"data": tmp_path / "none"}))] == []
