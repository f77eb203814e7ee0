"""Commands about accounts and keys."""

from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import Remote, out, talk
from oncue.core.json_text import Json

keys = cyclopts.App(name="keys", help="Make, list and revoke API keys.")
accounts = cyclopts.App(name="accounts", help="Open accounts, and look at them.")

OfAccount = Annotated[
    str | None, Parameter(name="--account", help="Name or id (default the key's own).")
]


@keys.command
def create(
    name: str = "",
    /,
    *,
    scope: Annotated[tuple[str, ...], Parameter(negative="")] = ("write",),
    account: OfAccount = None,
    as_json: AsJson = False,
) -> None:
    """
    Make a key; it is shown this once.

    Parameters
    ----------
    name
        What it is for.
    scope
        What it may do: read, events:write, write, admin (default write).
    """
    body: Json = {"name": name, "scopes": list(scope)}

    async def make(remote: Remote) -> Json:
        path = f"/accounts/{await _account(remote, account)}/keys"
        made: Json = await remote.ask("POST", path, body)
        return made

    made = talk(make)
    if as_json:
        print_json(made)
    elif isinstance(made, dict):
        out.print(f"{made['api_key']}", highlight=False)
        out.print(f"[dim]key {made['id']}; it is not shown again[/dim]")


@keys.command(name="list")
def list_keys(*, account: OfAccount = None, as_json: AsJson = False) -> None:
    """List keys, without their secrets."""

    async def read(remote: Remote) -> list[dict[str, str]]:
        path = f"/accounts/{await _account(remote, account)}/keys"
        rows: list[dict[str, str]] = (await remote.ask("GET", path))["data"]
        return rows

    rows = talk(read)
    if as_json:
        print_json(rows)
        return
    table = make_table("id", "name", "ends with", "scopes", "created")
    for row in rows:
        scopes = " ".join(row["scopes"])
        table.add_row(row["id"], row["name"], row["hint"], scopes, row["created_at"])
    print_table(table)


@keys.command
def revoke(*key_ids: str, account: OfAccount = None) -> None:
    """Let keys open nothing any more."""

    async def revoke_all(remote: Remote) -> None:
        path = f"/accounts/{await _account(remote, account)}/keys"
        for key_id in key_ids:
            await remote.ask("DELETE", f"{path}/{key_id}")
            out.print(f"revoked {key_id}")

    talk(revoke_all)


@accounts.command(name="list")
def list_accounts(*, as_json: AsJson = False) -> None:
    """List accounts, newest first."""
    rows = talk(lambda remote: remote.pages("/accounts"))
    if as_json:
        print_json(rows)
        return
    table = make_table("id", "name", "enabled", "created")
    for row in rows:
        table.add_row(row["id"], row["name"], "yes" if row["enabled"] else "no", row["created_at"])
    print_table(table)


@accounts.command(name="create")
def open_account(name: str, /, *, as_json: AsJson = False) -> None:
    """Open an account; its first key is shown this once."""
    made = talk(lambda remote: remote.ask("POST", "/accounts", {"name": name}))
    if as_json:
        print_json(made)
    else:
        out.print(made["api_key"], highlight=False)
        out.print(f"[dim]account {made['id']}; the key is not shown again[/dim]")


@accounts.command(name="change")
def change_account(
    account: str | None = None,
    /,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    as_json: AsJson = False,
) -> None:
    """
    Change an account.

    Parameters
    ----------
    account
        Name or id (default the key's own).
    name
        Its name from now on.
    time_zone
        Of its schedules that name none, such as Europe/Berlin.
    as_json
        Print JSON.
    """
    given = {"name": name, "time_zone": time_zone}
    patch: Json = {place: value for place, value in given.items() if value is not None}

    async def change(remote: Remote) -> Any:
        return await remote.ask("PATCH", f"/accounts/{await _account(remote, account)}", patch)

    changed = talk(change)
    if as_json:
        print_json(changed)
    else:
        out.print(f"{changed['name']}: {changed['time_zone']}")


@accounts.command(name="query-bounds")
def bound_queries(
    account: str | None = None,
    /,
    *,
    timeout: str | None = None,
    memory_mb: int | None = None,
    max_bytes: int | None = None,
    reset: bool = False,
    as_json: AsJson = False,
) -> None:
    """
    Show what the queries of an account may take, or change it.

    Parameters
    ----------
    account
        Name or id (default the key's own).
    timeout
        How long a query may take, such as 30s.
    memory_mb
        Its memory, in MiB.
    max_bytes
        Bytes of the rows that it answers with.
    reset
        Go back to the settings that all have, but for what is given.
    as_json
        Print JSON.
    """
    given = {"timeout": timeout, "memory_mb": memory_mb, "max_bytes": max_bytes}
    changes: dict[str, Json] = {
        place: value for place, value in given.items() if reset or value is not None
    }

    async def change(remote: Remote) -> Any:
        path = f"/accounts/{await _account(remote, account)}"
        if not changes:
            return await remote.ask("GET", path)
        return await remote.ask("PATCH", path, {"query_bounds": changes})

    bounds = talk(change)["query_bounds"]
    if as_json:
        print_json(bounds)
        return
    for place, value in bounds.items():
        out.print(f"{place}: {'as set for all' if value is None else value}", highlight=False)


async def _account(remote: Remote, reference: str | None) -> str:
    if reference is not None:
        return reference
    own: str = (await remote.ask("GET", "/account"))["id"]
    return own
