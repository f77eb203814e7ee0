"""Commands that read and write definitions as files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from oncue.cli.documents import FileDocument, problems_in, read_documents
from oncue.cli.remote import Remote, err, out, talk
from oncue.core.integration import HINT_MASK
from oncue.core.json_text import Json
from oncue.core.merge_patch import patch_between


@dataclass(frozen=True, slots=True)
class _Resource:
    """A kind of definition: where it lies, and what the API adds to it."""

    kind: str
    path: str
    added: tuple[str, ...]
    scope: str = "write"


_ADDED: Final = ("id", "version", "created_at", "updated_at")
# In this order: workflows may name connections, and patterns workflows.
_RESOURCES: Final = (
    _Resource(
        "connection",
        "/connections",
        (*_ADDED, "ready", "locked", "trouble", "last_used_at", "last_test"),
        scope="admin",
    ),
    _Resource("workflow", "/workflows", (*_ADDED, "hooks")),
    _Resource(
        "pattern", "/patterns", (*_ADDED, "state_version", "owned_by", "cost_class", "stats")
    ),
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
        return [await _all(remote, resource) for resource in _RESOURCES]

    documents = [
        {"kind": resource.kind, **_bare(resource, row)}
        for resource, rows in zip(_RESOURCES, talk(fetch), strict=True)
        for row in reversed(rows)
        # What starts a workflow stands in the workflow.
        if not row.get("owned_by")
    ]
    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
    out.print(text, end="", markup=False)


async def _all(remote: Remote, resource: _Resource) -> list[dict[str, Any]]:
    if resource.scope == "admin":
        scopes = (await remote.ask("GET", "/account"))["scopes"]
        if not {"admin", "operator"} & set(scopes):
            err.print(f"{resource.kind}s are left out: the key lacks the scope 'admin'")
            return []
    return await remote.pages(resource.path)


def _bare(resource: _Resource, row: dict[str, Any]) -> dict[str, Any]:
    bare = {key: value for key, value in row.items() if key not in resource.added}
    if resource.kind == "connection":
        # Secrets never come out; what is shown in their place means nothing elsewhere.
        values = {k: v for k, v in row["values"].items() if not v.startswith(HINT_MASK)}
        return {**bare, "values": values}
    return bare


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
    if resource.kind == "connection":
        wanted = {"default": False, "values": {}, **wanted}
    else:
        wanted.setdefault("enabled", before.get("enabled", True))
    patch = patch_between(before, wanted)
    if not patch:
        return f"unchanged {name}"
    saved = await remote.ask("PATCH", f"{resource.path}/{name}", patch)
    if saved["version"] == current["version"]:
        return f"unchanged {name}"
    return _told(f"changed {name} (version {saved['version']})", saved)


def _told(what: str, saved: dict[str, Any]) -> str:
    warnings = [f"  warning: {one['path']}: {one['message']}" for one in saved.get("warnings", ())]
    hooks = [line for hook in saved.get("hooks", ()) for line in _lines_of(hook)]
    return "\n".join([what, *hooks, *warnings])


def _lines_of(hook: dict[str, Any]) -> list[str]:
    """Tell where others post to, and a secret that was made: it is shown once."""
    secret = hook["secret"]
    is_fresh = secret and hook["scheme"] != "path" and HINT_MASK not in str(secret)
    shown = [f"  secret of {hook['name']}, shown once: {secret}"] if is_fresh else []
    return [f"  {hook['name']}: {hook['url']}", *shown]


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
