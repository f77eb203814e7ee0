"""
Which columns of an answer are whole numbers where all that they are of is.

A number at a path is a double, so a sum of such is one too. What it would be, if the paths
held whole numbers, DuckDB tells: it names the types of the same statement over these.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from oncue.core.json_text import Json
from oncue.core.sql.paths.kinds import Kind

_NUMBER: Final = re.compile(rf"\b{Kind.NUMBER.value}\(")
_WHOLE: Final = re.compile(r"(?:TINY|SMALL|BIG|HUGE|U\w*)?INT(?:EGER)?|DECIMAL\(\d+,0\)")


def whole_columns(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    params: Sequence[Json] | Mapping[str, Json] | None,
    columns: Sequence[tuple[str, str]],
) -> frozenset[int]:
    """Return the places of columns that are doubles only since paths are."""
    doubles = [place for place, (_, kind) in enumerate(columns) if kind == "DOUBLE"]
    whole, count = _NUMBER.subn(f"{Kind.WHOLE.value}(", sql)
    if not doubles or not count:
        return frozenset()
    try:
        with connection.cursor() as beside:
            described = beside.execute(f"DESCRIBE {whole}", params).fetchall()
    except duckdb.Error:
        return frozenset()
    types = [str(kind) for _, kind, *_ in described]
    return frozenset(place for place in doubles if _WHOLE.fullmatch(types[place]))
