"""Commands about what was given up."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import CommandError, Remote, out, talk
from oncue.core.json_text import Json

dead_letters = cyclopts.App(name="dead-letters", help="What was given up: try again, or let go.")

Queue = Literal["events", "workflows"]
State = Literal["open", "redriven", "discarded"]
All = Annotated[bool, Parameter(name="--all", negative="", help="All that are open.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """
    Which dead letters are meant.

    Parameters
    ----------
    queue
        Those of events, or of workflows.
    workflow
        Name or id of a workflow.
    pattern
        Name or id of a pattern.
    fingerprint
        Of one cause; `list --group` shows them.
    """

    queue: Queue | None = None
    workflow: str | None = None
    pattern: str | None = None
    fingerprint: str | None = None

    def terms(self) -> dict[str, Json]:
        """Return what is given."""
        return {name: value for name, value in asdict(self).items() if value is not None}


_ANY = Which()


@dead_letters.command(name="list")
def list_letters(
    *,
    which: Which = _ANY,
    state: State = "open",
    group: Annotated[bool, Parameter(negative="")] = False,
    limit: int = 20,
    as_json: AsJson = False,
) -> None:
    """
    List dead letters, newest first.

    Parameters
    ----------
    state
        open, redriven or discarded.
    group
        By cause, with their number.
    limit
        How many at most.
    """
    query = {**which.terms(), "limit": limit, "state": state}
    if group:
        query["group"] = "error"
    page = talk(lambda remote: remote.ask("GET", f"/dead-letters?{urlencode(query)}"))
    if as_json:
        print_json(page)
    elif not page["data"]:
        out.print("no dead letters")
    elif group:
        _print_groups(page["data"])
    else:
        _print_letters(page["data"])


@dead_letters.command
def show(letter_id: str, /, *, as_json: AsJson = False) -> None:
    """Show a dead letter."""
    found = talk(lambda remote: remote.ask("GET", f"/dead-letters/{letter_id}"))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        if value is not None:
            out.print(f"{name:13} {value}", markup=False)


@dead_letters.command
def redrive(
    *letter_ids: str,
    all_: All = False,
    which: Which = _ANY,
    rate: str = "10/s",
    latest: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """
    Try dead letters again: some by their ids, or at a rate all that the options find.

    Parameters
    ----------
    letter_ids
        Which ones.
    rate
        How fast, where they are many: 10/s, 30/m, 500/h.
    latest
        Run the current versions of their workflows.
    """
    terms = _chosen(letter_ids, which, is_all=all_)
    version = "latest" if latest else "pinned"

    async def try_again(remote: Remote) -> None:
        for letter_id in letter_ids:
            path = f"/dead-letters/{letter_id}/redrive"
            done = await remote.ask("POST", path, {"version": version})
            begun = done["redriven_as"]
            out.print(f"redriven {letter_id}{f' as {begun}' if begun else ''}")
        if terms is not None:
            body: Json = {"filter": terms, "rate": rate, "version": version}
            begun = await remote.ask("POST", "/dead-letters/redrive", body)
            out.print(f"redriving {begun['total']} at {rate} as {begun['id']}")

    talk(try_again)


@dead_letters.command
def redrives(*, limit: int = 20, as_json: AsJson = False) -> None:
    """
    List what redrives many, with its progress.

    Parameters
    ----------
    limit
        How many at most.
    """
    page = talk(lambda remote: remote.ask("GET", f"/dead-letters/redrives?limit={limit}"))
    if as_json:
        print_json(page)
        return
    table = make_table("id", "state", "rate", "redriven", "refused", "left", "total", "last error")
    for row in page["data"]:
        counts = (str(row[name]) for name in ("redriven", "refused", "left", "total"))
        table.add_row(row["id"], row["state"], row["rate"], *counts, row["last_error"] or "")
    print_table(table)


@dead_letters.command
def cancel(redrive_id: str, /) -> None:
    """
    End the redriving of many; what was not tried again stays open.

    Parameters
    ----------
    redrive_id
        Which one, as `redrives` lists it.
    """
    done = talk(lambda remote: remote.ask("POST", f"/dead-letters/redrives/{redrive_id}/cancel"))
    out.print(f"cancelled {redrive_id}: {done['redriven']} of {done['total']} redriven")


@dead_letters.command
def discard(*letter_ids: str, all_: All = False, which: Which = _ANY) -> None:
    """
    Let go of dead letters: some by their ids, or all that the options find.

    Parameters
    ----------
    letter_ids
        Which ones.
    """
    terms = _chosen(letter_ids, which, is_all=all_)

    async def let_go(remote: Remote) -> None:
        for letter_id in letter_ids:
            await remote.ask("DELETE", f"/dead-letters/{letter_id}")
            out.print(f"discarded {letter_id}")
        if terms is not None:
            done = await remote.ask("POST", "/dead-letters/discard", {"filter": terms})
            out.print(f"discarded {done['discarded']}")

    talk(let_go)


def _chosen(letter_ids: tuple[str, ...], which: Which, *, is_all: bool) -> dict[str, Json] | None:
    """Return the filter for many; None where some are named."""
    terms = which.terms()
    if bool(letter_ids) == bool(terms or is_all):
        raise CommandError("expected either ids of dead letters, or options such as --all")
    return None if letter_ids else terms


def _print_letters(rows: list[Any]) -> None:
    table = make_table("id", "of", "state", "since", "error")
    for row in rows:
        origin = row.get("workflow") or row.get("pattern")
        table.add_row(row["id"], origin, row["state"], row["created_at"], row["error"][:80])
    print_table(table)


def _print_groups(rows: list[Any]) -> None:
    table = make_table("fingerprint", "count", "of", "newest", "error")
    for row in rows:
        origins = ", ".join(row["origins"])
        table.add_row(
            row["fingerprint"], str(row["count"]), origins, row["last_at"], row["error"][:80]
        )
    print_table(table)
