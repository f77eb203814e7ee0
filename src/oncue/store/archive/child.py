"""
The process that writes one file of the archive, and ends.

It reads the records of a stretch from the segments of the log, a batch at a
time, and writes them as Parquet: in the order of their offsets, which is nearly
that of time, in groups of few rows. So bounds of time leave whole groups out,
and so do types, which each group has a filter of. The file is durable when
the process says so.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Final

import duckdb
import msgspec
from arro3.core import Array, DataType, Table

from oncue.store.sqlite import record
from oncue.store.sqlite.record import Row
from oncue.store.sqlite.segment import open_read_only

_BATCH: Final = 4_096
ROWS_PER_GROUP: Final = 20_480
"""What is read to find one row; DuckDB's own 122 880 made that four times as slow."""
_COLUMNS: Final = {
    "kind": DataType.int8(),
    "offset": DataType.int64(),
    "received_at": DataType.int64(),
    "time": DataType.int64(),
    "source": DataType.utf8(),
    "id": DataType.utf8(),
    "type": DataType.utf8(),
    "subject": DataType.utf8(),
    "data": DataType.utf8(),
    "extensions": DataType.utf8(),
}
_CONFIG: Final = {
    "threads": "1",
    "memory_limit": "512MB",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_TABLE: Final = """
CREATE TABLE record (account VARCHAR, kind TINYINT, "offset" BIGINT, received_at TIMESTAMPTZ, time TIMESTAMPTZ,
    source VARCHAR, id VARCHAR, type VARCHAR, subject VARCHAR, data JSON, extensions JSON)
"""
_INSERT: Final = """
INSERT INTO record SELECT ? AS account, kind, "offset", make_timestamptz(received_at * 1000),
    make_timestamptz(time * 1000), source, id, type, subject, data, extensions FROM batch
"""
_FOUND: Final = """
SELECT max("offset"), epoch_ms(min(time)), epoch_ms(max(time)), epoch_ms(min(received_at)),
    epoch_ms(max(received_at)), count(*) FILTER (kind = 0),
    coalesce(sum(strlen(data)), 0)::BIGINT FROM record GROUP BY account
"""


class Stretch(msgspec.Struct, frozen=True):
    """
    What is to be written: the records (after, upto] of an account, less where they are large.

    `segments` are the files of the log that have them, in order; `number` is what
    the account is called there.
    """

    account: str
    segments: Sequence[str]
    number: int
    after: int
    upto: int
    max_bytes: int
    target: str


class Written(msgspec.Struct, frozen=True):
    """What was written, and its bounds."""

    last: int
    times: tuple[int, int]
    arrivals: tuple[int, int]
    events: int
    bodies: int
    size: int


_NOTHING: Final = msgspec.Raw(b"")


class _Body(msgspec.Struct):
    data: msgspec.Raw = _NOTHING
    attributes: msgspec.Raw = _NOTHING


_parts_of = msgspec.json.Decoder(_Body).decode


def write_stretch(stretch: Stretch) -> Written:
    """Return what is in the file of a stretch, once that is durable."""
    target = Path(stretch.target)
    with duckdb.connect(":memory:", config=dict(_CONFIG)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_TABLE)
        for batch in _batches(stretch):
            connection.register("batch", batch)
            connection.execute(_INSERT, [stretch.account])
        connection.execute(
            f"COPY record TO '{_quoted(target)}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_PER_GROUP})"
        )
        found = connection.execute(_FOUND).fetchone()
    assert found
    last, oldest, newest, first_arrival, last_arrival, events, bodies = found
    size = _synced(target)
    return Written(last, (oldest, newest), (first_arrival, last_arrival), events, bodies, size)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _batches(stretch: Stretch) -> Iterator[Table]:
    rows: list[Sequence[object]] = []
    size = 0
    for row in chain.from_iterable(_rows(stretch, path) for path in stretch.segments):
        rows.append(_columns_of(row))
        size += len(row[-1] or b"")
        if size >= stretch.max_bytes:
            break
        if len(rows) == _BATCH:
            yield _table(rows)
            rows = []
    if rows:
        yield _table(rows)


def _rows(stretch: Stretch, path: str) -> Iterator[Row]:
    with closing(open_read_only(Path(path))) as connection:
        connection.execute("PRAGMA busy_timeout = 10000")
        bounds = (stretch.number, stretch.after, stretch.upto)
        yield from connection.execute(*record.stretch(*bounds))


def _columns_of(row: Row) -> Sequence[object]:
    offset, kind, received_at, source, id_, event_type, subject, time, body = row
    data, extensions = _texts(kind, body or b"")
    return (
        kind, offset, received_at, time, source, id_, event_type, subject, data, extensions,
    )  # fmt: skip


def _texts(kind: int, body: bytes | str) -> tuple[str | None, str | None]:
    """Return `data` and `extensions` as the text that they were written as."""
    if kind != record.EVENT:
        return _text(body), None
    parts = _parts_of(body)
    return _text(parts.data), _text(parts.attributes)


def _text(raw: bytes | str | msgspec.Raw) -> str | None:
    return raw if isinstance(raw, str) else bytes(raw).decode() or None


def _table(rows: list[Sequence[object]]) -> Table:
    columns = zip(*rows, strict=True)
    arrays = [
        Array(list(column), type=kind)
        for column, kind in zip(columns, _COLUMNS.values(), strict=True)
    ]
    return Table.from_arrays(arrays, names=list(_COLUMNS))


def _synced(path: Path) -> int:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(
            write_stretch(msgspec.json.decode(sys.stdin.buffer.read(), type=Stretch))
        )
    )
