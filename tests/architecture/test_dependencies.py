"""What is imported is named, what is named is used, and the locks hold all of it, by hash."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.rules import ROOT, Source

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
# Found at run time by a library that is imported: uvicorn, SQLAlchemy, zoneinfo.
FOUND_AT_RUN_TIME = {"httptools", "aiosqlite", "tzdata"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def canonical(name: str) -> str:
    """Return the name of a distribution as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    """Return the distributions that requirements name."""
    return {canonical(re.split(r"[^A-Za-z0-9_.-]", text, maxsplit=1)[0]) for text in requirements}


def pins(lock: str) -> dict[str, str]:
    """Return the version of each distribution in a lock."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {canonical(name): version for name, version in found}


def imported(source: Source) -> set[str]:
    """Return the top-level packages that a source imports, without our own and Python's."""
    names: set[str] = set()
    for node in source.nodes:
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name.split(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"oncue"}


def imported_distributions() -> set[str]:
    """Return the distributions that the shipped code imports."""
    owners = packages_distributions()
    modules = {
        name for path in ROOT.glob("src/oncue/**/*.py") for name in imported(Source.read(path))
    }
    return {canonical(owner) for module in modules for owner in owners.get(module, [module])}


RUNTIME = named(PROJECT["project"]["dependencies"])
EXTRAS = named(
    [one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra]
)
DEVELOPERS = named(PROJECT["dependency-groups"]["dev"])


def test_what_is_imported_is_named() -> None:
    arriving_with_others = {"pydantic-core"}  # pydantic's own

    assert imported_distributions() - RUNTIME - EXTRAS - arriving_with_others == set()


def test_what_is_named_is_imported() -> None:
    assert (RUNTIME | EXTRAS) - imported_distributions() == FOUND_AT_RUN_TIME


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_carry_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    unhashed = [block for block in blocks if "==" in block and "--hash=sha256:" not in block]

    assert unhashed == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_the_locks_are_as_new_as_the_project() -> None:
    assert RUNTIME - set(pins("requirements.lock")) == set()
    assert (RUNTIME | EXTRAS | DEVELOPERS) - set(pins("requirements-dev.lock")) == set()


def test_developers_have_what_users_have() -> None:
    developers = pins("requirements-dev.lock")

    assert {name: developers.get(name) for name in pins("requirements.lock")} == pins(
        "requirements.lock"
    )


def test_building_needs_what_developers_have_locked() -> None:
    wanted = named(PROJECT["build-system"]["requires"])
    built, developers = pins("requirements-build.lock"), pins("requirements-dev.lock")

    assert wanted <= DEVELOPERS & built.keys()
    assert built == {name: developers[name] for name in built}


def test_what_a_requirement_names() -> None:
    assert named(["SQLAlchemy[asyncio]>=2", "google_re2==1 ; x", "rich"]) == {
        "sqlalchemy",
        "google-re2",
        "rich",
    }


def test_what_a_source_imports() -> None:
    text = "import os, yaml.nodes\nfrom werkzeug import Local\nfrom .x import y\nimport oncue"

    assert imported(Source("place.py", text)) == {"yaml", "werkzeug"}
