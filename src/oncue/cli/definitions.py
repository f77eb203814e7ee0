"""Commands that read and write definitions as files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from oncue.cli.documents import FileDocument, problems_in, read_documents
from oncue.cli.remote import Remote, err, out, talk
from oncue.core.json_text import Json
from oncue.core.merge_patch import patch_between


@dataclass(frozen=True, slots=True)
class _Resource:
    """A kind of definition: where it lies, and what the API adds to it."""

    kind: str
    path: str
    added: tuple[str, ...]


_ADDED: Final = ("id", "version", "created_at", "updated_at")
# Workflows first: patterns may name them.
_RESOURCES: Final = (
    _Resource("workflow", "/workflows", _ADDED),
    _Resource("pattern", "/patterns", (*_ADDED, "state_version", "owned_by", "stats")),
)


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
        for resource in _RESOURCES:
            those = [document for document in documents if document.kind == resource.kind]
            if those:
                known = {row["name"]: row for row in await remote.pages(resource.path)}
                for document in those:
                    out.print(await _save(remote, resource, known, document.content))

    talk(save_all)
    return 0


def export() -> None:
    """Print all definitions as YAML documents, ready to be applied elsewhere."""

    async def fetch(remote: Remote) -> list[Any]:
        return [await remote.pages(resource.path) for resource in _RESOURCES]

    documents = [
        {"kind": resource.kind, **_bare(resource, row)}
        for resource, rows in zip(_RESOURCES, talk(fetch), strict=True)
        for row in reversed(rows)
        # What starts a workflow stands in the workflow.
        if not row.get("owned_by")
    ]
    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
    out.print(text, end="", markup=False)


def _bare(resource: _Resource, row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in resource.added}


async def _save(
    remote: Remote, resource: _Resource, known: dict[str, Any], document: dict[str, Json]
) -> str:
    name = str(document["name"])
    wanted = {key: value for key, value in document.items() if key != "kind"}
    current = known.get(name)
    if current is None:
        saved = await remote.ask("POST", resource.path, document)
        return _told(f"created {name} ({saved['id']})", saved)
    before = {k: v for k, v in _bare(resource, current).items() if k != "kind"}
    wanted.setdefault("enabled", before.get("enabled", True))
    patch = patch_between(before, wanted)
    if not patch:
        return f"unchanged {name}"
    saved = await remote.ask("PATCH", f"{resource.path}/{name}", patch)
    return _told(f"changed {name} (version {saved['version']})", saved)


def _told(what: str, saved: dict[str, Any]) -> str:
    warnings = [f"  warning: {one['path']}: {one['message']}" for one in saved.get("warnings", ())]
    return "\n".join([what, *warnings])


def _check(files: tuple[Path, ...]) -> tuple[int, list[FileDocument]]:
    """Print all problems; return how many there are, and the documents."""
    count = 0
    documents: list[FileDocument] = []
    for path in files:
        for document in read_documents(path):
            documents.append(document)
            for problem in problems_in(document):
                count += 1
                err.print(document.told(problem), markup=False)
    return count, documents
