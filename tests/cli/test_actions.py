"""Commands about actions."""

import json
from pathlib import Path
from typing import Any

import pytest

from oncue import extend
from oncue.cli import main as cli
from tests.cli.shell import Shell


def test_actions_are_listed_and_shown(at: Any) -> None:
    async def use(shell: Shell) -> Any:
        return [
            await shell.run("actions", "list"),
            await shell.run("actions", "list", "--json"),
            await shell.run("actions", "show", "note"),
            await shell.run("actions", "show", "noted"),
        ]

    listed, as_json, shown, unknown = at(use)

    assert "Write a text down." in listed[1]
    assert {"note", "sms"} == {row["name"] for row in json.loads(as_json[1])}
    assert shown[1].startswith("note: Write a text down.\n")
    assert "text   yes" in shown[1]
    assert (unknown[0], "no action 'noted'; did you mean 'note'" in unknown[1]) == (1, True)


def test_the_template_is_not_copied_over_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["actions", "template", str(tmp_path)])

    assert ended.value.code == 1
    assert "expected a folder that does not exist yet" in capsys.readouterr().err


def test_what_packages_are_written_with_is_told_in_order() -> None:
    names = {name for name in vars(extend) if not name.startswith("_")}

    assert extend.__all__ == sorted(names)
