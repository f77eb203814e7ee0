"""Commands about secrets and variables; a secret comes from a prompt or from stdin, never from arguments."""

import getpass
import sys
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import delete_each, out, talk
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json

secrets = cyclopts.App(name="secrets", help="Values that only calls see: keep and forget them.")
variables = cyclopts.App(name="variables", help="Values that workflows read as vars.NAME.")
_SHOWN = 60


@secrets.command(name="list")
def list_secrets(*, as_json: AsJson = False) -> None:
    """List secrets, without their values."""
    rows = talk(lambda remote: remote.pages("/secrets"))
    if as_json:
        print_json(rows)
        return
    table = make_table("name", "state", "changed", "description")
    for row in rows:
        table.add_row(row["name"], row["trouble"] or "ready", row["updated_at"], row["description"])
    print_table(table)


@secrets.command(name="set")
def set_secret(name: str, /, *, description: str | None = None, as_json: AsJson = False) -> None:
    """
    Keep a secret, or change it; its value is asked for, or read from stdin.

    Parameters
    ----------
    name
        The name that expressions know it by: secrets.NAME.
    description
        What it is for.
    as_json
        Print JSON.
    """
    if sys.stdin.isatty():
        value = getpass.getpass(f"{name}: ")
    else:
        # What `echo` puts at the end belongs to no secret.
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    _set("/secrets", name, value, description, as_json=as_json)


@secrets.command(name="delete")
def delete_secrets(*names: str, force: Annotated[bool, Parameter(negative="")] = False) -> None:
    """
    Forget secrets.

    Parameters
    ----------
    names
        Which ones.
    force
        Even if a workflow reads them.
    """
    delete_each("/secrets", names, is_forced=force)


@secrets.command
def rotate(*, as_json: AsJson = False) -> int:
    """Encrypt all that is secret under the first key of ENCRYPTION_KEY; exit 1 if a key is missing."""
    done = talk(lambda remote: remote.ask("POST", "/secrets/rotate"))
    if as_json:
        print_json(done)
    else:
        out.print(f"{done['rotated']} of {done['total']} encrypted anew")
        for one in done["locked"]:
            out.print(f"no key opens {one['kind']} {one['name']} of account {one['account']}")
    return 1 if done["locked"] else 0


@variables.command(name="list")
def list_variables(*, as_json: AsJson = False) -> None:
    """List variables."""
    rows = talk(lambda remote: remote.pages("/variables"))
    if as_json:
        print_json(rows)
        return
    table = make_table("name", "value", "changed", "description")
    for row in rows:
        value = encode_json(row["value"]).decode()
        shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
        table.add_row(row["name"], shown, row["updated_at"], row["description"])
    print_table(table)


@variables.command(name="set")
def set_variable(
    name: str,
    value: str | None = None,
    /,
    *,
    description: str | None = None,
    as_json: AsJson = False,
) -> None:
    """
    Keep a variable, or change it.

    Parameters
    ----------
    name
        The name that expressions know it by: vars.NAME.
    value
        JSON; what is none is text. By default what comes on stdin.
    description
        What it is for.
    as_json
        Print JSON.
    """
    text = sys.stdin.read().strip() if value is None else value
    try:
        parsed = parse_json(text.encode())
    except MalformedJson:
        parsed = text
    _set("/variables", name, parsed, description, as_json=as_json)


@variables.command(name="delete")
def delete_variables(*names: str, force: Annotated[bool, Parameter(negative="")] = False) -> None:
    """
    Forget variables.

    Parameters
    ----------
    names
        Which ones.
    force
        Even if a workflow reads them.
    """
    delete_each("/variables", names, is_forced=force)


def _set(path: str, name: str, value: Json, description: str | None, *, as_json: bool) -> None:
    body: dict[str, Json] = {"value": value}
    if description is not None:
        body["description"] = description
    saved = talk(lambda remote: remote.ask("PUT", f"{path}/{name}", body))
    if as_json:
        print_json(saved)
    else:
        out.print(f"{saved['name']}, version {saved['version']}", markup=False)
