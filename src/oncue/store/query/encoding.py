"""Rows of DuckDB as they are sent: JSON, CSV, lines of JSON, or an Arrow stream."""

import base64
import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

import duckdb
import msgspec

from oncue.core.json_text import Json
from oncue.store.query.messages import ARROW, CSV, NDJSON, Answer, Question, Refusal

_BATCH: Final = 1_000
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def answer_of(
    connection: duckdb.DuckDBPyConnection, sql: str, question: Question
) -> Answer | Refusal:
    """Return up to `limit` rows, or that they are too large."""
    params = question.params or None
    if question.media_type == ARROW:
        return _arrow(connection.sql(sql, params=params), question)
    found = connection.execute(sql, params)
    columns = [(str(name), str(kind)) for name, kind, *_ in found.description or ()]
    rows = islice(_rows(found, columns), question.limit + 1)
    write = {CSV: _csv, NDJSON: _lines}.get(question.media_type, _json)
    return write(rows, columns, question)


def _rows(
    found: duckdb.DuckDBPyConnection, columns: Sequence[tuple[str, str]]
) -> Iterator[list[Json]]:
    documents = {place for place, (_, kind) in enumerate(columns) if kind == "JSON"}
    while batch := found.fetchmany(_BATCH):
        for row in batch:
            yield [
                _decode(value) if place in documents and value is not None else shown(value)
                for place, value in enumerate(row)
            ]


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
            return f"{value.total_seconds():g}s"
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [shown(one) for one in value]
        case dict():
            return {str(name): shown(one) for name, one in value.items()}
        case _:
            return str(value)


def _json(
    rows: Iterable[list[Json]], columns: list[tuple[str, str]], question: Question
) -> Answer | Refusal:
    return _joined(rows, columns, question, _encode, b",", (b"[", b"]"))


def _lines(
    rows: Iterable[list[Json]], columns: list[tuple[str, str]], question: Question
) -> Answer | Refusal:
    names = [name for name, _ in columns]

    def line(row: list[Json]) -> bytes:
        return _encode(dict(zip(names, row, strict=True))) + b"\n"

    return _joined(rows, columns, question, line, b"", (b"", b""))


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
    columns = [(name, str(kind)) for name, kind in zip(found.columns, found.types, strict=True)]
    # Imported late: who asks for JSON does not wait for it.
    from arro3.core import RecordBatchReader, Table
    from arro3.io import write_ipc_stream

    # Arrow has no type for what may be anything.
    shapes = [
        f"CAST(#{place} AS JSON) AS {_quoted(name)}"
        if kind == "VARIANT"
        else f"#{place} AS {_quoted(name)}"
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _too_large(question: Question) -> Refusal:
    return Refusal(f"over size: expected at most {question.max_bytes} bytes of rows, got more")
