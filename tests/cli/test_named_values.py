"""`oncue secrets` and `oncue variables`."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.make import make_call, make_document

VALUE = "planted-secret-5678"


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_secret_is_read_from_stdin_and_never_told(
    at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shell: Shell) -> None:
        _type(monkeypatch, f"{VALUE}\n")
        told = await shell.run("secrets", "set", "KEY", "--description", "of the shop")
        assert told == (0, "KEY, version 1\n")
        _type(monkeypatch, VALUE)
        assert await shell.run("secrets", "set", "KEY") == (0, "KEY, version 1\n")
        _type(monkeypatch, f"{VALUE}-2")
        assert await shell.run("secrets", "set", "KEY") == (0, "KEY, version 2\n")
        kept = shell.server.world.parts.secrets
        row = (await kept.by_name("acc_test"))["KEY"]
        assert kept.open("acc_test", row) == f"{VALUE}-2"
        _, listed = await shell.run("secrets", "list", "--json")
        assert json.loads(listed)[0]["description"] == "of the shop"
        assert VALUE not in listed
        assert "ready" in (await shell.run("secrets", "list"))[1]
        _type(monkeypatch, "abc")
        code, told_ = await shell.run("secrets", "set", "KEY")
        assert code == 1
        assert "value: expected at least 4 characters, got 3" in told_
        assert await shell.run("secrets", "rotate") == (0, "0 of 1 encrypted anew\n")
        assert await shell.run("secrets", "delete", "KEY") == (0, "deleted KEY\n")

    at(use)


def test_a_variable_is_json_or_else_text(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(shell: Shell) -> list[Any]:
        for name, value in (("a", "5"), ("b", '"5"'), ("c", "eu-west"), ("d", '{"x": null}')):
            assert (await shell.run("variables", "set", name, value))[0] == 0
        _type(monkeypatch, "[1, 2]\n")
        assert await shell.run("variables", "set", "e") == (0, "e, version 1\n")
        assert "eu-west" in (await shell.run("variables", "list"))[1]
        rows = json.loads((await shell.run("variables", "list", "--json"))[1])
        document = make_document(steps=[make_call("s", **{"with": {"text": "{{ vars.c }}"}})])
        await shell.server.request("POST", "/workflows", json=document)
        code, told = await shell.run("variables", "delete", "c")
        assert code == 1
        assert "is read by the workflows greet" in told
        assert (await shell.run("variables", "delete", "c", "--force"))[0] == 0
        return sorted((row["name"], row["value"]) for row in rows)

    assert at(use) == [("a", 5), ("b", "5"), ("c", "eu-west"), ("d", {"x": None}), ("e", [1, 2])]


def test_automation_tests_have_variables_and_made_up_secrets(at: Any, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        """\
kind: variable
name: host
value: shop.example
---
kind: secret
name: KEY
---
name: tell
on: {type: event, event: order.paid}
steps:
  - id: call
    type: webhook
    url: "https://{{ vars.host }}/orders"
    headers: {Authorization: "Bearer {{ secrets.KEY }}"}
"""
    )
    (tmp_path / "all.test.yaml").write_text(
        """\
kind: test
name: the shop is told
given: [all.yaml]
events: [{type: order.paid}]
expect:
  calls:
    - vendor: webhook
      where: "call.host == 'shop.example' && call.headers.authorization == 'Bearer simulated-KEY'"
"""
    )

    async def use(shell: Shell) -> tuple[int, str]:
        return await shell.run("test", str(tmp_path))

    code, told = at(use)

    assert code == 0, told
