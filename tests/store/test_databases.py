"""The SQLite file of an account: what SQL may do there, and what it never may."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import PermanentError
from oncue.core.statements import Statement
from oncue.store.account_files import AccountFiles


def _run(folder: Path, *statements: Statement, account: str = "acc_a") -> Any:
    async def main() -> Any:
        files = AccountFiles(folder)
        return [await files.query(account, statement) for statement in statements][-1]

    return asyncio.run(main())


def _write(sql: str, *params: Any, once: str | None = None) -> Statement:
    return Statement(sql, params, is_read_only=False, once=once)


MADE = (
    _write("CREATE TABLE t (n INTEGER, name TEXT, raw BLOB)"),
    _write("INSERT INTO t VALUES (?, ?, x'ff00'), (2, ?, NULL)", 1, "Ada'); DROP TABLE t;--", None),
)


def test_values_are_bound_and_come_back(tmp_path: Path) -> None:
    rows = _run(tmp_path, *MADE, Statement("SELECT * FROM t WHERE n < :n", {"n": 2}))

    assert (rows.columns, rows.rows) == (
        ["n", "name", "raw"],
        [[1, "Ada'); DROP TABLE t;--", "/wA="]],
    )


def test_a_list_is_bound_as_json(tmp_path: Path) -> None:
    rows = _run(tmp_path, Statement("SELECT value FROM json_each(?)", ([1, 2],)))

    assert rows.rows == [[1], [2]]


def test_rows_are_cut_off_and_it_is_said(tmp_path: Path) -> None:
    rows = _run(tmp_path, *MADE, Statement("SELECT n FROM t ORDER BY n", limit=1))

    assert (rows.rows, rows.is_truncated) == ([[1]], True)


def test_what_changed_is_counted(tmp_path: Path) -> None:
    rows = _run(tmp_path, *MADE, _write("UPDATE t SET n = n + 1 RETURNING n"))

    assert (rows.count, rows.rows) == (2, [[2], [3]])


def test_what_was_done_once_is_not_done_again(tmp_path: Path) -> None:
    add = _write("INSERT INTO t (n) VALUES (3) RETURNING n", once="k")
    first = _run(tmp_path, *MADE, add)
    again = _run(tmp_path, add)
    counted = _run(tmp_path, Statement("SELECT count(*) FROM t"))

    assert (first, counted.rows) == (again, [[3]])


def test_a_statement_that_fails_leaves_nothing(tmp_path: Path) -> None:
    _run(tmp_path, *MADE)
    with pytest.raises(PermanentError, match="UNIQUE constraint"):
        _run(
            tmp_path,
            _write("CREATE TABLE u (n INTEGER PRIMARY KEY)"),
            _write("INSERT INTO u VALUES (1), (2), (1)", once="k"),
        )

    assert _run(tmp_path, Statement("SELECT count(*) FROM u")).rows == [[0]]


def test_accounts_do_not_see_each_other(tmp_path: Path) -> None:
    _run(tmp_path, *MADE)

    with pytest.raises(PermanentError, match="no such table"):
        _run(tmp_path, Statement("SELECT * FROM t"), account="acc_b")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (n) VALUES (9)",
        "DELETE FROM t",
        "DROP TABLE t",
        "UPDATE sqlite_master SET sql = ''",
        "CREATE TABLE u (n)",
        "WITH x AS (SELECT 1) INSERT INTO t (n) SELECT * FROM x",
        "PRAGMA writable_schema = ON",
        "BEGIN",
        "VACUUM",
        "ATTACH 'other.db' AS other",
        "EXPLAIN DELETE FROM t",
    ],
)
def test_reading_cannot_write(tmp_path: Path, sql: str) -> None:
    _run(tmp_path, *MADE)
    with pytest.raises(
        PermanentError, match=r"SQL: (db_query reads only|table sqlite_master may not be modified)"
    ):
        _run(tmp_path, Statement(sql))

    assert _run(tmp_path, Statement("SELECT count(*) FROM t")).rows == [[2]]
    assert [path.name for path in (tmp_path / "databases").iterdir()] == ["acc_a.db"]


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "PRAGMA journal_mode = OFF",
        "SELECT load_extension('x')",
        "COMMIT",
        "SAVEPOINT s",
        "DELETE FROM oncue_done",
        "SELECT * FROM oncue_done",
        "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
        "CREATE VIRTUAL TABLE v USING fts5(x)",
        "SELECT 1; SELECT 2",
    ],
)
def test_writing_stays_in_its_own_file(tmp_path: Path, sql: str) -> None:
    _run(tmp_path, *MADE)

    with pytest.raises(
        PermanentError, match=r"SQL: (not allowed here|.*one statement|.*modified|cannot VACUUM)"
    ):
        _run(tmp_path, _write(sql))
    assert [path.name for path in (tmp_path / "databases").iterdir()] == ["acc_a.db"]


ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="took over 50 ms"):
        _run(tmp_path, Statement(ENDLESS, timeout_ms=50))


def test_who_stops_waiting_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(0.05):
            await AccountFiles(tmp_path).query("acc_a", Statement(ENDLESS))

    with pytest.raises(TimeoutError):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT zeroblob(1000000000)", "too big"),
        ("SELECT hex(zeroblob(6000000))", "too big"),
        (
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 9)"
            " SELECT hex(zeroblob(500000)) FROM c",
            "bytes of rows",
        ),
        ("SELEC 1", "syntax error"),
        ("SELECT ?", "Incorrect number of bindings"),
    ],
)
def test_what_is_too_large_or_wrong_is_told(tmp_path: Path, sql: str, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        _run(tmp_path, Statement(sql))
