"""
The process that writes files of the archive, one after the other, until nobody asks for more.

It reads records from the segments of the log, or from small files of the archive that
are to be one, and writes them as Parquet: in the order of their offsets, which is nearly
that of time, in groups of few rows. So bounds of time leave whole groups out,
and so do types, which each group has a filter of. A group is written before the next one is
read, so that it does not matter how large events are. A file is durable when the
process says so.
"""

import operator
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import IO, Final

import duckdb
import msgspec
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from rbloom import Bloom

from oncue.store.archive.ids import STRANGERS_LET_IN, id_hash
from oncue.store.archive.orders import Merge, Order, Stretch, Written, read_order, write_message
from oncue.store.archive.reader import CONFIG, quoted
from oncue.store.frames import answer_frames
from oncue.store.sqlite import record
from oncue.store.sqlite.record import Row
from oncue.store.sqlite.segment import open_read_only

_BATCH: Final = 2_048
_BATCH_BYTES: Final = 1 << 20
ROWS_PER_GROUP: Final = 20_480
"""What is read to find one row; DuckDB's own 122 880 made that four times as slow."""
GROUP_BYTES: Final = 8 << 20
"""The same, where events are large; and what the writer holds."""
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
_FROM_LOG: Final = """
SELECT ? AS account, kind, "offset", make_timestamptz(received_at * 1000) AS received_at,
    make_timestamptz(time * 1000) AS time, source, id, type, subject, data::JSON AS data,
    extensions::JSON AS extensions
FROM batch
"""
_COPY: Final = f"""
COPY ({{select}}) TO {{target}} (FORMAT parquet, COMPRESSION zstd,
    ROW_GROUP_SIZE {ROWS_PER_GROUP}, ROW_GROUP_SIZE_BYTES {GROUP_BYTES})
"""
_FOUND: Final = """
SELECT account, min("offset"), max("offset"), count(*), epoch_ms(min(time)), epoch_ms(max(time)),
    epoch_ms(min(received_at)), epoch_ms(max(received_at)), count(*) FILTER (kind = 0),
    coalesce(sum(strlen(data)), 0)::BIGINT
FROM read_parquet(?) GROUP BY account
"""
_IDS: Final = "SELECT id FROM read_parquet(?) WHERE account = ? AND kind = 0"


_NOTHING: Final = msgspec.Raw(b"")


class _Body(msgspec.Struct):
    data: msgspec.Raw = _NOTHING
    attributes: msgspec.Raw = _NOTHING


_parts_of = msgspec.json.Decoder(_Body).decode


def write_file(order: Order) -> Written:
    """
    Return what is in the file of an order, once that is durable.

    Raises:
        ValueError: files that are to be one lack something.
    """
    with duckdb.connect(":memory:", config=dict(CONFIG)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        match order:
            case Stretch():
                batches = RecordBatchReader.from_batches(_SCHEMA, _batches(order))
                connection.register("batch", batches)
                select, values = _FROM_LOG, [order.account]
            case Merge():
                # As text, since a list of paths cannot be bound there.
                files = ", ".join(map(quoted, order.files))
                select, values = f"FROM read_parquet([{files}])", []
        connection.execute(_COPY.format(select=select, target=quoted(order.target)), values)
        written = _found(connection, order.target)
    if isinstance(order, Merge) and written.offsets != (order.first, order.last):
        wanted = f"records {order.first} to {order.last}"
        raise ValueError(f"expected {wanted} in the files to be merged, got {written.offsets}")
    return written


def _found(connection: duckdb.DuckDBPyConnection, target: str) -> Written:
    """Return what is in a file, read from there."""
    found = connection.execute(_FOUND, [target]).fetchone()
    assert found
    account, first, last, count, *spans, events, bodies = found
    if count != last - first + 1:
        raise ValueError(f"expected records {first} to {last}, got {count}")
    ids = Bloom(max(events, 1), STRANGERS_LET_IN, operator.index)
    reading = connection.execute(_IDS, [target, account])
    while some := reading.fetchmany(_BATCH):
        ids.update(id_hash(id_) for (id_,) in some)
    return Written(
        offsets=(first, last),
        times=(spans[0], spans[1]),
        arrivals=(spans[2], spans[3]),
        events=events,
        bodies=bodies,
        size=_synced(Path(target)),
        ids=ids.save_bytes(),
    )


def _batches(stretch: Stretch) -> Iterator[RecordBatch]:
    rows: list[Sequence[object]] = []
    size = total = 0
    for row in chain.from_iterable(_rows(stretch, path) for path in stretch.segments):
        rows.append(_columns_of(row))
        size += len(row[-1] or b"")
        if len(rows) == _BATCH or size >= _BATCH_BYTES:
            yield _batch(rows)
            total, size, rows = total + size, 0, []
            if total >= stretch.max_bytes:
                return
    if rows:
        yield _batch(rows)


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


_SCHEMA: Final = Schema([Field(name, kind) for name, kind in _COLUMNS.items()])


def _batch(rows: list[Sequence[object]]) -> RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [
        Array(list(column), type=kind)
        for column, kind in zip(columns, _COLUMNS.values(), strict=True)
    ]
    return RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _synced(path: Path) -> int:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def write_files(source: IO[bytes], sink: IO[bytes]) -> None:
    """Write what is ordered until nothing is."""
    answer_frames(source, sink, lambda order: write_message(write_file(read_order(order))))


if __name__ == "__main__":
    try:
        write_files(sys.stdin.buffer, sys.stdout.buffer)
    except (duckdb.Error, sqlite3.Error, OSError, ValueError) as exc:
        # Further lines advise on settings that nobody has here.
        sys.exit(str(exc).partition("\n")[0])
