"""
What a SELECT may reach: the events, and what is computed from them.

DuckDB has functions and views that tell where files are and how the server is set, that
read files, or that run SQL which is a value. Closing it off from outside leaves those
that speak of itself. So its own parser reads the SQL first, and what it found is looked through:
tables and functions that give rows are those named here, whatever a release adds.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import duckdb
import msgspec

from oncue.core.json_text import Json
from oncue.core.problems import nearest

_EVENTS: Final = "events"
_SCHEMAS: Final = frozenset(("", "main"))
_CATALOGS: Final = frozenset(("", "memory"))
_OF_ARGUMENTS: Final = (
    *("generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest"),
)
TABLE_FUNCTIONS: Final = frozenset(
    (*_OF_ARGUMENTS, "duckdb_columns", "duckdb_functions", "duckdb_keywords")
)
"""Functions that give rows of what they are given, or tell what SQL may be written."""
REFUSED_FUNCTIONS: Final = frozenset(
    (
        # Settings tell where files are; a plan has the values that it was folded to.
        *("current_setting", "getvariable", "json_serialize_plan", "stats"),
        # Of no use where nothing is kept, but for holding a process or its memory.
        *("currval", "nextval", "pg_sleep", "setseed", "setval", "sleep_ms", "write_log"),
        # Views by another name.
        *("pg_get_constraintdef", "pg_get_viewdef"),
    )
)
"""Functions of a value that do more than compute it."""
# Deeper than DuckDB lets an expression be, and each step is several of the tree's.
_DEPTH: Final = 20_000
_TREE: Final = """
VALUES (json_serialize_sql(?, skip_default := true, skip_empty := true, skip_null := true))
"""
_INTERNAL: Final = """
FROM duckdb_views() SELECT lower(view_name) WHERE internal AND schema_name <> 'information_schema'
"""
_OURS: Final = "FROM duckdb_views() SELECT lower(view_name) WHERE NOT internal"

Tree = Mapping[str, Json]


class Reach:
    """Tells what is beyond reach, in SQL that DuckDB's own parser reads."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        # What a table of that name would be where the query's own is out of sight.
        self._internal = {name for (name,) in connection.execute(_INTERNAL).fetchall()}

    def problem(self, sql: str) -> str | None:
        """Return what a single SELECT may not do, if it does so."""
        try:
            nodes = [*_nodes(self._tree(sql))]
        except RecursionError:
            return "expected SQL that is nested less deeply"
        # What cannot be looked through is not run.
        if nodes[0].get("error"):
            return f"expected SQL that can be read: {nodes[0].get('error_message')}"
        own = {str(entry["key"]).lower() for entry in nodes if _is_query(entry.get("value"))}
        if taken := sorted(own & (self._internal | {"recent"})):
            return f"expected another name than {taken[0]!r}, which is one of DuckDB's own"
        # Beside the events, what is made of the row patterns of this query.
        ours = {name for (name,) in self._connection.execute(_OURS).fetchall()}
        for node in nodes:
            if told := _told(node, own | ours):
                place = node.get("query_location")
                return told + (_marked(sql, place) if isinstance(place, int) else "")
        return None

    def _tree(self, sql: str) -> Json:
        found = self._connection.execute(_TREE, [sql]).fetchone()
        assert found
        with _deep():
            tree: Json = msgspec.json.decode(found[0])
        return tree


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEPTH)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _nodes(tree: Json) -> Iterator[Tree]:
    """Yield all objects in a tree; it may be deeper than a function can call itself."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, Mapping):
            yield node
            left += reversed([*node.values()])
        elif isinstance(node, list):
            left += reversed(node)


def _is_query(value: Json) -> bool:
    return isinstance(value, Mapping) and "query_node" in value


def _told(node: Tree, tables: set[str]) -> str | None:
    name = node.get("function_name")
    if isinstance(name, str) and name.lower() in REFUSED_FUNCTIONS:
        return f"expected functions that compute from what they are given, got {name}()"
    match node.get("type"):
        case "TABLE_FUNCTION":
            return _told_of_function(node)
        case "BASE_TABLE" | "SHOW_REF" if "table_name" in node:
            return _told_of_table(node, tables)
    return None


def _told_of_function(node: Tree) -> str | None:
    function = node.get("function")
    name = str(function.get("function_name") if isinstance(function, Mapping) else function)
    if name.lower() in TABLE_FUNCTIONS:
        return None
    meant = nearest(name, TABLE_FUNCTIONS)
    known = ", ".join(_OF_ARGUMENTS)
    return f"expected the table {_EVENTS} or rows of {known}, got {name}(){meant}"


def _told_of_table(node: Tree, tables: set[str]) -> str | None:
    name = str(node["table_name"]).strip('"')
    schema, catalog = str(node.get("schema_name", "")), str(node.get("catalog_name", ""))
    is_ours = schema.lower() in _SCHEMAS and catalog.lower() in _CATALOGS
    # In a schema there is no table of the query's own.
    known = tables if not schema and not catalog else {_EVENTS}
    if is_ours and name.lower() in known:
        return None
    whole = ".".join(part for part in (catalog, schema, name) if part)
    return f"expected the table {_EVENTS}, got {whole!r}{nearest(name, tables)}"


def _marked(sql: str, place: int) -> str:
    """Return the line that has a place, as DuckDB shows it."""
    before = sql.encode()[:place].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    prefix = f"LINE {line}: "
    shown = sql.split("\n")[line - 1][max(0, column - 60) : column + 40]
    return f"\n\n{prefix}{shown}\n{' ' * (len(prefix) + min(column, 60))}^"
