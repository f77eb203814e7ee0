"""Documents in files: YAML or JSON, one or several in each."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

import oncue
from oncue.actions.packages import available
from oncue.cli.remote import CommandError
from oncue.core.connection_document import parse_connection
from oncue.core.errors import InvalidInput, Problem
from oncue.core.hook.document import parse_hook
from oncue.core.integration import Integration
from oncue.core.json_text import Json
from oncue.core.named_values import parse_secret, parse_variable
from oncue.core.pattern.active import parse_pattern
from oncue.core.problems import nearest
from oncue.core.schedule.document import parse_schedule
from oncue.core.workflow.parse import parse_workflow
from oncue.core.yaml_text import YamlLoader
from oncue.engine.standing import KINDS as STANDING
from oncue.settings import load_settings
from oncue.testing.automation.document import parse_test

KINDS: Final = (*STANDING, "test")
STDIN: Final = Path("-")
SUFFIXES: Final = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class FileDocument:
    """One document of a file, and how many stand before it there."""

    path: Path
    index: int
    content: dict[str, Json]
    text: str = field(repr=False)

    @property
    def kind(self) -> str:
        """What it defines: as it says, or as its fields say."""
        return str(self.content.get("kind", "pattern" if "pattern" in self.content else "workflow"))

    def line_of(self, place: str) -> int:
        """Return the line, from 1, on which a place such as `steps[2].for` stands."""
        node = list(yaml.compose_all(self.text, YamlLoader))[self.index]
        for part in _PART.findall(place):
            node = _inside(node, part.strip("[]")) or node
        return int(node.start_mark.line) + 1

    def told(self, problem: Problem) -> str:
        """Return a problem in one line that begins with file and line."""
        place = f"{problem.path}: " if problem.path else ""
        return f"{self.path}:{self.line_of(problem.path)}: {place}{problem.message}"


def read_documents(path: Path) -> list[FileDocument]:
    """
    Return the documents in a file.

    Raises:
        CommandError: there is no such file, or it holds something else.
    """
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
        contents = list(yaml.load_all(text, YamlLoader))
    except OSError as exc:
        raise CommandError(f"{path}: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise CommandError(f"{path}: expected YAML or JSON: {exc}") from exc
    documents: list[FileDocument] = []
    for index, content in enumerate(contents):
        if isinstance(content, dict):
            documents.append(FileDocument(path, index, content, text))
        # Nothing stands after a `---` at the end, or between two.
        elif content is not None:
            place = f"document {index + 1}: " if len(contents) > 1 else ""
            raise CommandError(f"{path}: {place}expected an object, got {content!r:.80}")
    return documents


def read_all(paths: Sequence[Path]) -> list[FileDocument]:
    """
    Return the documents in files, in folders of them, or on the standard input.

    Raises:
        CommandError: there is no such file, or it holds something else.
    """
    if not paths:
        raise CommandError("expected files, folders or -, got none")
    files: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += (file for file in found if file == path or file.suffix in SUFFIXES)
    documents: list[FileDocument] = []
    unread: list[str] = []
    for file in files:
        try:
            documents += read_documents(file)
        except CommandError as exc:
            unread.append(str(exc))
    if unread:
        raise CommandError("\n".join(unread))
    return documents


def problems_in(document: FileDocument) -> tuple[Problem, ...]:
    """Return everything that is wrong with a document by itself."""
    content, kind = document.content, document.kind
    try:
        match kind:
            case "workflow":
                library = {action.name: action for action in available().actions}
                parse_workflow(content, library, max_steps=load_settings({}).max_workflow_steps)
            case "pattern":
                parse_pattern(content)
            case "connection":
                parse_connection(content, _integrations())
            case "secret":
                parse_secret(content)
            case "schedule":
                parse_schedule(content)
            case "hook":
                parse_hook(content)
            case "variable":
                parse_variable(content)
            case "test":
                parse_test(content, brought_vendors())
            case _:
                expected = f"expected a kind out of {', '.join(KINDS)}"
                return (Problem("kind", f"{expected}, got {kind!r}{nearest(kind, KINDS)}"),)
    except InvalidInput as exc:
        return exc.problems
    return ()


def brought_vendors() -> list[str]:
    """Return the vendors of tests that packages bring: their integrations."""
    return [one.name for package in available().packages for one in package.integrations]


def _integrations() -> dict[str, Integration]:
    return {one.name: one for one in available().integrations}


_PART = re.compile(r"\[\d+\]|[^.\[\]]+")


def _inside(node: yaml.Node, part: str) -> yaml.Node | None:
    match node:
        case yaml.MappingNode(value=pairs):
            return next((value for key, value in pairs if key.value == part), None)
        case yaml.SequenceNode(value=items):
            return items[int(part)] if part.isdigit() and int(part) < len(items) else None
        case _:
            return None


def example(name: str) -> Json:
    """Return the workflow that a shipped example defines."""
    (document,) = read_documents(examples_folder() / f"{name}.yaml")
    return document.content


def examples_folder() -> Path:
    """Return where the examples are."""
    package = Path(oncue.__file__).parent
    shipped = package / "examples"
    # In a checkout they stand beside the sources, where people look for them.
    return shipped if shipped.is_dir() else package.parents[1] / "examples"
