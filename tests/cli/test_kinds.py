"""`validate`, `apply` and `export` know every kind of pattern."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from oncue.cli.documents import problems_in, read_all, read_documents
from oncue.cli.remote import CommandError
from oncue.core.pattern.templates import TEMPLATES
from tests.cli.shell import Shell

WRONG = """\
kind: pattern
name: wrong
pattern:
{pattern}
"""


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def test_every_template_is_applied_and_exported(at: Any, tmp_path: Path) -> None:
    documents = [{"kind": "pattern", **template} for template in TEMPLATES]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))

    async def use(shell: Shell) -> Any:
        applied = await shell.run("apply", str(tmp_path / "all.yaml"))
        _, exported = await shell.run("export")
        (tmp_path / "exported.yaml").write_text(exported)
        return applied, await shell.run("apply", str(tmp_path / "exported.yaml"))

    (first, _), (second, again) = at(use)

    assert (first, second) == (0, 0)
    assert again.splitlines() == [f"unchanged pattern {template['name']}" for template in TEMPLATES]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param(
            "type: threshold\nevent: a\nvalue: 3\nwindow: 5m\nclear:\n  '>': 2",
            "9: pattern.clear.>: expected < or <= to end what '>=' begins",
            id="threshold",
        ),
        pytest.param(
            "type: sequence\nwithin: 1h\nsteps:\n- {event: a}\n- {event: b, within: 2h}",
            "8: pattern.steps[1].within: expected at most the time of the whole sequence",
            id="sequence",
        ),
        pytest.param(
            "type: anomaly\nevent: a\nvalue: event.data.ms\nmethod: mad\nhalf_life: 10m",
            "8: pattern.half_life: expected it with ewma or seasonal, got 'mad'",
            id="anomaly",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, pattern: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG.format(pattern=_indented(pattern)))
    (document,) = read_documents(path)

    assert [document.told(one) for one in problems_in(document)] == [f"{path}:{said}"]


def test_a_name_in_the_wrong_place_is_not_suggested_again(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("name: wrong\nwindow: 5m\npattern: {type: event, event: a}\n")
    (document,) = read_documents(path)

    assert [document.told(one) for one in problems_in(document)] == [
        f"{path}:2: window: expected no such field, got 'window'"
    ]


def test_empty_documents_are_none_and_what_is_no_object_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("kind: variable\nname: a\nvalue: 1e3\n---\n---\nkind: secret\nname: B\n---\n")
    bad.write_text("kind: secret\nname: B\n---\njust text\n")

    found = read_documents(good)

    assert [(document.kind, document.line_of("name")) for document in found] == [
        ("variable", 2),
        ("secret", 7),
    ]
    assert found[0].content["value"] == 1000
    with pytest.raises(CommandError) as caught:
        read_all([bad, good, tmp_path / "none.yaml"])
    assert str(caught.value).splitlines() == [
        f"{bad}: document 2: expected an object, got 'just text'",
        f"{tmp_path / 'none.yaml'}: No such file or directory",
    ]
