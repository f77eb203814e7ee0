"""Packages found by their entry points: what they do wrong keeps out themselves, and nothing else."""

import asyncio
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.integrations import INTEGRATIONS
from oncue.actions.packages import GROUP, Available, with_packages
from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.testing.trial import try_action

HEAD = """\
from datetime import date
from pydantic import BaseModel
from oncue.extend import *

class Words(BaseModel):
    text: str

async def perform(call):
    {body}

def action(name, **more):
    return Action(name=name, summary="Say it.", integration="words", category="words",
                  input=Words, output=Words, idempotency=Idempotency.NONE,
                  example={{"text": "x"}}, perform=perform, **more)

"""
SAID = 'CONTENTS = (action("say"),)'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what installs modules: their texts by their names."""

    def make(attribute: str = "CONTENTS", body: str = "return {}", **modules: str) -> Available:
        folder = tmp_path / str(len([*tmp_path.iterdir()]))
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(HEAD.format(body=body) + text)
        return with_packages(
            EntryPoint(name, f"{name}:{attribute}", GROUP) for name in reversed(modules)
        )

    return make


def test_without_packages_there_is_what_oncue_brings() -> None:
    assert with_packages([]) == Available(ACTIONS, INTEGRATIONS)


def test_a_package_adds_its_actions(install: Any) -> None:
    found = install(pack_one=SAID)

    assert found.refused == ()
    assert [(one.name, one.package) for one in found.actions[len(ACTIONS) :]] == [
        ("say", "pack_one:CONTENTS")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("import nothing_of_this_name", "ModuleNotFoundError: No module", id="import"),
        pytest.param("1 +", "SyntaxError", id="syntax"),
        pytest.param("raise SystemExit(3)", "SystemExit: 3", id="an end of the process"),
        pytest.param("class E(Exception): ...\nraise E('x')", "E: x", id="an error of its own"),
        pytest.param("", "AttributeError", id="no such attribute"),
        pytest.param("CONTENTS = 3", "expected a tuple of actions, got a int", id="no tuple"),
        pytest.param('CONTENTS = (action("send_email"),)', "OnCue's own", id="a name of ours"),
        pytest.param('CONTENTS = (action("s", needs=(Need("k"),)),)', "integration", id="needs"),
    ],
)
def test_what_is_wrong_keeps_out_the_package_only(install: Any, text: str, told: str) -> None:
    name = f"pack_{abs(hash(text))}"
    found = install(**{name: text, f"{name}_good": SAID})

    (refused,) = found.refused
    assert refused.package == f"{name}:CONTENTS"
    assert told in str(refused)
    assert [one.name for one in found.actions] == [*(one.name for one in ACTIONS), "say"]


def test_of_two_packages_with_one_name_the_first_by_name_is_taken(install: Any) -> None:
    found = install(pack_b=SAID, pack_a=SAID)

    assert [one.name for one in found.packages] == ["pack_a:CONTENTS"]
    assert str(found.refused[0]) == (
        "pack_b:CONTENTS: action 'say': expected a name of its own, got one of pack_a:CONTENTS"
    )


def _try(found: Available, credentials: dict[str, str]) -> Json:
    return asyncio.run(try_action(found.actions[-1], {"text": "x"}, credentials))


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ("return Words(text='a')", {"text": "a"}),
        ("return {'day': date(2026, 1, 2), 'all': (1, 2)}", {"day": "2026-01-02", "all": [1, 2]}),
        ("return None", None),
    ],
)
def test_whatever_it_gives_becomes_json(install: Any, body: str, output: Json) -> None:
    name = f"pack_{abs(hash(body))}"

    assert _try(install(body=body, **{name: SAID}), {}) == output


def test_what_is_no_json_fails_the_attempt(install: Any) -> None:
    with pytest.raises(PermanentError, match="expected JSON of say, got something else"):
        _try(install(body="return object()", pack_object=SAID), {})


def test_a_bug_of_any_kind_is_told_without_secrets(install: Any) -> None:
    body = "raise type('Own', (Exception,), {})(f'cannot use {call.credentials[\"key\"]}')"
    found = install(body=body, pack_bug=SAID)

    with pytest.raises(RuntimeError) as caught:
        _try(found, {"key": "secret-of-nobody"})

    assert str(caught.value) == "Own: cannot use ***"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_errors_that_mean_something_pass(install: Any) -> None:
    with pytest.raises(PermanentError, match="no such thing"):
        _try(install(body="raise PermanentError('no such thing')", pack_error=SAID), {})
