"""How commands print."""

from typing import Annotated

from cyclopts import Parameter

from oncue.cli.remote import out
from oncue.core.json_text import Json, encode_json

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


def print_json(value: Json) -> None:
    """Print a value for machines, and readable all the same."""
    out.print_json(encode_json(value).decode())
