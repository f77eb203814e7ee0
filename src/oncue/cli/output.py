"""How commands print."""

from typing import Annotated

from cyclopts import Parameter
from rich.console import RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from oncue.cli.remote import out
from oncue.core.json_text import Json, encode_json

_PIPE_WIDTH = 1_000

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


class _Plain(Table):
    # Cells come from outside: what stands in brackets there is neither style nor link.
    def add_row(
        self,
        *renderables: RenderableType | None,
        style: StyleType | None = None,
        end_section: bool = False,
    ) -> None:
        cells = [Text(cell) if isinstance(cell, str) else cell for cell in renderables]
        super().add_row(*cells, style=style, end_section=end_section)


def make_table(*names: str, is_boxed: bool = False) -> Table:
    """Return an empty table; where a terminal is narrow its words are folded, never cut."""
    table = _Plain() if is_boxed else _Plain(box=None)
    for name in names:
        table.add_column(Text(name), overflow="fold", no_wrap=name == "id")
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
