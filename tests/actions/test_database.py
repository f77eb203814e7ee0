"""SQL by actions: on the account's own file, or where a connection leads."""

import asyncio
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.core.action import Ways
from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.core.statements import Rows, Statement
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores
from oncue.testing.vendors import Simulators
from tests.vendors import Ask, with_vendors

MAKE: Json = {"sql": "CREATE TABLE t (n INTEGER, name TEXT)"}
ADD: Json = {"sql": "INSERT INTO t VALUES (:n, :name)", "params": {"n": 1, "name": "Ada"}}
URL = "postgresql://ada:secret-word@db.example.com/shop"


def test_what_is_written_is_read() -> None:
    async def use(_: Simulators, ask: Ask) -> Any:
        await ask("db_execute", MAKE, key="make")
        added = await ask("db_execute", ADD, key="add")
        await ask("db_execute", ADD, key="add", is_repeat=True)
        return added, await ask("db_query", {"sql": "SELECT * FROM t", "limit": 5})

    added, read = with_vendors(use)

    assert added == {"row_count": 1, "columns": [], "rows": []}
    assert read == {
        "columns": ["n", "name"],
        "rows": [[1, "Ada"]],
        "row_count": 1,
        "truncated": False,
    }


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"sql": "DELETE FROM t"}, "db_query reads only|no such table"),
        ({"sql": "SELECT 1", "limit": 0}, r"with\.limit"),
        ({"sql": "SELECT 1", "timeout": "1h"}, r"with\.timeout"),
        ({"sql": ""}, r"with\.sql"),
    ],
)
def test_what_cannot_be_read_is_told(document: Json, told: str) -> None:
    async def use(_: Simulators, ask: Ask) -> None:
        await ask("db_query", document)

    with pytest.raises(PermanentError, match=told):
        with_vendors(use)


def _connected(action: str, document: Json, *, is_repeat: bool = False) -> list[Any]:
    """Return what was asked of the database that a connection leads to."""
    asked: list[Any] = []

    async def query(url: str, statement: Statement) -> Rows:
        asked.append((url, statement))
        return Rows(["n"], [[1]], 1)

    async def unused(*_: object) -> Any:
        raise AssertionError("nothing else is asked")

    async def main() -> None:
        async with fresh_stores() as stores:
            ways = Ways(unused, query, unused)
            library = ActionLibrary(
                ACTIONS, GivenCredentials(lambda *_: {"url": URL}), ways, VirtualClock(), stores
            )
            await library.perform("acc", action, document, "k", is_repeat=is_repeat)

    asyncio.run(main())
    return asked


def test_a_connection_leads_elsewhere() -> None:
    assert _connected("db_query", {"sql": "SELECT $1", "params": [1], "timeout": "5s"}) == [
        (URL, Statement("SELECT $1", [1], timeout_ms=5_000))
    ]
    assert _connected("db_execute", {"sql": "DELETE FROM t"}) == [
        (URL, Statement("DELETE FROM t", [], is_read_only=False, once="k"))
    ]


def test_a_foreign_database_is_not_written_again_unasked() -> None:
    with pytest.raises(PermanentError, match="may have been committed"):
        _connected("db_execute", {"sql": "DELETE FROM t"}, is_repeat=True)
