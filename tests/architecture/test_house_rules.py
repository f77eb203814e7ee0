"""The rules of the house that neither ruff nor import-linter knows, and proof that they bite."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("src/oncue/**/*.py"))
TESTS = sorted(ROOT.glob("tests/**/*.py"))
OTHERS = sorted((*ROOT.glob("bench/*.py"), *ROOT.glob("scripts/*.py")))

MAX_LINES = 600
MAX_STATEMENTS = 40
MAX_METHODS = 12
BANNED = frozenset(
    [
        "process",
        "handle",
        "manage",
        "perform",
        "do",
        "util",
        "utils",
        "helper",
        "helpers",
        "common",
        "base",
        "misc",
        "manager",
        "service",
        "data2",
        "new",
        "enhanced",
        "v2",
    ]
)
# One word of a name may be banned and the name all the same the right one.
ALLOWED = frozenset(
    {
        # What an action does; no other word of ours for it.
        "perform",
        # An execution that is about to be written is a new one.
        "NewExecution",
        "new",
        # The base of a vendor's address, as vendors call it.
        "base_url",
        "resend_base_url",
        "slack_base_url",
        "hubspot_base_url",
    }
)
# A bug may be caught, and told, in three places: a turn of a loop, an attempt, a batch of writes.
BROAD_EXCEPTS = {
    "src/oncue/engine/live.py": 1,
    "src/oncue/engine/loop.py": 1,
    "src/oncue/store/sqlite/file.py": 2,
}
# The source that is compiled there is made from a checked tree, never from text.
COMPILERS = {"src/oncue/core/expression/compiler.py"}
CLOCKS = {"src/oncue/system.py"}

Finding = tuple[int, str]
Rule = Callable[[ast.Module], Iterator[Finding]]


def module_without_docstring(tree: ast.Module) -> Iterator[Finding]:
    if not ast.get_docstring(tree) and tree.body:
        yield 1, "a module says in its docstring what it is"


def long_functions(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            statements = sum(isinstance(inner, ast.stmt) for inner in ast.walk(node)) - 1
            if statements > MAX_STATEMENTS:
                yield (
                    node.lineno,
                    f"{node.name} has {statements} statements, at most {MAX_STATEMENTS}",
                )


def large_classes(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = [
                inner.name
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
                and not inner.name.startswith("__")
            ]
            if len(methods) > MAX_METHODS:
                yield node.lineno, f"{node.name} has {len(methods)} methods, so it is two classes"


def empty_names(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                continue  # A sentence may hold any word.
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                pass
            case ast.ClassDef(name=name):
                pass
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                pass
            case _:
                continue
        words = set(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name))
        found = {word.lower() for word in words} & BANNED
        if found and name.strip("_") not in ALLOWED:
            yield node.lineno, f"{name}: {', '.join(found)} says nothing; name what it knows"


def reached_builtins(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="eval" | "exec" | "compile" | "__import__" as name)):
                yield node.lineno, f"{name} runs text"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            if {"pickle", "marshal", "shelve", "dill"} & set(names):
                yield node.lineno, "unpickling runs what it reads"


def own_clocks(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            found = names & {"time", "secrets", "uuid"}
            if found:
                yield node.lineno, f"{', '.join(found)}: take a Clock and ids from system.py"


def sleeping(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "sleep":
            yield node.lineno, "a test waits for what it needs, not for time"


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def findings(
    rule: Rule, paths: list[Path], but: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    return [
        f"{relative(path)}:{line}: {message}"
        for path in paths
        if relative(path) not in but
        for line, message in rule(parse(path))
    ]


def test_modules_are_at_most_600_lines() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in (*SOURCES, *TESTS, *OTHERS)
    }

    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


@pytest.mark.parametrize(
    "rule", [module_without_docstring, long_functions, large_classes, empty_names]
)
def test_everything_written_keeps_the_rules(rule: Rule) -> None:
    assert findings(rule, [*SOURCES, *TESTS, *OTHERS]) == []


def test_no_text_is_run_as_code() -> None:
    assert findings(reached_builtins, [*SOURCES, *OTHERS], but=COMPILERS) == []


def test_time_and_chance_come_from_one_place() -> None:
    assert findings(own_clocks, SOURCES, but=CLOCKS) == []


def test_tests_do_not_sleep() -> None:
    assert findings(sleeping, TESTS) == []


def test_bugs_are_caught_in_three_places() -> None:
    found: dict[str, int] = {}
    for path in SOURCES:
        for node in ast.walk(parse(path)):
            is_broad = isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            )
            if is_broad:
                found[relative(path)] = found.get(relative(path), 0) + 1

    assert found == BROAD_EXCEPTS


def test_nothing_is_left_for_later() -> None:
    marker = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
    left = [
        f"{relative(path)}:{number}"
        for path in (*SOURCES, *TESTS, *OTHERS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marker.search(line) and path != Path(__file__)
    ]

    assert left == []


def test_locks_carry_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[a-zA-Z0-9_.-]+==", text, re.MULTILINE)

        assert "://" not in text
        assert len(pinned) > 20
        assert len(re.findall(r"--hash=sha256:", text)) >= len(pinned)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (module_without_docstring, "x = 1"),
        (long_functions, "def f():\n" + "    x = 1\n" * 41),
        (large_classes, "class C:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(13))),
        (empty_names, "def handle_event(): ..."),
        (empty_names, "class EventManager: ..."),
        (empty_names, "def f(base): ..."),
        (empty_names, "new_state = 1"),
        (reached_builtins, "eval('1')"),
        (reached_builtins, "from pickle import loads"),
        (own_clocks, "import time"),
        (own_clocks, "from uuid import uuid4"),
        (sleeping, "asyncio.sleep(1)"),
    ],
)
def test_the_rules_can_fail(rule: Rule, source: str) -> None:
    assert [*rule(ast.parse(source))] != []
