"""The laws of the house over every file of ours, and proof that each law can be broken."""

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.architecture import rules
from tests.architecture.rules import ROOT, Rule, Source


def read(*patterns: str) -> list[Source]:
    return [Source.read(path) for pattern in patterns for path in sorted(ROOT.glob(pattern))]


SHIPPED = read("src/oncue/**/*.py")
CORE = read("src/oncue/core/**/*.py")
STORE = read("src/oncue/store/**/*.py")
TESTS = read("tests/**/*.py")
WRITTEN = [*SHIPPED, *TESTS, *read("bench/**/*.py", "scripts/**/*.py")]

# What is compiled there is made from a checked tree, never from text.
COMPILER = "src/oncue/core/expression/compiler.py"
SYSTEM = "src/oncue/system.py"
# The live source of the demo is not the same every day.
DEMO = "src/oncue/cli/demo.py"
# These tell the user which variables of the environment nobody reads.
UP = "src/oncue/cli/up.py"
DOCTOR = "src/oncue/cli/doctor.py"
PORTS = {str(path.relative_to(ROOT)) for path in ROOT.glob("src/oncue/ports/[!_]*.py")}
# Here the words that are looked for stand as words.
RULES = "tests/architecture/rules.py"
HERE = "tests/architecture/test_house_rules.py"

LAWS: dict[Rule, tuple[Sequence[Source], set[str]]] = {
    rules.long_modules: (WRITTEN, set()),
    rules.silent_modules: (WRITTEN, set()),
    rules.long_functions: (WRITTEN, set()),
    rules.large_classes: (WRITTEN, set()),
    rules.empty_names: (WRITTEN, set()),
    rules.left_overs: (WRITTEN, set()),
    rules.banners: (WRITTEN, set()),
    rules.narration: (WRITTEN, set()),
    rules.mocks: (WRITTEN, set()),
    rules.run_text: (SHIPPED, {COMPILER}),
    rules.own_clocks: (SHIPPED, {SYSTEM}),
    rules.own_chance: (SHIPPED, {SYSTEM, DEMO}),
    rules.own_environment: (SHIPPED, {UP, DOCTOR}),
    rules.stray_protocols: (SHIPPED, PORTS),
    rules.unexplained_excuses: (SHIPPED, set()),
    rules.coroutines: (CORE, set()),
    rules.shared_tables: (STORE, set()),
    rules.sleeping: (TESTS, set()),
}

BAD: list[tuple[Rule, str]] = [
    (rules.long_modules, "\n" * 601),
    (rules.silent_modules, "x = 1"),
    (rules.long_functions, "def f():\n" + "    x = 1\n" * 41),
    (rules.long_functions, "async def f():\n" + "    x = 1\n" * 41),
    (rules.large_classes, "class C:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(13))),
    (rules.empty_names, "def handle_event(): ..."),
    (rules.empty_names, "async def do_it(): ..."),
    (rules.empty_names, "class EventManager: ..."),
    (rules.empty_names, "class HTTPService: ..."),
    (rules.empty_names, "def f(base): ..."),
    (rules.empty_names, "new_state = 1"),
    (rules.empty_names, "self.helper = 1"),
    (rules.empty_names, "import json as utils"),
    (rules.left_overs, "x = 1  # TODO: the rest"),
    (rules.left_overs, '"""Simplified for now."""'),
    (rules.left_overs, 'def f():\n    """A placeholder."""'),
    (rules.banners, "# ---- Reading ----"),
    (rules.narration, "# Add one.\nx += 1\n" * 13),
    (rules.mocks, "from unittest.mock import Mock"),
    (rules.mocks, "from unittest import mock"),
    (rules.mocks, "import unittest.mock"),
    (rules.unexplained_excuses, "x = 1  # noqa: S101"),
    (rules.unexplained_excuses, "x = 1  # noqa"),
    (rules.unexplained_excuses, "x = 1  # type: ignore[arg-type]"),
    (rules.unexplained_excuses, "x = 1  # type: ignore  # it is right"),
    (rules.run_text, "eval('1')"),
    (rules.run_text, "exec(text)"),
    (rules.run_text, "from pickle import loads"),
    (rules.own_clocks, "import time"),
    (rules.own_clocks, "from time import monotonic"),
    (rules.own_clocks, "datetime.now(UTC)"),
    (rules.own_clocks, "datetime.datetime.utcnow()"),
    (rules.own_clocks, "date.today()"),
    (rules.own_chance, "from uuid import uuid4"),
    (rules.own_chance, "import random"),
    (rules.own_environment, "os.environ['HOME']"),
    (rules.own_environment, "from os import getenv"),
    (rules.stray_protocols, "class Reader(Protocol): ..."),
    (rules.coroutines, "async def f(): ..."),
    (rules.shared_tables, "'SELECT id FROM execution'"),
    (rules.shared_tables, "'DELETE FROM timer WHERE path = ?'"),
    (rules.shared_tables, "f'SELECT {columns} FROM record WHERE {clauses}'"),
    (rules.shared_tables, "'UPDATE execution SET account = 1'"),
    (rules.sleeping, "asyncio.sleep(1)"),
    (rules.sleeping, "from time import sleep"),
    (rules.swallowed_bugs, "try: f()\nexcept Exception: pass"),
    (rules.swallowed_bugs, "try: f()\nexcept: pass"),
    (rules.swallowed_bugs, "try: f()\nexcept (KeyError, BaseException): pass"),
    (rules.swallowed_bugs, "try: f()\nexcept builtins.Exception as exc: raise Mine from exc"),
]

GOOD: list[tuple[Rule, str]] = [
    (rules.empty_names, "def test_a_new_key_is_shown_once(): ..."),
    (rules.empty_names, "async def test_the_base_is_kept(): ..."),
    (rules.empty_names, "processed = domain = newest = 1"),
    (rules.own_clocks, "clock.now_ms()"),
    (rules.mocks, "from unittest import TestCase"),
    (rules.unexplained_excuses, "x = 1  # noqa: S101 the checker knows"),
    (rules.unexplained_excuses, "x = 1  # type: ignore[arg-type]  # pydantic checks it"),
    (rules.shared_tables, "'DELETE FROM timer WHERE account = ? AND path = ?'"),
    (rules.shared_tables, "f'SELECT {columns} FROM record WHERE account = ? AND {clauses}'"),
    (rules.swallowed_bugs, "try: f()\nexcept KeyError: pass"),
    (rules.swallowed_bugs, "try: f()\nexcept BaseException:\n    undo()\n    raise"),
]


def findings(rule: Rule, sources: Sequence[Source]) -> list[str]:
    return [
        f"{source.place}:{line}: {message}" for source in sources for line, message in rule(source)
    ]


@pytest.mark.parametrize("rule", LAWS, ids=lambda rule: rule.__name__)
def test_our_files_keep_the_law(rule: Rule) -> None:
    sources, exempt = LAWS[rule]
    exempt = exempt | ({RULES, HERE} if rule is rules.left_overs else set())

    assert findings(rule, [source for source in sources if source.place not in exempt]) == []


def test_bugs_are_caught_in_four_places() -> None:
    found = Counter(source.place for source in SHIPPED for _ in rules.swallowed_bugs(source))

    assert found == {
        "src/oncue/core/pattern/matcher.py": 1,  # one record, for one pattern
        "src/oncue/engine/live.py": 1,  # an attempt
        "src/oncue/engine/loop.py": 1,  # a turn
        "src/oncue/store/sqlite/file.py": 1,  # a batch of writes
    }


@pytest.mark.parametrize("rule", LAWS, ids=lambda rule: rule.__name__)
def test_every_exemption_is_needed(rule: Rule) -> None:
    sources, exempt = LAWS[rule]
    unneeded = [
        place
        for place in exempt
        if not findings(rule, [source for source in sources if source.place == place])
    ]

    assert unneeded == []


@pytest.mark.parametrize(("rule", "text"), BAD)
def test_the_law_can_be_broken(rule: Rule, text: str) -> None:
    assert [*rule(Source("place.py", text))] != []


@pytest.mark.parametrize(("rule", "text"), GOOD)
def test_the_law_forbids_nothing_else(rule: Rule, text: str) -> None:
    assert [*rule(Source("place.py", text))] == []


def test_every_law_has_been_seen_to_bite() -> None:
    assert {rule for rule, _ in BAD} == {*LAWS, rules.swallowed_bugs}


@pytest.mark.parametrize("place", ["src/oncue/core/utils.py", "src/oncue/common/clock.py"])
def test_files_and_folders_are_named_too(place: str) -> None:
    assert [*rules.empty_names(Source(place, "x = 1"))] != []
