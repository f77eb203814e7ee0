"""The tree tells the story: tests lie where their subjects do, and accounts come first."""

import inspect
from typing import Any

import pytest

from oncue import ports
from tests.architecture.rules import ROOT

# Tests of the whole, which no one folder of the source is the subject of.
OF_THE_WHOLE = {"architecture", "conformance", "docs", "scenarios", "browser"}
PORTS = [
    ports.EventLog,
    ports.Journal,
    ports.History,
    ports.Accounts,
    ports.Catalog,
    ports.Patterns,
    ports.Schedules,
    ports.Answers,
    ports.Connections,
    ports.KeyValues,
    ports.Actions,
]
# What the machine itself asks, over all accounts; `api_key` finds out which account is asking.
OVER_ALL_ACCOUNTS = {
    "EventLog.subscribe",
    "Journal.cursors",
    "Journal.unfinished",
    "Journal.timers_before",
    "Journal.outbox",
    "Accounts.all",
    "Accounts.ids",
    "Accounts.account",
    "Accounts.add",
    "Accounts.change",
    "Accounts.api_key",
    "Patterns.unannounced",
    "Schedules.due",
    "Schedules.next_due_ms",
    "Schedules.adrift",
}
MAX_CONFTEST_LINES = 60


def methods(port: type[Any]) -> dict[str, list[str]]:
    """Return the parameters of each method of a port."""
    return {
        f"{port.__name__}.{name}": list(inspect.signature(method).parameters)[1:]
        for name, method in vars(port).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }


def test_tests_lie_where_their_subjects_do() -> None:
    tests, source = ROOT / "tests", ROOT / "src" / "oncue"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    strays = [
        f"tests/{folder}: no src/oncue/{folder}"
        for folder in sorted(folders)
        if folder.parts and folder.parts[0] not in OF_THE_WHOLE and not (source / folder).is_dir()
    ]

    assert strays == []


def test_shared_fixtures_stay_few() -> None:
    long = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("tests/**/conftest.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_CONFTEST_LINES
    ]

    assert long == []


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_the_account_is_the_first_parameter(port: type[Any]) -> None:
    without = [
        f"{name}: expected account first, got {', '.join(parameters) or 'nothing'}"
        for name, parameters in methods(port).items()
        if parameters[:1] != ["account"] and name not in OVER_ALL_ACCOUNTS
    ]

    assert without == []


def test_what_is_named_over_all_accounts_exists() -> None:
    names = {name for port in PORTS for name in methods(port)}

    assert OVER_ALL_ACCOUNTS - names == set()
