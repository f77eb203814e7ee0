"""Every action has an example under examples/actions, and a test that `oncue test` runs."""

from pathlib import Path

import pytest

from oncue.actions import ACTIONS
from oncue.cli import main as cli
from oncue.core.action import AnyAction

FOLDER = Path(__file__).parents[2] / "examples" / "actions"
TESTS = sorted(FOLDER.glob("*.test.yaml"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.removesuffix(".test.yaml"))
def test_the_example_does_what_its_test_says(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["test", str(path)])

    assert (ended.value.code, capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.removesuffix(".test.yaml"))
def test_the_example_uses_the_action_that_it_is_named_for(path: Path) -> None:
    name = path.name.removesuffix(".test.yaml")

    assert name in {action.name for action in ACTIONS}
    assert f"action: {name}\n" in (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_an_example_with_its_test(action: AnyAction) -> None:
    assert FOLDER / f"{action.name}.test.yaml" in TESTS
