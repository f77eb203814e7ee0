"""Rows of DuckDB as they are sent: JSON, CSV, lines of JSON, or an Arrow stream."""

import base64
import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final, TypeVar

import duckdb
import msgspec
from duckdb.sqltypes import DuckDBPyType

from oncue.core.json_text import Json
from oncue.core.sql.paths.kinds import Kind
from oncue.core.sql.paths.typed import written_name
from oncue.store.query.messages import ARROW, CSV, NDJSON, Answer, Question, Refusal
from oncue.store.query.wholes import whole_columns

T = TypeVar("T")

_BATCH: Final = 1_000
# From here on a double may stand for another whole number.
_EXACT: Final = 1 << 53
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def answer_of(
    connection: duckdb.DuckDBPyConnection, sql: str, question: Question
) -> Answer | Refusal:
    """Return up to `limit` rows, or that they are too large."""
    params = question.values or None
    if question.media_type == ARROW:
        return _arrow(connection.sql(sql, params=params), question)
    found = connection.execute(sql, params)
    columns = [(written_name(name), str(kind)) for name, kind, *_ in found.description or ()]
    if sum(len(name) + len(kind) for name, kind in columns) > question.max_bytes:
        return _too_large(question)
    whole = whole_columns(connection, sql, params, columns)
    rows = islice(_rows(found, whole), question.limit + 1)
    write = {CSV: _csv, NDJSON: _lines}.get(question.media_type, _json)
    return write(rows, columns, question)


def _rows(found: duckdb.DuckDBPyConnection, whole: frozenset[int]) -> Iterator[list[Json]]:
    shown_as = [
        _shown_path if place in whole else _shown_as(column[1])
        for place, column in enumerate(found.description or ())
    ]
    while batch := found.fetchmany(_BATCH):
        for row in batch:
            yield [show(value) for show, value in zip(shown_as, row, strict=True)]


def _shown_as(kind: DuckDBPyType) -> Callable[[Any], Json]:
    """Return what shows values of a type; a document is one also inside of a list, a row or a map."""
    spelled = str(kind)
    if spelled in _SHOWN or not ("JSON" in spelled or "VARIANT" in spelled):
        return _SHOWN.get(spelled, shown)
    inner = {name: type_ for name, type_ in kind.children if isinstance(type_, DuckDBPyType)}
    if kind.id in ("list", "array"):
        each = _shown_as(inner["child"])
        return lambda value: None if value is None else [each(one) for one in value]
    if kind.id == "map":
        of = _shown_as(inner["value"])
        return lambda value: value and {str(name): of(one) for name, one in value.items()}
    if kind.id == "struct":
        members = {name: _shown_as(type_) for name, type_ in inner.items()}
        return lambda value: value and {name: members[name](one) for name, one in value.items()}
    return shown


def _shown_document(value: object) -> Json:
    return None if value is None else _document(str(value))


def _shown_path(value: object) -> Json:
    """Return what stands at a path, or is made of it; numbers there are doubles, so that they compare."""
    return shown(as_whole(value))


def as_whole(value: T) -> T | int:
    """Return a double that can only stand for a whole number as that one, all else as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _document(text: str) -> Json:
    try:
        document: Json = _decode(text)
    except msgspec.DecodeError:
        # DuckDB takes NaN and 1e999, which JSON has not.
        return shown(json.loads(text))
    return document


def shown(value: object) -> Json:
    """Return a value of DuckDB as JSON; numbers that JSON has not are null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case timedelta():
            seconds = f"{value / timedelta(seconds=1):.6f}"
            return f"{seconds.rstrip('0').rstrip('.')}s"
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [shown(one) for one in value]
        case dict():
            return {str(name): shown(one) for name, one in value.items()}
        case _:
            return str(value)


_SHOWN: Final[dict[str, Callable[[object], Json]]] = {
    "JSON": _shown_document,
    "VARIANT": _shown_path,
}


def _json(
    rows: Iterable[list[Json]], columns: list[tuple[str, str]], question: Question
) -> Answer | Refusal:
    return _joined(rows, columns, question, _encode, b",", (b"[", b"]"))


def _lines(
    rows: Iterable[list[Json]], columns: list[tuple[str, str]], question: Question
) -> Answer | Refusal:
    names = _distinct(name for name, _ in columns)

    def line(row: list[Json]) -> bytes:
        return _encode(dict(zip(names, row, strict=True))) + b"\n"

    return _joined(rows, columns, question, line, b"", (b"", b""))


def _distinct(names: Iterable[str]) -> list[str]:
    """Return names of which none is there twice, as an object needs them."""
    given: dict[str, None] = {}
    for name in names:
        free, count = name, 0
        while free in given:
            count += 1
            free = f"{name}_{count}"
        given[free] = None
    return [*given]


def _csv(
    rows: Iterable[list[Json]], columns: list[tuple[str, str]], question: Question
) -> Answer | Refusal:
    header = _csv_line([name for name, _ in columns])
    return _joined(rows, columns, question, _csv_line, b"", (header, b""))


def _joined(
    rows: Iterable[list[Json]],
    columns: list[tuple[str, str]],
    question: Question,
    write: Callable[[list[Json]], bytes],
    between: bytes,
    around: tuple[bytes, bytes],
) -> Answer | Refusal:
    parts: list[bytes] = []
    size, count = 0, 0
    for row in rows:
        count += 1
        if count > question.limit:
            break
        part = write(row)
        parts.append(part)
        size += len(part) + len(between)
        if size > question.max_bytes:
            return _too_large(question)
    body = around[0] + between.join(parts) + around[1]
    return Answer(columns, body, len(parts), count > question.limit)


def _csv_line(row: Sequence[Json]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(value) for value in row])
    return text.getvalue().encode()


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _encode(value).decode()


def _arrow(found: duckdb.DuckDBPyRelation, question: Question) -> Answer | Refusal:
    columns = [
        (written_name(name), str(kind))
        for name, kind in zip(found.columns, found.types, strict=True)
    ]
    # Imported late: who asks for JSON does not wait for it.
    from arro3.core import RecordBatchReader, Table
    from arro3.io import write_ipc_stream

    # Arrow has no type for what may be anything.
    shapes = [
        f"{Kind.JSON.value}(#{place}) AS {quoted_name(name)}"
        if kind == "VARIANT"
        else f"#{place} AS {quoted_name(name)}"
        for place, (name, kind) in enumerate(columns, 1)
    ]
    reader = RecordBatchReader.from_stream(
        found.limit(question.limit + 1).project(", ".join(shapes))
    )
    table = Table.from_batches([*reader], schema=reader.schema)
    is_truncated = table.num_rows > question.limit
    kept = table.slice(0, question.limit) if is_truncated else table
    sink = io.BytesIO()
    write_ipc_stream(kept, sink, compression=None)
    if sink.tell() > question.max_bytes:
        return _too_large(question)
    return Answer(columns, sink.getvalue(), kept.num_rows, is_truncated)


def quoted_name(name: str) -> str:
    """Return a name as it is written in SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _too_large(question: Question) -> Refusal:
    return Refusal(f"over size: expected at most {question.max_bytes} bytes of rows, got more")
