"""Commands about the stream of events."""

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import Remote, out, talk
from oncue.core.json_text import encode_json, parse_json

events = cyclopts.App(name="events", help="Follow events, and what is in them.")


@events.command
def tail(
    *,
    event_type: Annotated[str | None, Parameter(name="--type")] = None,
    source: str | None = None,
    subject: str | None = None,
    after: int | None = None,
    limit: int | None = None,
    as_json: AsJson = False,
) -> None:
    """
    Follow the events as they are accepted, until Ctrl-C.

    Parameters
    ----------
    event_type
        A type, or a glob such as order.*.
    source
        Those of one source.
    subject
        Those about one subject.
    after
        Begin after this offset (default now).
    limit
        End after so many events.
    """
    given = {"type": event_type, "source": source, "subject": subject, "after": after}
    query = {name: str(value) for name, value in given.items() if value is not None}

    async def follow(remote: Remote) -> None:
        count = 0
        async for kind, data in remote.messages("/events/stream", query):
            _print(kind, data, as_json=as_json)
            count += kind == "event"
            if limit is not None and count >= limit:
                return

    talk(follow)


@events.command
def schema(*, as_json: AsJson = False) -> None:
    """List the types of the newest events, and the fields that queries can ask for."""
    found = talk(lambda remote: remote.ask("GET", "/events/schema"))
    if as_json:
        print_json(found)
        return
    table = make_table("type", "events", "last", "fields")
    for row in found["types"]:
        fields = ", ".join(f"{field['path']} {field['kind']}" for field in row["fields"])
        table.add_row(row["type"], str(row["count"]), row["last_at"], fields)
    print_table(table)


def _print(kind: str, data: bytes, *, as_json: bool) -> None:
    if as_json:
        out.print(data.decode(), markup=False, highlight=False)
        return
    shown = parse_json(data)
    assert isinstance(shown, dict)
    if kind == "gap":
        out.print(f"[yellow]offsets {shown['from']} to {shown['to']} were left out[/yellow]")
        return
    subject = f" {shown['subject']}" if shown["subject"] is not None else ""
    out.print(f"[dim]{shown['offset']} {shown['received_at']}[/dim] ", end="")
    content = encode_json(shown["data"]).decode()
    out.print(f"{shown['type']}{subject} {content}", markup=False, highlight=False)
