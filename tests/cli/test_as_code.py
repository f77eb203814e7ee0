"""`oncue apply`, `diff` and `export`: definitions in files."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from oncue.core.yaml_text import YamlLoader
from tests.cli.shell import Shell

DOCUMENTS = """\
kind: hook
name: repository
scheme: github
---
kind: pattern
name: big
workflow: greet
pattern: {type: event, event: order.paid}
---
kind: workflow
name: greet
on: {type: schedule, every: 1h}
steps:
  - {id: say, type: transform, output: "{{ vars.greeting }}"}
---
kind: variable
name: greeting
value: "on: #1 – yes"
---
kind: secret
name: KEY
---
kind: schedule
name: nightly
cron: "30 2 * * *"
"""


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_export_and_apply_are_a_round_trip_over_a_pipe(
    at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "all.yaml").write_text(DOCUMENTS)
    (tmp_path / "git" / "all.test.yaml").write_text("{kind: test, name: t, given: [all.yaml]}\n")
    (tmp_path / "git" / "notes.txt").write_text("no document")

    async def use(shell: Shell) -> tuple[Any, ...]:
        first = await shell.run("apply", str(tmp_path / "git"))
        _, exported = await shell.run("export")
        _type(monkeypatch, exported)
        again = await shell.run("apply", "-")
        _type(monkeypatch, exported)
        same = await shell.run("diff", "-")
        return first, exported, again, same

    first, exported, again, same = at(use)

    assert first[0] == 0
    assert sorted(line for line in first[1].splitlines() if line.startswith("created")) == [
        "created hook repository",
        "created pattern big",
        "created schedule nightly",
        "created secret KEY",
        "created variable greeting",
        "created workflow greet",
    ]
    assert "warning: secret 'KEY' has no value yet" in first[1]
    by_kind = {document["kind"]: document for document in yaml.load_all(DOCUMENTS, YamlLoader)}
    assert {document["kind"]: document for document in yaml.safe_load_all(exported)} == by_kind
    assert {line.split()[0] for line in again[1].splitlines()} == {"unchanged"}
    assert same == (0, "")


def test_a_difference_is_shown_and_nothing_saved(at: Any, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("{kind: variable, name: limit, value: {gold: 3, silver: 2}}\n")

    async def use(shell: Shell) -> tuple[Any, ...]:
        await shell.run("apply", str(file))
        file.write_text(
            "{kind: variable, name: limit, value: {gold: 4, silver: 2}}\n"
            "---\n{kind: secret, name: KEY}\n"
        )
        differs = await shell.run("diff", str(file))
        _, exported = await shell.run("export")
        return differs, exported

    (code, told), exported = at(use)

    assert code == 1
    assert told == (
        "--- variable limit (now)\n"
        "+++ variable limit (then)\n"
        "@@ -1,5 +1,5 @@\n"
        " kind: variable\n"
        " name: limit\n"
        " value:\n"
        "-  gold: 3\n"
        "+  gold: 4\n"
        "   silver: 2\n"
        "--- /dev/null\n"
        "+++ secret KEY (then)\n"
        "@@ -0,0 +1,2 @@\n"
        "+kind: secret\n"
        "+name: KEY\n"
    )
    assert "gold: 3" in exported
    assert "KEY" not in exported


def test_what_is_wrong_is_told_by_file_and_line(at: Any, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{kind: variable, name: a, value: 1}\n")
    (tmp_path / "b.yaml").write_text(
        "kind: variable\nname: b\nvalue: 1\n---\nkind: pattern\nname: p\nworkflow: nobody\n"
        "pattern: {type: event, event: a}\n"
    )

    async def use(shell: Shell) -> tuple[Any, ...]:
        applied = await shell.run("apply", str(tmp_path))
        differs = await shell.run("diff", str(tmp_path))
        return applied, differs, (await shell.run("export"))[1]

    applied, differs, exported = at(use)

    place = f"{tmp_path / 'b.yaml'}:7: workflow: expected a workflow of this account, got 'nobody'"
    assert applied == (1, f"{place}\nnothing was saved\n")
    assert differs == (2, f"{place}\n")
    assert exported == ""


def test_no_documents_change_nothing(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(shell: Shell) -> tuple[Any, ...]:
        _type(monkeypatch, "")
        return await shell.run("apply", "-"), await shell.run("apply")

    nothing, none = at(use)

    assert nothing == (0, "")
    assert none[0] == 1
    assert "expected files, folders or -, got none" in none[1]
