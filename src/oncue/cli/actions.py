"""Commands about actions: what there is, and a package to begin with."""

import shutil
from pathlib import Path
from typing import Any, Final

import cyclopts

from oncue.cli.documents import examples_folder
from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import CommandError, out, talk
from oncue.core.json_text import encode_json

_TEMPLATE: Final = "action-package"
_BUILT: Final = ("__pycache__", "*.egg-info", "build", "dist", ".pytest_cache")

actions = cyclopts.App(name="actions", help="Look at what steps can call, and add to it.")


@actions.command(name="list")
def list_actions(*, as_json: AsJson = False) -> None:
    """List all actions, and of which package those are that OnCue does not bring."""
    found = talk(lambda remote: remote.ask("GET", "/actions"))
    if as_json:
        print_json(found["data"])
        return
    table = make_table("name", "category", "integration", "package", "does")
    for row in found["data"]:
        package = row["package"] or ""
        table.add_row(row["name"], row["category"], row["integration"], package, row["summary"])
    print_table(table)


@actions.command
def show(name: str, /, *, as_json: AsJson = False) -> None:
    """Show what an action takes and gives."""
    found = talk(lambda remote: remote.ask("GET", f"/actions/{name}"))
    if as_json:
        print_json(found)
        return
    package = f", of {found['package']}" if found["package"] else ""
    out.print(f"{found['name']}: {found['summary']}", markup=False)
    out.print(f"integration {found['integration']}{package}; idempotency {found['idempotency']}")
    out.print("")
    print_table(_fields(found["input_schema"]))
    out.print("")
    out.print(f"gives: {', '.join(found['output_schema'].get('properties', {})) or 'what it made'}")
    out.print(f"with: {encode_json(found['example']).decode()}", markup=False)


@actions.command
def template(folder: Path, /) -> None:
    """
    Copy a package with one action and its tests, to write your own from.

    Parameters
    ----------
    folder
        Where to; it must not exist yet.
    """
    if folder.exists():
        raise CommandError(f"expected a folder that does not exist yet, got {folder}")
    source = examples_folder() / _TEMPLATE
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*_BUILT))
    out.print(f"copied to {folder}: read {folder / 'README.md'}", markup=False)


def _fields(schema: dict[str, Any]) -> Any:
    table = make_table("field", "needed", "meaning")
    for name, told in schema.get("properties", {}).items():
        needed = "yes" if name in schema.get("required", ()) else ""
        table.add_row(name, needed, told.get("description", ""))
    return table
