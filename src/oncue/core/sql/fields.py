"""What stands in the documents of a type of event, for those who write queries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from oncue.core.json_text import Json

MAX_FIELDS: Final = 500

# Of the newest events: who writes a query wants to know what comes now.
SCHEMA_QUERY: Final = """
SELECT type, count(*), min(time), max(time),
    json_group_structure(data), json_group_structure(extensions), arg_max(data, "offset")
FROM (SELECT * FROM events ORDER BY "offset" DESC LIMIT 100000)
GROUP BY type ORDER BY count(*) DESC, type
"""
_KINDS: Final[Mapping[str, str]] = {
    "UBIGINT": "number",
    "BIGINT": "number",
    "HUGEINT": "number",
    "DOUBLE": "number",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "NULL": "null",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A path into a document, and what stands there: `mixed` where that differs."""

    path: str
    kind: str


def fields_of(root: str, structure: Json) -> list[Field]:
    """
    Return the fields of documents, from what DuckDB tells of their structure.

    >>> fields_of("data", {"amount": "DOUBLE", "items": [{"sku": "VARCHAR"}]})
    [Field(path='data.amount', kind='number'), Field(path='data.items', kind='list'), Field(path='data.items[0].sku', kind='text')]
    """
    return [*islice(_fields(root, structure), MAX_FIELDS)]


def _fields(path: str, structure: Json) -> Iterator[Field]:
    match structure:
        case Mapping():
            for name, inner in structure.items():
                yield from _fields(_inner(path, name), inner)
        case list():
            yield Field(path, "list")
            for inner in structure[:1]:
                if isinstance(inner, Mapping | list):
                    yield from _fields(f"{path}[0]", inner)
        case str() if "." in path or "[" in path:
            yield Field(path, _KINDS.get(structure, "mixed"))
        case _:
            pass


def _inner(path: str, name: str) -> str:
    is_plain = name.isidentifier() and name.isascii()
    return f"{path}.{name}" if is_plain else "{}['{}']".format(path, name.replace("'", "''"))
