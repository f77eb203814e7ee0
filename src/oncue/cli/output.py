"""How commands print."""

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from oncue.cli.remote import out
from oncue.core.json_text import Json, encode_json

_PIPE_WIDTH = 1_000

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


def make_table(*names: str) -> Table:
    """Return an empty table; where a terminal is narrow its words are folded, never cut."""
    table = Table(box=None)
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    return table


def print_table(table: Table) -> None:
    """Print a table; whoever reads it by a pipe gets a row in a line."""
    if not out.is_terminal:
        # A console's own width bounds whatever is printed on it.
        out.width = _PIPE_WIDTH
    out.print(table)


def print_json(value: Json) -> None:
    """Print a value for machines, and readable all the same."""
    out.print_json(encode_json(value).decode())
