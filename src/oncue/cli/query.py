"""`oncue query`: SQL over the stored events."""

import sys
from typing import Annotated, Final

from cyclopts import Parameter

from oncue.cli.output import AsJson, make_table, print_table
from oncue.cli.remote import Remote, out, talk
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json

_FORMATS: Final = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
}


def query(
    sql: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    param: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    limit: int = 1_000,
    form: Annotated[str, Parameter(name="--format")] = "table",
    as_json: AsJson = False,
) -> int:
    """
    Ask the stored events: SELECT … FROM events.

    Parameters
    ----------
    sql
        One SELECT; `-` reads it from the standard input.
    param
        A value for `?` or `$1` in turn: JSON, or else text.
    limit
        Rows at most.
    form
        table, csv, ndjson or arrow.
    """
    if form not in (*_FORMATS, "table"):
        out.print(f"expected --format to be table, {', '.join(_FORMATS)}, got {form!r}")
        return 1
    text = sys.stdin.read() if sql == "-" else sql
    body: Json = {"sql": text, "params": [_value(given) for given in param], "limit": limit}

    async def ask(remote: Remote) -> bytes:
        accept = _FORMATS.get(form, "application/json")
        return await remote.content("POST", "/events/query", body, accept)

    content = talk(ask)
    if form in _FORMATS:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    elif as_json:
        out.print(content.decode(), markup=False, highlight=False, soft_wrap=True)
    else:
        _show(content)
    return 0


def _value(given: str) -> Json:
    try:
        return parse_json(given.encode())
    except MalformedJson:
        return given


def _show(content: bytes) -> None:
    found = parse_json(content)
    assert isinstance(found, dict)
    table = make_table(*[column["name"] for column in found["columns"]], is_boxed=True)
    for row in found["rows"]:
        table.add_row(*[_cell(value) for value in row])
    print_table(table)
    cut = ", cut off: there are more" if found["truncated"] else ""
    out.print(f"[dim]{found['row_count']} rows in {found['elapsed_ms']} ms{cut}[/dim]")


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else encode_json(value).decode()
