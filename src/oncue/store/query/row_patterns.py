"""
MATCH_RECOGNIZE in a question: answered by the engine of patterns, for DuckDB a view.

    … FROM source MATCH_RECOGNIZE (…) AS m …
           │ DuckDB gives its rows        ▲ takes the matches' rows from a view
           └── columns that are needed ───┘ the engine finds the matches
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final, TypeAlias

import duckdb
import msgspec

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.pattern.rows.bounded import BoundedRows, compile_bounded
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.layout import Placed
from oncue.core.sql.columns import Step, value_at
from oncue.core.sql.paths.kinds import Kind
from oncue.core.sql.row_pattern.draft import Draft, Found, parameters_in
from oncue.core.sql.scalars import Sort
from oncue.core.sql.text import Statement
from oncue.core.sql.values import bounded
from oncue.core.sql.windows.rewriting import with_windows
from oncue.store.query.encoding import as_whole, quoted_name
from oncue.store.query.messages import Question

Params: TypeAlias = Sequence[Json] | Mapping[str, Json]
_Named: TypeAlias = Mapping[str, Json]

_VIEW: Final = "match_recognize"
_BATCH: Final = 10_000
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
_SORTS: Final[Mapping[str, Sort]] = {
    "BOOLEAN": Sort.TRUTH,
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
        Sort.NUMBER,
    ),
    **dict.fromkeys(
        ("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM", "DECIMAL", "FLOAT", "DOUBLE"), Sort.NUMBER
    ),
    **dict.fromkeys(("VARCHAR", "UUID", "ENUM", "TIME", "BLOB", "BIT"), Sort.TEXT),
    **dict.fromkeys(
        ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
        Sort.INSTANT,
    ),
    "DATE": Sort.INSTANT,
    "INTERVAL": Sort.SPAN,
}
_STAGED: Final[Mapping[Sort, str]] = {
    Sort.TEXT: "VARCHAR",
    Sort.TRUTH: "BOOLEAN",
    Sort.INSTANT: "BIGINT",
    Sort.SPAN: "BIGINT",
}


class RowPatterns:
    """
    Answers the row patterns of a question.

    `prepare` makes of SQL what DuckDB is given; `explain` tells what DuckDB found wrong with it.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        prepare: Callable[[str, Params], str],
        explain: Callable[[str, Params, duckdb.Error], str],
    ) -> None:
        self._connection = connection
        self._prepare = prepare
        self._explain = explain

    def answered(self, question: Question) -> Question:
        """
        Return a question with a view of the matches' rows in place of each row pattern.

        Raises:
            InvalidInput: a row pattern, or what it reads, is wrong.
        """
        if _VIEW not in question.sql.lower():
            return question
        params = _by_name(question.values)
        draft = Draft(Statement(question.sql, "sql", params))
        found = draft.first()
        if found is None:
            return question
        while found is not None:
            sql = with_windows(draft.source(found))
            view = draft.fresh(_VIEW)
            self._answer(found, sql, _used(sql, params), view)
            draft.replace(found, view)
            found = draft.first()
        sql = draft.text()
        # What nothing mentions is left for DuckDB to refuse.
        others = {name: value for name, value in params.items() if name not in draft.parameters}
        given = _encode(_used(sql, params) | others)
        return msgspec.structs.replace(question, sql=sql, params=given)

    def _answer(self, found: Found, sql: str, params: _Named, view: str) -> None:
        prepared = self._prepare(sql, params)
        types = self._types(sql, prepared, params)
        source = Input(found.alias or "its source", {name: _sort(types[name]) for name in types})
        rows = compile_bounded(found.clause, source, found.wanted)
        asked = self._rows(_Reading(rows, types), sql, prepared, params)
        self._show(view, rows, types, rows.results(asked))

    def _types(self, sql: str, prepared: str, params: _Named) -> dict[str, str]:
        """Return the columns of a source with their types."""
        found = self._run(f"FROM ({prepared}) LIMIT 0", sql, params)
        return {str(name): str(kind) for name, kind, *_ in found.description or ()}

    def _rows(
        self, reading: "_Reading", sql: str, prepared: str, params: _Named
    ) -> Iterator[tuple[Json, ...]]:
        found = self._run(reading.query(prepared), sql, params)
        conversions = reading.conversions
        while batch := found.fetchmany(_BATCH):
            for row in batch:
                cells = [*row]
                for place, convert in conversions:
                    cells[place] = convert(cells[place])
                yield tuple(cells)

    def _run(self, written: str, sql: str, params: _Named) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(written, params or None)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as exc:
            raise InvalidInput([Problem("sql", self._explain(sql, params, exc))]) from exc

    def _show(
        self,
        view: str,
        rows: BoundedRows,
        types: Mapping[str, str],
        results: Iterable[tuple[Json, ...]],
    ) -> None:
        """Make a view of results."""
        columns = [_Column(n, name, sort) for n, (name, sort) in enumerate(rows.columns)]
        for column in columns:
            column.is_document = column.name in rows.passed and types.get(column.name) == "JSON"
        staged = ", ".join(f"{column.staged} {column.staged_type}" for column in columns)
        self._connection.execute(f'CREATE OR REPLACE TABLE "{view}_rows" ({staged})')
        shape = _encode([{column.staged: column.staged_type for column in columns}]).decode()
        read = f"FROM (SELECT unnest(from_json($1, {_text(shape)}), max_depth := 2))"
        results = iter(results)
        while batch := [*islice(results, _BATCH)]:
            given = [
                {column.staged: column.seen(row[column.place]) for column in columns}
                for row in batch
            ]
            lines = self._connection.sql(read, params=[_encode(given).decode()])
            lines.insert_into(f"{view}_rows")
        shown = ", ".join(f"{column.shown()} AS {quoted_name(column.name)}" for column in columns)
        self._connection.execute(
            f'CREATE OR REPLACE VIEW "{view}" AS FROM "{view}_rows" SELECT {shown}'
        )


class _Reading:
    """How what is needed of a source is asked of DuckDB, and made what the engine takes."""

    def __init__(self, rows: BoundedRows, types: Mapping[str, str]) -> None:
        self._rows = rows
        self._columns: list[str] = []
        self.conversions: list[tuple[int, Callable[[object], Json]]] = []
        for place, (name, path) in enumerate(rows.kept):
            column, convert = _read(name, types[name], path)
            self._columns.append(f"{column} AS c{place}")
            if convert is not None:
                self.conversions.append((place, convert))

    def query(self, prepared: str) -> str:
        """Return what asks for the rows, in their order."""
        columns = ", ".join(self._columns) or "NULL AS none"
        order = [key for column in self._rows.order for key in _order(column)]
        # Rows that ORDER BY does not tell apart stay as they came.
        order += ["came"] if order else []
        by = f" ORDER BY {', '.join(order)}" if order else ""
        inner = f"FROM ({prepared}) AS source SELECT {columns}, row_number() OVER () AS came"
        return f"FROM ({inner}) SELECT * EXCLUDE (came){by}"


class _Column:
    """A column of the result: what it is staged as, and what it is by the values seen."""

    def __init__(self, place: int, name: str, sort: Sort) -> None:
        self.place = place
        self.name = name
        self.staged = f"c{place}"
        self.staged_type = _STAGED.get(sort, "JSON")
        self.is_document = False
        self._sort = sort
        self._kinds: set[type] = set()

    def seen(self, value: Json) -> Json:
        """Return a value as it is staged."""
        if self.staged_type != "JSON" or value is None:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            value = bounded(value)
        self._kinds.add(type(value))
        return value

    def shown(self) -> str:
        """Return what gives the column of what is staged; a mixed one is whatever each value is."""
        if self._sort is Sort.INSTANT:
            return f"make_timestamptz({self.staged} * 1000)"
        if self.staged_type != "JSON" or self.is_document:
            return self.staged
        if self._kinds == {str}:
            return f"({self.staged} ->> '$')"
        type_ = "DOUBLE" if self._sort is Sort.NUMBER else "VARIANT"
        if self._kinds and self._kinds <= {int, float}:
            type_ = "DOUBLE" if float in self._kinds else "BIGINT"
        elif self._kinds == {bool}:
            type_ = "BOOLEAN"
        return f"CAST({self.staged} AS {type_})"


def _by_name(params: Params) -> _Named:
    if isinstance(params, Mapping):
        return params
    return {str(place): value for place, value in enumerate(params, 1)}


def _used(sql: str, params: _Named) -> dict[str, Json]:
    return {name: params[name] for name in parameters_in(sql) if name in params}


def _sort(type_: str) -> Sort:
    if type_.endswith("]"):
        return Sort.ANY
    return _SORTS.get(type_.partition("(")[0], Sort.ANY)


def _read(
    name: str, type_: str, path: tuple[Step, ...]
) -> tuple[str, Callable[[object], Json] | None]:
    """Return what reads a column, or what is behind a path into it, and what converts it."""
    column = f"source.{quoted_name(name)}"
    match _sort(type_):
        case Sort.ANY:
            return _read_document(column, type_, path)
        case _ if path:
            return "NULL", None
        case Sort.INSTANT | Sort.SPAN:
            return f"epoch_ms({column})", None
        case Sort.TEXT:
            is_binary = type_ == "BLOB"
            return (f"base64({column})" if is_binary else f"CAST({column} AS VARCHAR)"), None
        case Sort.NUMBER:
            return column, _number
        case _:
            return column, None


def _read_document(
    column: str, type_: str, path: tuple[Step, ...]
) -> tuple[str, Callable[[object], Json] | None]:
    document = column if type_ == "JSON" else f"to_json({column})"
    if any(isinstance(step, str) and not step.replace("_", "a").isalnum() for step in path):
        return document, lambda text: value_at(_document(text), path)
    steps = "".join(f'."{step}"' if isinstance(step, str) else f"[{step}]" for step in path)
    if path:
        return f"json_extract({document}, '${steps}')", _document
    return document, _value if type_ == "VARIANT" else _document


def _document(text: object) -> Json:
    value: Json = _decode(text) if isinstance(text, str) else None
    return value


def _value(text: object) -> Json:
    # What stands at a path is a double there, so that it compares as one.
    return as_whole(_document(text))


def _number(value: object) -> Json:
    if isinstance(value, Decimal):
        return bounded(int(value) if value == value.to_integral_value() else float(value))
    return bounded(value) if isinstance(value, int | float) else None


def _order(column: Placed) -> list[str]:
    """Return the keys that order by a column: NULL is last, and first where the order descends."""
    direction = "DESC NULLS FIRST" if column.is_descending else "ASC NULLS LAST"
    name = f"c{column.place}"
    if column.sort is not Sort.ANY:
        return [f"{name} {direction}"]
    return [f"{kind.value}({name}, '$') {direction}" for kind in (Kind.NUMBER, Kind.TEXT)]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
