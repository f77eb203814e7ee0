"""The laws of the house that neither ruff nor import-linter knows, each a function of a source."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

MAX_LINES = 600
MAX_STATEMENTS = 40
MAX_METHODS = 12
# Every comment is a reason, an invariant, a source, a number, a warning or a unit.
MAX_COMMENTS_PER_1000_LINES = 60
# A short file may need a few all the same.
ALWAYS_ALLOWED_COMMENTS = 12

BANNED_WORDS = frozenset(
    {
        *("process", "handle", "manage", "perform", "do"),
        *("util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "service"),
        *("data2", "new", "enhanced", "v2"),
    }
)
# One word of a name may be banned and the name all the same the right one.
ALLOWED_NAMES = frozenset(
    {
        # What an action does; no other word of ours for it.
        "perform",
        # An execution that is about to be written is a new one.
        "NewExecution",
        "new",
        # The base of a vendor's address, as vendors call it.
        "base_url",
        "resend_base_url",
        "twilio_base_url",
        "linear_base_url",
        "google_base_url",
        "slack_base_url",
        "hubspot_base_url",
        "ai_base_url",
    }
)
UNPICKLERS = frozenset({"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle"})
CLOCKS = frozenset({"time"})
CHANCE = frozenset({"random", "secrets", "uuid"})
MOCKS = frozenset({"unittest.mock", "mock", "pytest_mock"})

LEFT_OVER = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|\b(?i:simplified for now|for now|placeholder|in a real)\b"
)
BANNER = re.compile(r"#\s*([-=*#~_])\1{3,}")
EXCUSE = re.compile(r"#\s*(type: ignore|noqa)\b(?P<codes>\[[a-z, -]+\]|: ?[A-Z0-9, ]+)?(?P<why>.*)")
STATEMENT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s")


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies in the tree, and what it says."""

    place: str
    text: str

    @classmethod
    def read(cls, path: Path) -> "Source":
        return cls(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [
            (token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT
        ]


Finding = tuple[int, str]
Rule = Callable[[Source], Iterator[Finding]]


def long_modules(source: Source) -> Iterator[Finding]:
    length = len(source.text.splitlines())
    if length > MAX_LINES:
        yield 1, f"expected at most {MAX_LINES} lines, got {length}: it is two modules"


def silent_modules(source: Source) -> Iterator[Finding]:
    tree = ast.parse(source.text)
    if tree.body and not ast.get_docstring(tree):
        yield 1, "expected a docstring that says what the module knows"


def long_functions(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = sum(isinstance(inner, ast.stmt) for inner in ast.walk(node)) - 1
            if count > MAX_STATEMENTS:
                yield (
                    node.lineno,
                    f"{node.name}: expected at most {MAX_STATEMENTS} statements, got {count}: "
                    "give its parts names",
                )


def large_classes(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            count = sum(
                isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
                and not inner.name.startswith("__")
                for inner in node.body
            )
            if count > MAX_METHODS:
                yield (
                    node.lineno,
                    f"{node.name}: expected at most {MAX_METHODS} methods, got {count}: "
                    "it is two classes",
                )


def empty_names(source: Source) -> Iterator[Finding]:
    for line, name in [*_folders(source), *_given_names(source)]:
        words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
        found = sorted({word.lower() for word in words} & BANNED_WORDS)
        if found and name.strip("_") not in ALLOWED_NAMES:
            yield line, f"{name}: {', '.join(found)} says nothing, name it for what it knows"


def _folders(source: Source) -> list[Finding]:
    return [(1, name) for name in source.place.removesuffix(".py").split("/")]


def _given_names(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if not name.startswith("test_"):  # A sentence may hold any word.
                    yield node.lineno, name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((node.lineno, alias.asname) for alias in aliases if alias.asname)


def swallowed_bugs(source: Source) -> Iterator[Finding]:
    """Find handlers of every exception that do not end in `raise`."""
    for node in source.nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        is_broad = any(
            kind is None or ast.unparse(kind).split(".")[-1] in {"Exception", "BaseException"}
            for kind in caught
        )
        last = node.body[-1]
        if is_broad and not (isinstance(last, ast.Raise) and last.exc is None):
            yield node.lineno, "a bug would vanish here: catch what can be mended, and by its name"


def run_text(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Name(id="eval" | "exec" | "compile" | "__import__" as name)):
                yield node.lineno, f"{name} runs text: build what is needed from typed values"
    for line, module in _imports(source, UNPICKLERS):
        yield line, f"{module} runs what it reads: write plain data"


def own_clocks(source: Source) -> Iterator[Finding]:
    for line, module in _imports(source, CLOCKS):
        yield line, f"{module} is read in system.py alone: take a Clock"
    for node in source.nodes:
        match node:
            case ast.Attribute(
                value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date"),
                attr="now" | "utcnow" | "today" as name,
            ):
                yield node.lineno, f"{name} reads the wall clock: take a Clock"


def own_chance(source: Source) -> Iterator[Finding]:
    for line, module in _imports(source, CHANCE):
        yield line, f"{module} is asked in system.py alone: take what makes ids"


def own_environment(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "getenv" as name):
                yield node.lineno, f"os.{name} is read by settings alone: take the value"
            case ast.ImportFrom(module="os", names=aliases):
                if {"environ", "getenv"} & {alias.name for alias in aliases}:
                    yield node.lineno, "the environment is read by settings alone: take the value"


def mocks(source: Source) -> Iterator[Finding]:
    for line, module in _imports(source, MOCKS):
        yield line, f"{module}: use the real adapter, or a simulator of oncue.testing"


def sleeping(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.Attribute(attr="sleep") | ast.alias(name="sleep"):
                yield node.lineno, "sleep: wait for what is needed, or move a virtual clock"


def coroutines(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "the core decides and never waits: let a driver outside do that"


def stray_protocols(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(parent).startswith("Protocol") for parent in node.bases
        ):
            yield node.lineno, f"{node.name}: a Protocol is a port, so it stands in ports/"


def left_overs(source: Source) -> Iterator[Finding]:
    texts = list(source.comments)
    for node in source.nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            line = getattr(node, "lineno", 1)
            texts.append((line, ast.get_docstring(node) or ""))
    for line, text in texts:
        if found := LEFT_OVER.search(text):
            yield line, f"{found[0]!r}: finish it, or leave it out and say so in the README"


def banners(source: Source) -> Iterator[Finding]:
    for line, comment in source.comments:
        if BANNER.match(comment):
            yield line, "a banner: a part that needs a heading is a module"


def narration(source: Source) -> Iterator[Finding]:
    lines, comments = len(source.text.splitlines()), len(source.comments)
    if comments > max(ALWAYS_ALLOWED_COMMENTS, lines * MAX_COMMENTS_PER_1000_LINES / 1000):
        yield 1, f"{comments} comments in {lines} lines: let names say it, keep the reasons"


def unexplained_excuses(source: Source) -> Iterator[Finding]:
    for line, comment in source.comments:
        excuse = EXCUSE.match(comment)
        if excuse and not (excuse["codes"] and re.search(r"[a-z]{2}", excuse["why"])):
            yield line, f"{comment!r}: name the code, and after it the reason"


def shared_tables(source: Source) -> Iterator[Finding]:
    """Find SQL that could read or write the rows of another account."""
    for line, text in _texts(source):
        verb = STATEMENT.match(text)
        if verb is None:
            continue
        needed = r"\baccount = \?" if verb[1] in {"UPDATE", "DELETE FROM"} else r"\baccount\b"
        if not re.search(needed, text):
            yield line, f"{verb[1]} without an account: every row belongs to one"


def _texts(source: Source) -> Iterator[Finding]:
    """Yield the literals; of an f-string what is certain of it, as one text."""
    parts: set[ast.AST] = set()
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
            yield node.lineno, "…".join(_literal(part) for part in node.values)
    for node in source.nodes:
        if node not in parts and _literal(node):
            yield node.lineno, _literal(node)  # type: ignore[attr-defined] # constants have lines


def _literal(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _imports(source: Source, modules: frozenset[str]) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names = [module, *(f"{module}.{alias.name}" for alias in aliases)]
            case _:
                continue
        found = modules & {*names, *(name.split(".")[0] for name in names)}
        yield from ((node.lineno, name) for name in sorted(found))
