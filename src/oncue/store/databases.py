"""
The SQLite file of each account, for its own SQL.

Foreign SQL is kept on a leash by SQLite itself: an authorizer that knows what a
statement may touch before it runs, limits on what it may build, and an
interrupt when its time is up. It never sees another file: ATTACH is refused.
"""

import asyncio
import base64
import math
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oncue.core.errors import PermanentError, RetryableError
from oncue.core.json_text import Json, encode_json, parse_json
from oncue.core.statements import MAX_RESULT_BYTES, Rows, Statement
from oncue.store.disk import refused

MAX_PAGES: Final = 262_144
"""Of 4 KiB: the size that the file of an account may have is 1 GiB."""
_MAX_VALUE: Final = 8 << 20
_BUSY_S: Final = 5
_FORBIDDEN = re.compile("not authorized|prohibited|authorization denied")
_DONE: Final = "oncue_done"
# What the disk does not take, whatever the statement: the last byte is the kind of an error.
_DISK: Final = frozenset(
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
)
_KEEP_DONE: Final = "-7 days"

_READS: Final = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)
_WRITES: Final = frozenset((
    sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE, sqlite3.SQLITE_ALTER_TABLE,
    sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_CREATE_TRIGGER, sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_DROP_INDEX,
    sqlite3.SQLITE_DROP_VIEW, sqlite3.SQLITE_DROP_TRIGGER, sqlite3.SQLITE_REINDEX,
    sqlite3.SQLITE_ANALYZE,
))  # fmt: skip
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: _MAX_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
}


@dataclass(frozen=True, slots=True)
class AccountDatabases:
    """A file for each account in a folder; it is there once something is written."""

    folder: Path

    async def query(self, account: str, statement: Statement) -> Rows:
        """
        Return what a statement gave.

        Raises:
            PermanentError: it is wrong, may not do what it wants, or takes too long.
            RetryableError: somebody else is writing.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise RetryableError(str(refused(exc))) from exc
        path = self.folder / f"{account}.db"
        with closing(sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)) as connection:
            connection.isolation_level = None
            work = asyncio.create_task(
                asyncio.to_thread(_carry_out, connection, account, statement)
            )
            try:
                async with asyncio.timeout(statement.timeout_ms / 1_000):
                    return await asyncio.shield(work)
            except TimeoutError as exc:
                raise PermanentError(f"the statement took over {statement.timeout_ms} ms") from exc
            finally:
                # Whoever waits no longer wants no answer; the file must not be closed under it.
                while not work.done():
                    connection.interrupt()
                    await asyncio.wait([work], timeout=_INTERRUPT_S)
                # Looked at, so that nobody complains of an error that nobody saw.
                work.exception()


_INTERRUPT_S: Final = 0.05


def _carry_out(connection: sqlite3.Connection, account: str, statement: Statement) -> Rows:
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.execute(f"PRAGMA max_page_count = {MAX_PAGES}")
    connection.execute("PRAGMA trusted_schema = OFF")
    try:
        if statement.is_read_only:
            return _run(connection, statement)
        return _run_once(connection, account, statement)
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise RetryableError("the database is busy with another statement") from exc
        if exc.sqlite_errorcode & 0xFF in _DISK and not _is_at_its_bound(connection):
            raise RetryableError(f"the disk takes no write: {exc}") from exc
        raise PermanentError(f"SQL: {_meaning(exc, statement)}") from exc
    except sqlite3.Error as exc:
        raise PermanentError(f"SQL: {_meaning(exc, statement)}") from exc
    except OverflowError as exc:
        raise PermanentError(f"params: {exc}") from exc


def _is_at_its_bound(connection: sqlite3.Connection) -> bool:
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    return pages >= MAX_PAGES


def _meaning(exc: sqlite3.Error, statement: Statement) -> str:
    if _FORBIDDEN.search(str(exc)):
        return "db_query reads only" if statement.is_read_only else f"not allowed here ({exc})"
    return str(exc)


def _run_once(connection: sqlite3.Connection, account: str, statement: Statement) -> Rows:
    with _transaction(connection):
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_DONE} (account TEXT, key TEXT, answer TEXT, at TEXT,"
            " PRIMARY KEY (account, key)) WITHOUT ROWID"
        )
        connection.execute(
            f"DELETE FROM {_DONE} WHERE account = ? AND at < datetime('now', ?)",  # noqa: S608 ours
            (account, _KEEP_DONE),
        )
        before = connection.execute(
            f"SELECT answer FROM {_DONE} WHERE account = ? AND key = ?",  # noqa: S608 ours
            (account, statement.once),
        ).fetchone()
        if before and statement.once:
            return _kept(before[0])
        rows = _run(connection, statement)
        if statement.once:
            connection.execute(
                f"INSERT INTO {_DONE} (account, key, answer, at)"  # noqa: S608 ours
                " VALUES (?, ?, ?, datetime('now'))",
                (account, statement.once, _keep(rows)),
            )
    return rows


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _keep(rows: Rows) -> str:
    kept: Json = {
        "columns": [*rows.columns],
        "rows": [[*r] for r in rows.rows],
        "count": rows.count,
    }
    return encode_json(kept).decode()


def _kept(answer: str) -> Rows:
    match parse_json(answer.encode()):
        case {"columns": [*columns], "rows": [*rows], "count": int(count)}:
            return Rows([str(c) for c in columns], [r for r in rows if isinstance(r, list)], count)
        case other:
            raise PermanentError(f"expected an answer that was kept, got {other!r}")


def _run(connection: sqlite3.Connection, statement: Statement) -> Rows:
    allowed = _READS if statement.is_read_only else _READS | _WRITES

    def authorize(code: int, first: str | None, second: str | None, *_: str | None) -> int:
        is_ours = _DONE in (first, second) or (second or "").lower() == "load_extension"
        # A table-valued function such as json_each declares itself so; nothing is written.
        declares = code == sqlite3.SQLITE_UPDATE and first == "sqlite_master"
        is_fine = (code in allowed or declares) and not is_ours
        return sqlite3.SQLITE_OK if is_fine else sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)
    try:
        cursor = connection.execute(statement.sql, _bound(statement))
        columns = [name for name, *_ in cursor.description or ()]
        rows: list[list[Json]] = []
        size = 0
        for row in cursor:
            if len(rows) == statement.limit:
                return Rows(columns, rows, cursor.rowcount, is_truncated=True)
            shown = [_json(value) for value in row]
            size += len(encode_json([*shown]))
            if size > MAX_RESULT_BYTES:
                raise PermanentError(f"expected at most {MAX_RESULT_BYTES} bytes of rows, got more")
            rows.append(shown)
        return Rows(columns, rows, max(cursor.rowcount, 0))
    finally:
        connection.set_authorizer(None)


def _bound(statement: Statement) -> tuple[object, ...] | dict[str, object]:
    params = statement.params
    if isinstance(params, Mapping):
        return {name: _value(value) for name, value in params.items()}
    return tuple(_value(value) for value in params)


def _value(value: Json) -> object:
    """Return a parameter as SQLite has it: lists and objects as JSON text."""
    return encode_json(value).decode() if isinstance(value, list | dict) else value


def _json(value: object) -> Json:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case float() if not math.isfinite(value):
            return None
        case None | int() | float() | str():
            return value
        case other:
            return str(other)
