"""Commands that look at a running OnCue, and tell it something."""

import sys
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter
from rich.text import Text

from oncue.cli.output import AsJson, make_table, print_json, print_table
from oncue.cli.remote import CommandError, Remote, out, talk
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json

executions = cyclopts.App(name="executions", help="Look at executions, and end them.")

_STYLES = {"completed": "green", "failed": "red", "waiting": "yellow", "running": "cyan"}


def send(
    event_type: str,
    data: str = "null",
    /,
    *,
    id_: Annotated[str | None, Parameter(name="--id")] = None,
    source: str | None = None,
    subject: str | None = None,
    as_json: AsJson = False,
) -> None:
    """
    Send an event.

    Parameters
    ----------
    event_type
        What happened, such as user.signup.
    data
        JSON, or - to read it from the standard input.
    id_
        Its id; a repeat of it is told as a duplicate.
    source
        Who says it (default api).
    subject
        About whom.
    """
    text = sys.stdin.read() if data == "-" else data
    try:
        content = parse_json(text.encode())
    except MalformedJson as exc:
        raise CommandError(f"expected JSON as data: {exc}") from exc
    given = {"id": id_, "source": source, "subject": subject}
    event: dict[str, Json] = {"type": event_type, "data": content}
    event |= {name: value for name, value in given.items() if value is not None}
    answer = talk(lambda remote: remote.ask("POST", "/events", event))
    if as_json:
        print_json(answer)
    else:
        out.print(f"{answer['status']} {answer['id']} at offset {answer['offset']}")


@executions.command(name="list")
def list_executions(*, limit: int = 20, as_json: AsJson = False) -> None:
    """List executions, newest first."""
    page = talk(lambda remote: remote.ask("GET", f"/executions?limit={limit}"))
    if as_json:
        print_json(page)
        return
    table = make_table("id", "workflow", "status", "started", "error")
    for row in page["data"]:
        error = (row["error"] or "")[:60]
        table.add_row(
            row["id"], row["workflow"], _coloured(row["status"]), row["created_at"], error
        )
    if page["data"]:
        print_table(table)
    else:
        out.print("no executions yet")


@executions.command
def show(execution_id: str, /, *, as_json: AsJson = False) -> None:
    """Show an execution with its steps."""
    found = talk(lambda remote: remote.ask("GET", f"/executions/{execution_id}"))
    if as_json:
        print_json(found)
        return
    out.print(f"{found['workflow']} (version {found['version']}): ", end="")
    out.print(_coloured(found["status"]))
    if found["error"]:
        out.print(found["error"], style="red", markup=False)
    table = make_table("step", "type", "status", "attempts", "output")
    for step in found["steps"]:
        table.add_row(
            step["path"],
            step["type"],
            _coloured(step["status"]),
            str(len(step["attempts"]) or ""),
            _short(step["error"] or step["output"]),
        )
    print_table(table)


@executions.command
def cancel(*execution_ids: str) -> None:
    """End executions."""

    async def cancel_all(remote: Remote) -> None:
        for execution_id in execution_ids:
            await remote.ask("POST", f"/executions/{execution_id}/cancel")
            out.print(f"cancelled {execution_id}")

    talk(cancel_all)


@executions.command
def replay(
    execution_id: str,
    /,
    *,
    from_: Annotated[str, Parameter(name="--from")] = "start",
    latest: Annotated[bool, Parameter(negative="")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Begin another execution that reuses the results before a step.

    Parameters
    ----------
    execution_id
        One that has ended.
    from_
        The step to begin at, by its id or path (default start: reuse nothing).
    latest
        Run the current version of the workflow.
    """
    body: Json = {"from": from_, "version": "latest" if latest else "pinned"}
    begun = talk(lambda remote: remote.ask("POST", f"/executions/{execution_id}/replay", body))
    if as_json:
        print_json(begun)
    else:
        out.print(f"began {begun['execution_id']}")


@executions.command
def resolve(
    execution_id: str, step: str, outcome: Literal["done", "retry", "fail"], /, *, output: str = ""
) -> None:
    """
    Say what became of a call whose outcome is unknown.

    Parameters
    ----------
    execution_id
        An execution that waits.
    step
        The path of its step that is in doubt.
    outcome
        It was carried out, it may be called again, or the step has failed.
    output
        What it gave, as JSON, if it was carried out.
    """
    data: dict[str, Json] = {"step": step, "outcome": outcome}
    if output:
        data["output"] = parse_json(output.encode())
    body: Json = {"name": "in_doubt", "data": data}
    talk(lambda remote: remote.ask("POST", f"/executions/{execution_id}/signal", body))
    out.print(f"{execution_id} goes on")


def _coloured(status: str) -> Text:
    return Text(status, _STYLES.get(status, ""))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else encode_json(value).decode()
    return "" if value is None else text[:70]
