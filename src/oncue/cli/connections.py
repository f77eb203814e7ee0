"""Commands about connections; secrets come from a prompt or from stdin, never from arguments."""

import getpass
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import CommandError, Remote, delete_each, out, talk
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, parse_json

connections = cyclopts.App(
    name="connections", help="Credentials for vendors: keep, test and forget them."
)


@connections.command(name="list")
def list_connections(*, as_json: AsJson = False) -> None:
    """List connections, without their secrets."""
    rows = talk(lambda remote: remote.pages("/connections"))
    if as_json:
        print_json(rows)
        return
    table = make_table("name", "integration", "default", "state", "last used", "last test")
    for row in rows:
        tested = row["last_test"]
        table.add_row(
            row["name"],
            row["integration"],
            "yes" if row["default"] else "",
            row["trouble"] or "ready",
            row["last_used_at"] or "never",
            "never" if tested is None else "good" if tested["ok"] else tested["detail"],
        )
    print_table(table)


@connections.command(name="set")
def set_connection(
    name: str,
    /,
    *,
    integration: str | None = None,
    default: Annotated[bool | None, Parameter(negative="--no-default")] = None,
    as_json: AsJson = False,
) -> None:
    """
    Keep a connection, or change it; values are asked for, or read from stdin.

    Parameters
    ----------
    name
        Its name.
    integration
        What it is for; may be left out for one that is there.
    default
        Take it for steps that name none.
    as_json
        Print JSON.
    """

    async def save(remote: Remote) -> Json:
        known = {row["name"]: row for row in await remote.pages("/connections")}
        schemas = {row["integration"]: row for row in await remote.pages("/connections/schemas")}
        current = known.get(name)
        of = integration or (current and current["integration"])
        if of is None:
            raise CommandError(f"expected --integration out of {', '.join(sorted(schemas))}")
        values: Json = {**(_asked(schemas.get(of)) if sys.stdin.isatty() else _piped())}
        body: dict[str, Json] = {"values": values}
        if default is not None:
            body["default"] = default
        if current and of == current["integration"]:
            changed: Json = await remote.ask("PATCH", f"/connections/{name}", body)
            return changed
        if current:
            raise CommandError(f"{name} is for {current['integration']}: delete it first")
        made: Json = await remote.ask(
            "POST", "/connections", {"name": name, "integration": of, **body}
        )
        return made

    saved = talk(save)
    if as_json:
        print_json(saved)
    elif isinstance(saved, dict):
        out.print(f"{saved['name']}, version {saved['version']}: {saved['trouble'] or 'ready'}")


@connections.command(name="test")
def try_connection(name: str, /, *, as_json: AsJson = False) -> int:
    """Ask the vendor something harmless; exit 1 if it says no."""
    found = talk(lambda remote: remote.ask("POST", f"/connections/{name}/test"))
    if as_json:
        print_json(found)
    else:
        mark = "[green]✓[/green]" if found["ok"] else "[red]✗[/red]"
        out.print(f"{mark} ", end="")
        out.print(f"{found['detail']} ({found['duration_ms']} ms)", markup=False)
    return 0 if found["ok"] else 1


@connections.command
def delete(*names: str, force: Annotated[bool, Parameter(negative="")] = False) -> None:
    """
    Forget connections and their secrets.

    Parameters
    ----------
    names
        Which ones.
    force
        Even if a workflow names them.
    """
    delete_each("/connections", names, is_forced=force)


def _asked(schema: Mapping[str, Any] | None) -> dict[str, Json]:
    """Ask for each value; what is left empty stays as it is."""
    values: dict[str, Json] = {}
    properties = schema["schema"]["properties"] if schema else {}
    for name, told in properties.items():
        prompt = f"{name} ({told['description'].rstrip('.')}): "
        given = getpass.getpass(prompt) if told["writeOnly"] else input(prompt)
        if given.strip():
            values[name] = given.strip()
    return values


def _piped() -> dict[str, Json]:
    """Read values as a JSON object, or as lines of `name=value`."""
    text = sys.stdin.read().strip()
    if text.startswith("{"):
        try:
            given = parse_json(text.encode())
        except MalformedJson:
            given = None
        if not isinstance(given, dict):
            # What was read may be a secret: it is not told.
            raise CommandError("expected an object of JSON on stdin, got something else")
        return given
    values: dict[str, Json] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, sign, value = line.partition("=")
        if not sign:
            raise CommandError(f"expected name=value on line {number} of stdin")
        values[name.strip()] = value.strip()
    return values
