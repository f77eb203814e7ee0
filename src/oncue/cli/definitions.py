"""Commands that read and write definitions as files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from oncue.actions import ACTIONS
from oncue.cli.documents import line_of, read_documents
from oncue.cli.remote import CommandError, Remote, err, out, talk
from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.merge_patch import patch_between
from oncue.core.problems import nearest
from oncue.core.workflow.parse import parse_workflow
from oncue.settings import load_settings

KINDS = ("workflow",)
# What the API adds to a document.
_ADDED = ("id", "version", "created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class _Document:
    """One document of a file, and how many stand before it there."""

    path: Path
    index: int
    content: dict[str, Json]


def validate(*files: Path) -> int:
    """Say everything that is wrong with documents, with path and line."""
    count, _ = _check(files)
    if count:
        err.print(f"[red]{count} problem{'' if count == 1 else 's'}[/red]")
        return 1
    out.print("[green]all valid[/green]")
    return 0


def apply(*files: Path) -> int:
    """Save documents: what is new is created, what differs becomes a new version."""
    count, documents = _check(files)
    if count:
        err.print("[red]nothing was saved[/red]")
        return 1

    async def save_all(remote: Remote) -> None:
        known = {row["name"]: row for row in await remote.pages("/workflows")}
        for document in documents:
            out.print(await _save(remote, known, document.content))

    talk(save_all)
    return 0


def export() -> None:
    """Print all definitions as YAML documents, ready to be applied elsewhere."""

    async def fetch(remote: Remote) -> list[Any]:
        return await remote.pages("/workflows")

    documents = [
        {"kind": "workflow", **{k: v for k, v in row.items() if k not in _ADDED}}
        for row in reversed(talk(fetch))
    ]
    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
    out.print(text, end="", markup=False)


async def _save(remote: Remote, known: dict[str, Any], document: dict[str, Json]) -> str:
    name = str(document["name"])
    wanted = {key: value for key, value in document.items() if key != "kind"}
    current = known.get(name)
    if current is None:
        saved = await remote.ask("POST", "/workflows", document)
        return f"created {name} ({saved['id']})"
    before = {k: v for k, v in current.items() if k not in (*_ADDED, "kind")}
    wanted.setdefault("enabled", before.get("enabled", True))
    patch = patch_between(before, wanted)
    if not patch:
        return f"unchanged {name}"
    saved = await remote.ask("PATCH", f"/workflows/{name}", patch)
    return f"changed {name} (version {saved['version']})"


def _check(files: tuple[Path, ...]) -> tuple[int, list[_Document]]:
    """Print all problems; return how many there are, and the documents."""
    count = 0
    documents: list[_Document] = []
    for path in files:
        for document in _read(path):
            documents.append(document)
            for problem in _problems(document):
                count += 1
                line = line_of(path, document.index, problem.path)
                err.print(f"{path}:{line}: {problem.path}: {problem.message}", markup=False)
    return count, documents


def _read(path: Path) -> Iterator[_Document]:
    try:
        for index, content in enumerate(read_documents(path)):
            if not isinstance(content, dict):
                raise CommandError(f"{path}: expected documents, got something else")
            yield _Document(path, index, content)
    except OSError as exc:
        raise CommandError(f"{path}: {exc.strerror}") from exc
    except yaml.YAMLError as exc:
        raise CommandError(f"{path}: expected YAML or JSON: {exc}") from exc


def _problems(document: _Document) -> tuple[Problem, ...]:
    kind = document.content.get("kind", "workflow")
    if kind not in KINDS:
        message = (
            f"expected a kind out of {', '.join(KINDS)}, got {kind!r}{nearest(str(kind), KINDS)}"
        )
        return (Problem("kind", message),)
    library = {action.name: action for action in ACTIONS}
    try:
        parse_workflow(document.content, library, max_steps=load_settings({}).max_workflow_steps)
    except InvalidInput as exc:
        return exc.problems
    return ()
