"""Commands about schedules: what fires when."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import CommandError, Remote, delete_each, out, talk
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, parse_json

schedules = cyclopts.App(name="schedules", help="Emit events at certain times.")


@Parameter(name="*")
@dataclass(frozen=True)
class Timing:
    """
    When a schedule fires, and with what.

    Parameters
    ----------
    cron
        Minute, hour, day of month, month, day of week, such as "30 2 * * *".
    every
        Or a duration, such as 15m.
    time_zone
        Where cron is read (default the account's).
    data
        JSON object that its events carry.
    misfire
        What follows when it could not fire in time (default fire_once).
    """

    cron: str | None = None
    every: str | None = None
    time_zone: str | None = None
    data: str | None = None
    misfire: Literal["skip", "fire_once", "fire_all"] | None = None


@schedules.command
def create(
    name: str,
    /,
    *,
    timing: Timing = Timing(),
    paused: Annotated[bool, Parameter(negative="")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Make a schedule, and say when it fires next.

    Parameters
    ----------
    name
        Its name; the subject of its events.
    paused
        Do not let it fire yet.
    as_json
        Print JSON.
    """
    given = {**asdict(timing), "data": timing.data and _parsed(timing.data)}
    body: dict[str, Json] = {"name": name, "enabled": not paused}
    body |= {place: value for place, value in given.items() if value is not None}
    made = talk(lambda remote: remote.ask("POST", "/schedules", body))
    if as_json:
        print_json(made)
    else:
        _print(made)


@schedules.command(name="list")
def list_schedules(*, as_json: AsJson = False) -> None:
    """List schedules, and when they fire next."""
    rows = talk(lambda remote: remote.pages("/schedules"))
    if as_json:
        print_json(rows)
        return
    table = make_table("name", "when", "time zone", "next", "last", "missed", "of workflow")
    for row in rows:
        table.add_row(
            row["name"],
            _when(row),
            row["effective_time_zone"],
            _local(row, row["next_at"]) or "paused",
            _local(row, row["last_at"]) or "never",
            str(row["missed"] or ""),
            row["owned_by"] or "",
        )
    print_table(table)


@schedules.command
def show(name: str, /, *, as_json: AsJson = False) -> None:
    """Show a schedule, and its next five times."""
    row = talk(lambda remote: remote.ask("GET", f"/schedules/{name}"))
    if as_json:
        print_json(row)
    else:
        _print(row)


@schedules.command
def pause(*names: str) -> None:
    """Let schedules fire no more until they are resumed."""
    _change_all(names, {"enabled": False})


@schedules.command
def resume(*names: str) -> None:
    """Let schedules fire again from now on; what was due meanwhile never fires."""
    _change_all(names, {"enabled": True})


@schedules.command
def delete(*names: str) -> None:
    """Forget schedules; the events that they emitted stay."""
    delete_each("/schedules", names)


def _change_all(names: tuple[str, ...], patch: Json) -> None:
    async def change_all(remote: Remote) -> None:
        for name in names:
            row = await remote.ask("PATCH", f"/schedules/{name}", patch)
            told = _local(row, row["next_at"])
            out.print(f"{row['name']}: {f'next {told}' if told else 'paused'}")

    talk(change_all)


def _print(row: dict[str, Any]) -> None:
    out.print(f"[bold]{row['name']}[/bold]: {_when(row)} ({row['effective_time_zone']})")
    for place in ("data", "misfire", "owned_by"):
        if row.get(place):
            out.print(f"  {place}: {row[place]}", markup=False)
    if row["missed"]:
        out.print(f"  missed since it fired last: {row['missed']}")
    if last := _local(row, row["last_at"]):
        out.print(f"  last: {last}")
    if not row["upcoming"]:
        out.print("  paused")
    for at in row["upcoming"]:
        out.print(f"  next: {_local(row, at)}")


def _when(row: dict[str, Any]) -> str:
    return str(row.get("cron") or f"every {row['every']}")


def _local(row: dict[str, Any], instant: str | None) -> str | None:
    """Return an instant as the clocks of a schedule show it."""
    if instant is None:
        return None
    shown = datetime.fromisoformat(instant).astimezone(ZoneInfo(row["effective_time_zone"]))
    return f"{shown:%a %Y-%m-%d %H:%M:%S %z}"


def _parsed(text: str) -> Json:
    try:
        return parse_json(text.encode())
    except MalformedJson as exc:
        raise CommandError(f"expected JSON as --data: {exc}") from exc
