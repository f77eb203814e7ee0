"""
A PostgreSQL of the account's, reached by a guarded socket.

Reading goes through a cursor in a read-only transaction: only a query can be a
cursor's, and no more rows than wanted leave the server. Writing commits once.
"""

import asyncio
import base64
import math
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pg8000.core import CoreConnection
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, to_statement

from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json, encode_json
from oncue.core.statements import MAX_RESULT_BYTES, Rows, Statement
from oncue.outgoing.bounded import bounded
from oncue.outgoing.guard import Guard

_CONNECT_S: Final = 10
_GRACE_S: Final = 5
_PORT: Final = 5_432
_BATCH: Final = 100
# Connections, resources, locks, shutdown, serialization: they pass. 57014: our own timeout.
_MAY_PASS = re.compile(r"08\d\d\d|40...|53...|55P03|57P0[1-3]|57014")
# Room is made at once for as much as a server says that it will send.
_BROKEN: Final = (InterfaceError, OSError, EOFError, MemoryError)
# What pg8000 makes of somebody who speaks something else.
_NONSENSE: Final = (LookupError, ValueError, TypeError, AttributeError, struct.error)
# Numbers and names are shorter in JSON than on the wire.
_MAX_WIRE_BYTES: Final = 4 * MAX_RESULT_BYTES


@dataclass(frozen=True, slots=True)
class PostgresClient:
    """Connects for each statement, to addresses that the guard lets through."""

    guard: Guard

    async def query(self, url: str, statement: Statement) -> Rows:
        """
        Return what a statement gave.

        Raises:
            PermanentError: it is wrong, or the address is none that may be reached.
            RetryableError: nothing happened.
            OutcomeUnknown: it was to be committed, and no answer came.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("postgresql", "postgres") or not parts.hostname:
            raise PermanentError("expected a URL such as postgresql://user@host/name")
        far = await asyncio.to_thread(self._socket, parts.hostname, parts.port or _PORT)
        seconds = _CONNECT_S + statement.timeout_ms / 1_000 + _GRACE_S
        async with bounded(far, _MAX_WIRE_BYTES, seconds) as line:
            try:
                return await asyncio.to_thread(_query, line.near, parts, statement)
            except RetryableError as exc:
                if line.is_too_long:
                    most = f"expected at most {_MAX_WIRE_BYTES} bytes of an answer, got more"
                    raise PermanentError(most) from exc
                raise

    def _socket(self, host: str, port: int) -> socket.socket:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for *_, address in found:
                if not self.guard.allows(str(address[0]), port):
                    raise PermanentError(f"{host}:{port} leads to no public address")
            return socket.create_connection((str(found[0][4][0]), port), timeout=_CONNECT_S)
        except OSError as exc:
            raise RetryableError(f"cannot connect to {host}:{port}: {exc}") from exc


def _query(sock: socket.socket, parts: SplitResult, statement: Statement) -> Rows:
    with closing(_connected(sock, parts)) as connection:
        with _explained():
            connection.run(f"SET statement_timeout = {statement.timeout_ms:d}")
            mode = "READ ONLY" if statement.is_read_only else "READ WRITE"
            connection.run(f"BEGIN {mode}")
            rows = (_read if statement.is_read_only else _write)(connection, statement)
        _commit(connection)
    return rows


def _connected(sock: socket.socket, parts: SplitResult) -> Connection:
    place = f"{parts.hostname}:{parts.port or _PORT}"
    mode = parse_qs(parts.query).get("sslmode", ["prefer"])[0]
    try:
        return Connection(
            unquote(parts.username or "postgres"),
            host=parts.hostname,
            database=unquote(parts.path.lstrip("/")) or None,
            password=unquote(parts.password) if parts.password else None,
            ssl_context=_tls(mode),
            application_name="oncue",
            sock=sock,
        )
    except DatabaseError as exc:
        raise _refusal(exc) from exc
    except _BROKEN as exc:
        raise RetryableError(f"cannot connect to {place}: {exc}") from exc
    except _NONSENSE as exc:
        raise PermanentError(f"{place} does not speak PostgreSQL") from exc


def _tls(mode: str) -> ssl.SSLContext | bool | None:
    """Return what pg8000 calls it: None tries, True encrypts, a context also checks the name."""
    match mode:
        case "disable":
            return False
        case "prefer":
            return None
        case "require":
            return True
        case "verify-full":
            return ssl.create_default_context()
        case _:
            expected = "disable, prefer, require or verify-full"
            raise PermanentError(f"expected sslmode to be {expected}, got {mode!r}")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except DatabaseError as exc:
        raise _refusal(exc) from exc
    except _BROKEN as exc:
        # Nothing was committed, so the server forgets it.
        raise RetryableError(f"the connection ended: {exc}") from exc


def _commit(connection: Connection) -> None:
    try:
        connection.run("COMMIT")
    except DatabaseError as exc:
        raise _refusal(exc) from exc
    except _BROKEN as exc:
        raise OutcomeUnknown(f"no answer whether it was committed: {exc}") from exc


def _refusal(exc: DatabaseError) -> ActionError:
    detail = exc.args[0] if exc.args and isinstance(exc.args[0], dict) else {}
    code, message = str(detail.get("C", "")), str(detail.get("M", exc))
    told = f"PostgreSQL: {message} ({code})"
    return RetryableError(told) if _MAY_PASS.fullmatch(code) else PermanentError(told)


def _bound(statement: Statement) -> tuple[str, tuple[object, ...]]:
    """Return SQL with `$1`, and its values; the server decides on their types."""
    if isinstance(statement.params, dict):
        sql, values = to_statement(statement.sql)
        try:
            return sql, tuple(_value(value) for value in values(statement.params))
        except InterfaceError as exc:
            raise PermanentError(f"params: {exc}") from exc
    return statement.sql, tuple(_value(value) for value in statement.params)


def _value(value: object) -> object:
    return encode_json(value).decode() if isinstance(value, list | dict) else value


def _read(connection: Connection, statement: Statement) -> Rows:
    sql, values = _bound(statement)
    CoreConnection.execute_unnamed(connection, f"DECLARE oncue NO SCROLL CURSOR FOR {sql}", values)
    rows: list[list[Json]] = []
    columns: list[str] = []
    size = 0
    while len(rows) <= statement.limit:
        found = CoreConnection.execute_unnamed(connection, f"FETCH {_BATCH} FROM oncue")
        columns = [column["name"] for column in found.columns or ()]
        for row in found.rows or ():
            rows.append([_json(value) for value in row])
            size += len(encode_json([*rows[-1]]))
        if size > MAX_RESULT_BYTES:
            raise PermanentError(f"expected at most {MAX_RESULT_BYTES} bytes of rows, got more")
        if len(found.rows or ()) < _BATCH:
            break
    is_truncated = len(rows) > statement.limit
    return Rows(columns, rows[: statement.limit], len(rows), is_truncated)


def _write(connection: Connection, statement: Statement) -> Rows:
    sql, values = _bound(statement)
    done = CoreConnection.execute_unnamed(connection, sql, values)
    columns = [column["name"] for column in done.columns or ()]
    rows = [[_json(value) for value in row] for row in (done.rows or ())[: statement.limit]]
    return Rows(columns, rows, max(done.row_count, 0))


def _json(value: object) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal() if not value.is_finite():
            return None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [_json(one) for one in value]
        case dict():
            return {str(name): _json(one) for name, one in value.items()}
        case other:
            isoformat = getattr(other, "isoformat", None)
            return isoformat() if callable(isoformat) else str(other)
