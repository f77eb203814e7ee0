"""Commands that read and write definitions as files."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from oncue.cli.documents import FileDocument, problems_in, read_all
from oncue.cli.output import AsJson, print_json
from oncue.cli.polled import problems_of_polls
from oncue.cli.remote import Refusal, err, out, talk
from oncue.core.errors import Problem
from oncue.core.json_text import Json
from oncue.core.yaml_text import write_yaml

Files = Annotated[Path, Parameter(allow_leading_hyphen=True)]
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def validate(*files: Files) -> int:
    """
    Say everything that is wrong with documents, with path and line.

    Parameters
    ----------
    files
        YAML or JSON, folders of it, or `-` for the standard input.
    """
    found = [(document, problems_in(document)) for document in read_all(files)]
    right = [document for document, problems in found if not problems]
    problems = [
        *(document.told(problem) for document, those in found for problem in those),
        *(document.told(problem) for document, problem in problems_of_polls(right)),
    ]
    for told in problems:
        err.print(told, markup=False)
    count = len(problems)
    if count:
        err.print(f"[red]{count} problem{'' if count == 1 else 's'}[/red]")
        return 1
    out.print("[green]all valid[/green]")
    return 0


def apply(*files: Files, as_json: AsJson = False) -> int:
    """
    Save documents, all or none: what is new is created, what differs becomes a new version.

    Parameters
    ----------
    files
        YAML or JSON, folders of it, or `-` for the standard input.
    as_json
        Print JSON.
    """
    applied = _ask("/apply", files)
    if applied is None:
        err.print("[red]nothing was saved[/red]")
        return 1
    if as_json:
        print_json(applied)
        return 0
    for change in applied["changes"]:
        version = f" (version {change['version']})" if change["change"] == "changed" else ""
        out.print(f"{change['change']} {change['kind']} {change['name']}{version}", markup=False)
        for hook in change["hooks"]:
            out.print(f"  {hook['name']}: {hook['url']}", markup=False)
            if hook["secret"]:
                out.print(f"  secret of {hook['name']}, shown once: {hook['secret']}", markup=False)
        for warning in change["warnings"]:
            place = f"{warning['path']}: " if warning["path"] else ""
            out.print(f"  warning: {place}{warning['message']}", markup=False)
    return 0


def diff(*files: Files, as_json: AsJson = False) -> int:
    """
    Show what `apply` would change, and save nothing; exit 1 if that is something, 2 if it is wrong.

    Parameters
    ----------
    files
        YAML or JSON, folders of it, or `-` for the standard input.
    as_json
        Print JSON.
    """
    told = _ask("/apply?dry_run=true", files)
    if told is None:
        return 2
    changed = [change for change in told["changes"] if change["change"] != "unchanged"]
    if as_json:
        print_json(changed)
    else:
        for change in changed:
            for line in _difference(change):
                out.print(line, style=_COLOURS.get(line[:1]), markup=False)
    return 1 if changed else 0


def export() -> None:
    """Print all definitions as YAML documents, ready to be applied elsewhere."""
    exported = talk(lambda remote: remote.ask("GET", "/export"))
    for kind in exported["left_out"]:
        err.print(f"{kind}s are left out: the key lacks the scope 'admin'")
    text = write_yaml(*exported["documents"])
    out.print(text, end="", markup=False)


def _ask(path: str, files: Sequence[Path]) -> Any:
    """Return what the server answers to documents; None if it says what is wrong with them."""
    # Tests stand beside what they test; they are nothing that a server keeps.
    sent = [document for document in read_all(files) if document.kind != "test"]
    if not sent:
        return {"changes": []}
    body: Json = [{**document.content, "kind": document.kind} for document in sent]
    try:
        return talk(lambda remote: remote.ask("POST", path, body))
    except Refusal as exc:
        if not exc.problems:
            raise
        for problem in exc.problems:
            err.print(_told(problem, sent), markup=False)
    return None


def _told(problem: Problem, documents: Sequence[FileDocument]) -> str:
    index, _, place = problem.path.removeprefix("[").partition("]")
    if not problem.path.startswith("[") or not index.isdigit():
        return f"{problem.path}: {problem.message}" if problem.path else problem.message
    return documents[int(index)].told(Problem(place.removeprefix("."), problem.message))


def _difference(change: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a unified difference."""
    name = f"{change['kind']} {change['name']}"
    before, after = (_lines(change[when]) for when in ("before", "after"))
    begun = "/dev/null" if change["before"] is None else f"{name} (now)"
    yield from difflib.unified_diff(before, after, begun, f"{name} (then)", lineterm="")


def _lines(document: Json) -> list[str]:
    if document is None:
        return []
    return write_yaml(document, sort_keys=True).splitlines()
