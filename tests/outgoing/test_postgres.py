"""A PostgreSQL by others: read without writing, written once, guarded like everything."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from oncue.core.errors import PermanentError, RetryableError
from oncue.core.statements import Rows, Statement
from oncue.outgoing.guard import Guard
from oncue.outgoing.postgres import PostgresClient

# Debian puts the programs of a server beside each other, and not on the path.
FOLDERS = os.pathsep.join([os.environ["PATH"], *sorted(glob("/usr/lib/postgresql/*/bin"))])
PROGRAMS = shutil.which("initdb", path=FOLDERS), shutil.which("postgres", path=FOLDERS)
# PostgreSQL does not run as root.
NOBODY = 65_534 if os.getuid() == 0 else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run a server of its own on a free port."""
    initdb, postgres = PROGRAMS
    if not (initdb and postgres):
        pytest.skip("there is no PostgreSQL on this machine")
    folder = Path(mkdtemp(prefix="oncue-postgres-"))
    if NOBODY:
        os.chown(folder, NOBODY, NOBODY)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", str(data), "-U", "ada", "-A", "trust", "--no-sync"],
        check=True, capture_output=True, user=NOBODY, group=NOBODY,
    )  # fmt: skip
    try:
        server, port = _started(postgres, data)
        try:
            yield f"postgresql://ada@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            server.terminate()
            server.communicate()
    finally:
        shutil.rmtree(folder)


def _started(postgres: str, data: Path) -> tuple[subprocess.Popen[str], int]:
    """Start the server; where another process took the port meanwhile, on the next one."""
    said = ""
    for _ in range(5):
        port = _free_port()
        server = subprocess.Popen(
            [postgres, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data.parent, "-F"],
            stderr=subprocess.PIPE, text=True, user=NOBODY, group=NOBODY,
        )  # fmt: skip
        assert server.stderr
        said = ""
        for line in server.stderr:
            said += line
            if "ready to accept connections" in line:
                return server, port
        server.communicate()
    raise AssertionError(f"the server does not start: {said}")


def _run(url: str, *statements: Statement) -> Rows:
    async def main() -> Any:
        port = int(url.rpartition(":")[2].partition("/")[0])
        client = PostgresClient(Guard(endpoints={("127.0.0.1", port)}))
        return [await client.query(url, statement) for statement in statements][-1]

    return asyncio.run(main())


def _write(sql: str, *params: Any) -> Statement:
    return Statement(sql, params, is_read_only=False)


@pytest.fixture
def table(url: str) -> str:
    """Return a server that has the table `t` with two rows."""
    _run(
        url,
        _write("DROP TABLE IF EXISTS t"),
        _write("CREATE TABLE t (n integer, at timestamptz, paid numeric, more jsonb, raw bytea)"),
        _write(
            "INSERT INTO t VALUES ($1, $2, $3, $4, 'x'), (2, NULL, 3, NULL, NULL)",
            1, "2026-01-01T00:00:00Z", 12.5, {"a": [1, None]},
        ),
    )  # fmt: skip
    return url


def test_values_are_bound_and_come_back_as_json(table: str) -> None:
    rows = _run(table, Statement("SELECT * FROM t WHERE n < $1", (2,)))

    assert rows.columns == ["n", "at", "paid", "more", "raw"]
    assert rows.rows == [[1, "2026-01-01T00:00:00+00:00", 12.5, {"a": [1, None]}, "eA=="]]


def test_values_are_bound_by_name(table: str) -> None:
    rows = _run(table, Statement("SELECT n::text AS n FROM t WHERE n = :wanted", {"wanted": 2}))

    assert rows.rows == [["2"]]


def test_rows_are_cut_off_and_it_is_said(url: str) -> None:
    rows = _run(url, Statement("SELECT generate_series(1, 1000000)", limit=250))

    assert (len(rows.rows), rows.is_truncated) == (250, True)


def test_what_changed_is_counted(table: str) -> None:
    rows = _run(table, _write("UPDATE t SET n = n + $1 RETURNING n", 5))

    assert (rows.count, rows.rows, rows.columns) == (2, [[6], [7]], ["n"])
    assert _run(table, Statement("SELECT sum(n) FROM t")).rows == [[13]]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x",
        "SELECT 1; DELETE FROM t",
        "COMMIT",
        "SET TRANSACTION READ WRITE",
        "SELECT nextval('s')",
        "COPY t TO PROGRAM 'cat'",
    ],
)
def test_reading_cannot_write(table: str, sql: str) -> None:
    _run(table, _write("DROP SEQUENCE IF EXISTS s"), _write("CREATE SEQUENCE s"))
    with pytest.raises(PermanentError, match="PostgreSQL: "):
        _run(table, Statement(sql))

    assert _run(table, Statement("SELECT count(*) FROM t")).rows == [[2]]


@pytest.mark.parametrize(
    ("statement", "error", "told"),
    [
        (Statement("SELEC 1"), PermanentError, "syntax error.*42601"),
        (Statement("SELECT $1"), PermanentError, "PostgreSQL"),
        (Statement("SELECT :a::int", {"b": 1}), PermanentError, "params"),
        (Statement("SELECT pg_sleep(5)", timeout_ms=50), RetryableError, "statement timeout"),
        (Statement("SELECT repeat('x', 5000000)"), PermanentError, "bytes of rows"),
        (_write("INSERT INTO t (n) VALUES ($1)", "one"), PermanentError, "invalid input syntax"),
    ],
)
def test_what_is_wrong_is_told(
    table: str, statement: Statement, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        _run(table, statement)


def test_a_statement_that_fails_leaves_nothing(table: str) -> None:
    with pytest.raises(PermanentError, match="division by zero"):
        _run(table, _write("INSERT INTO t (n) SELECT 1 / (3 - n) FROM generate_series(1, 3) AS n"))

    assert _run(table, Statement("SELECT count(*) FROM t")).rows == [[2]]


@pytest.mark.parametrize(
    ("place", "error", "told"),
    [
        ("postgresql://127.0.0.1:5432/x", PermanentError, "no public address"),
        ("postgresql://169.254.169.254/x", PermanentError, "no public address"),
        ("postgresql://[::1]/x", PermanentError, "no public address"),
        ("postgresql://localhost/x", PermanentError, "no public address"),
        ("postgresql://ada:secret@0x7f.1/x", PermanentError, "no public address"),
        ("postgres://[64:ff9b::7f00:1]/x", PermanentError, "no public address"),
        ("mysql://example.com/x", PermanentError, "expected a URL such as"),
        ("postgresql://host.invalid/x", RetryableError, "cannot connect"),
    ],
)
def test_a_database_is_guarded_like_everything(
    place: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        asyncio.run(PostgresClient(Guard()).query(place, Statement("SELECT 1")))


def test_what_is_to_be_encrypted_is_not_sent_in_the_open(url: str) -> None:
    with pytest.raises(RetryableError, match="refuses SSL"):
        _run(url.replace("sslmode=disable", "sslmode=require"), Statement("SELECT 1"))
