"""What an editor of SQL may offer: columns, functions with their parameters, and keywords."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from oncue.core.json_text import Json
from oncue.core.sql.columns import COLUMNS
from oncue.core.sql.expressions import CALLS

# What needs files or settings, or is spelled otherwise than a name, is no help here.
COMPLETION_QUERY: Final = r"""
SELECT 'function' AS what, function_name AS name, min(function_type) AS kind,
    arg_max(parameters, len(parameters)) AS parameters,
    coalesce(any_value(description), '') AS description, coalesce(any_value(examples)[1], '') AS example
FROM duckdb_functions()
WHERE function_type IN ('scalar', 'aggregate', 'window', 'macro') AND schema_name = 'main'
    AND internal AND regexp_full_match(function_name, '[a-z][a-z0-9_]*')
    AND NOT has_side_effects IS TRUE AND function_name NOT LIKE 'pg\_%' ESCAPE '\'
GROUP BY function_name
UNION ALL
SELECT 'keyword', keyword_name, min(keyword_category), [], '', '' FROM duckdb_keywords()
GROUP BY keyword_name
UNION ALL
SELECT 'column', column_name, any_value(data_type), [], '', '' FROM duckdb_columns()
WHERE table_name = 'events' GROUP BY column_name
ORDER BY what, name
"""
_AGGREGATES: Final = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.RowNumber)
_STREAMED: Final[tuple[type[exp.Expr], ...]] = (*_AGGREGATES, *CALLS)
_KNOWN: Final = frozenset((*DuckDB.Parser.FUNCTIONS, *DuckDB.Parser.FUNCTION_PARSERS))
_MOST_ARGUMENTS: Final = 4
_AS_TABLE: Final = "Or, in FROM, TABLE(…(TABLE events, DESCRIPTOR(time), …)) beside GROUP BY window_start, window_end."


def _own(kind: str, example: str, description: str) -> Json:
    name, _, arguments = example.removesuffix(")").partition("(")
    return {
        "name": name,
        "kind": kind,
        "parameters": [argument.strip() for argument in arguments.split(", ") if argument],
        "description": description,
        "example": example,
        "streams": True,
    }


_OWN: Final = (
    _own("scalar", "coalesce(data.amount, 0)", "The first value that is not NULL."),
    _own("scalar", "CAST(data.amount AS INTEGER)", "The value as another type."),
    *(
        _own("window", f"{shape}(time, {intervals})", f"{what}, in GROUP BY. {_AS_TABLE}")
        for shape, intervals, what in (
            ("TUMBLE", "INTERVAL '10' MINUTE", "Windows of one length, side by side"),
            ("HOP", "INTERVAL '1' MINUTE, INTERVAL '10' MINUTE", "Windows of one length, each a step later"),
            ("CUMULATE", "INTERVAL '1' HOUR, INTERVAL '1' DAY", "Windows that grow by steps, up to a length"),
            ("SESSION", "INTERVAL '30' MINUTE", "Windows that end by a silence"),
        )
    ),
    *(
        _own("row pattern", example, f"{what}, in MATCH_RECOGNIZE.")
        for example, what in (
            ("FIRST(A.data.amount)", "The value of the first row of a variable, or of the one so many behind it"),
            ("LAST(A.data.amount)", "The value of the last row of a variable, or of the one so many before it"),
            ("PREV(data.amount)", "The value of the row before, or so many before"),
            ("NEXT(data.amount)", "The value of the row behind, or so many behind"),
            ("CLASSIFIER()", "The variable that a row went to"),
            ("MATCH_NUMBER()", "The number of the match in its partition"),
            ("RUNNING LAST(A.data.amount)", "The value as of the current row"),
            ("FINAL LAST(A.data.amount)", "The value as of the whole match"),
        )
    ),
)  # fmt: skip
"""What DuckDB does not tell of."""


def completion_of(rows: Sequence[Sequence[Json]]) -> dict[str, list[Json]]:
    """Return the rows of `COMPLETION_QUERY` by what they are; `streams` is whether a pattern takes a function."""
    columns: dict[str, Json] = dict.fromkeys(COLUMNS)
    functions: list[Json] = [*_OWN]
    keywords: list[Json] = []
    for what, name, kind, parameters, description, example in rows:
        if what == "column":
            columns[str(name)] = {"name": name, "type": kind}
        elif what == "keyword":
            keywords.append(name)
        else:
            functions.append(
                {
                    "name": name,
                    "kind": kind,
                    "parameters": parameters,
                    "description": description,
                    "example": example,
                    "streams": _streams(str(name)),
                }
            )
    return {"columns": [*columns.values()], "functions": functions, "keywords": keywords}


@cache
def _streams(name: str) -> bool:
    return name.upper() in _KNOWN and any(_parsed(name, count) for count in range(_MOST_ARGUMENTS))


def _parsed(name: str, count: int) -> bool:
    call = f"{name}({', '.join('abcd'[:count])})"
    try:
        node = sqlglot.parse_one(call, dialect="duckdb")
    except SqlglotError:
        return False
    return isinstance(node, _STREAMED)
