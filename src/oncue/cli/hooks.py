"""Commands about hooks: URLs to which others post."""

import getpass
import sys
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import Remote, delete_each, out, talk
from oncue.core.json_text import Json

hooks = cyclopts.App(name="hooks", help="URLs to which others post, and what lets them in.")


@hooks.command(name="list")
def list_hooks(*, as_json: AsJson = False) -> None:
    """List hooks with their URLs, without their secrets."""
    rows = talk(lambda remote: remote.pages("/hooks"))
    if as_json:
        print_json(rows)
        return
    table = make_table("name", "scheme", "state", "url")
    for row in rows:
        table.add_row(row["name"], row["scheme"], _state(row), row["url"])
    print_table(table)


@hooks.command
def show(name: str, /, *, as_json: AsJson = False) -> None:
    """Show a hook, without its secrets."""
    row = talk(lambda remote: remote.ask("GET", f"/hooks/{name}"))
    if as_json:
        print_json(row)
        return
    out.print(f"[bold]{row['name']}[/bold] ({row['scheme']}): {_state(row)}")
    out.print(row["url"], markup=False)
    stats = row["stats"]
    told = f"  since the start: {stats['received']} received, {stats['refused']} refused"
    out.print(
        told + (f", lately: {stats['last_refusal']}" if stats["refused"] else ""), markup=False
    )
    for place in ("secret", "type", "source", "subject", "event_id", "owned_by"):
        if row.get(place) is not None:
            out.print(f"  {place}: {row[place]}", markup=False)


@hooks.command
def create(
    name: str,
    scheme: str,
    /,
    *,
    secret: Annotated[bool, Parameter(negative="")] = False,
    event_type: Annotated[str | None, Parameter(name="--type")] = None,
    header: str | None = None,
    as_json: AsJson = False,
) -> None:
    """
    Make a hook; a secret that is made for it is shown once.

    Parameters
    ----------
    name
        Its name.
    scheme
        standard-webhooks, github, stripe, slack, twilio, payload, hmac-sha256 or path.
    secret
        Ask for the secret, or read it from stdin.
    event_type
        The type of its events, or a template of it.
    header
        Where the signature of hmac-sha256 stands.
    as_json
        Print JSON.
    """
    body: dict[str, Json] = {"name": name, "scheme": scheme}
    given = {"type": event_type, "header": header, "secret": _asked() if secret else None}
    body |= {place: value for place, value in given.items() if value is not None}
    made = talk(lambda remote: remote.ask("POST", "/hooks", body))
    if as_json:
        print_json(made)
        return
    out.print(made["url"], markup=False)
    if not secret and made["secret"] is not None and scheme != "path":
        out.print(f"secret, shown once: {made['secret']}", markup=False)
    elif made["secret"] is None and made["ready"]:
        out.print("it has no secret of its own: WEBHOOK_SECRET, or a connection, verifies it")
    _warn(made)


@hooks.command(name="secret")
def give_secret(name: str, /, *, keep: Annotated[bool, Parameter(negative="")] = False) -> None:
    """
    Give a hook its secret, asked for or read from stdin; the URL stays.

    Parameters
    ----------
    name
        Which hook.
    keep
        Those that it has are good, too, until the next time.
    """
    fresh = _asked()

    async def give(remote: Remote) -> Any:
        secret: Json = fresh
        if keep:
            before = (await remote.ask("GET", f"/hooks/{name}"))["secret"]
            hints = before if isinstance(before, list) else [before] if before else []
            secret = [fresh, *hints]
        return await remote.ask("PATCH", f"/hooks/{name}", {"secret": secret})

    saved = talk(give)
    out.print(f"{saved['name']}, version {saved['version']}: {_state(saved)}", markup=False)


@hooks.command
def delete(*names: str) -> None:
    """Forget hooks; nobody is let in by their URLs any more."""
    delete_each("/hooks", names)


def _asked() -> str:
    """Ask for a secret: it is no argument, since those stand in the shell's history."""
    if sys.stdin.isatty():
        return getpass.getpass("secret: ").strip()
    return sys.stdin.read().strip()


def _state(row: dict[str, Any]) -> str:
    if not row["enabled"]:
        return "off"
    return row["trouble"] or "ready"


def _warn(saved: dict[str, Any]) -> None:
    for warning in saved["warnings"]:
        out.print(f"warning: {warning['message']}", markup=False)
