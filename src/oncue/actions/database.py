"""
SQL: on the account's own SQLite file, or on a PostgreSQL of theirs by a connection.

Reading is a thing of its own: `db_query` cannot write, whatever its SQL says.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, Idempotency
from oncue.core.documents import DurationMs
from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.core.statements import Rows, Statement

_MAX_SQL: Final = 100_000
_MAX_TIMEOUT_MS: Final = 300_000

_Timeout = Annotated[DurationMs, Field(gt=0, le=_MAX_TIMEOUT_MS)]


class _Sql(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sql: str = Field(
        min_length=1,
        max_length=_MAX_SQL,
        description="One statement. Values belong into `params`, never into the text.",
    )
    params: list[Json] | dict[str, Json] = Field(
        default_factory=list,
        description="Values for `?` (SQLite) or `$1` (PostgreSQL) in turn, or by name for `:name`.",
    )
    timeout: _Timeout = Field(default=30_000, description="How long it may take, such as `30s`.")


class QueryInput(_Sql):
    """What to read."""

    limit: int = Field(default=1_000, ge=1, le=10_000, description="Rows at most.")


class QueryOutput(BaseModel):
    """The rows, each a list as long as `columns`."""

    columns: list[str]
    rows: list[list[Json]]
    row_count: int
    truncated: bool


class ExecuteInput(_Sql):
    """What to change."""


class ExecuteOutput(BaseModel):
    """How many rows changed, and what `RETURNING` gave of them."""

    row_count: int
    columns: list[str]
    rows: list[list[Json]]


async def _query(call: Call[QueryInput]) -> Json:
    given = call.input
    statement = Statement(given.sql, given.params, given.limit, timeout_ms=given.timeout)
    found = await _ask(call, statement)
    return {**_shown(found), "row_count": len(found.rows), "truncated": found.is_truncated}


async def _execute(call: Call[ExecuteInput]) -> Json:
    given = call.input
    if call.is_repeat and "url" in call.credentials:
        # A database of somebody else's keeps no list of what we did.
        raise PermanentError("an earlier attempt may have been committed; look, then run it anew")
    statement = Statement(
        given.sql,
        given.params,
        is_read_only=False,
        timeout_ms=given.timeout,
        once=call.idempotency_key,
    )
    changed = await _ask(call, statement)
    return {**_shown(changed), "row_count": changed.count}


async def _ask(call: Call[QueryInput] | Call[ExecuteInput], statement: Statement) -> Rows:
    url = call.credentials.get("url")
    return await (call.query(url, statement) if url else call.store.query(statement))


def _shown(rows: Rows) -> dict[str, Json]:
    return {"columns": [*rows.columns], "rows": [[*row] for row in rows.rows]}


DB_QUERY = Action(
    name="db_query",
    summary="Read from a database by SQL.",
    integration="database",
    category="data",
    input=QueryInput,
    output=QueryOutput,
    idempotency=Idempotency.NONE,
    example={"sql": "SELECT name FROM customers WHERE plan = ?", "params": ["pro"]},
    perform=_query,
    is_harmless_to_repeat=True,
)
DB_EXECUTE = Action(
    name="db_execute",
    summary="Change a database by SQL, in one transaction; PostgreSQL gets no repeat unasked.",
    integration="database",
    category="data",
    input=ExecuteInput,
    output=ExecuteOutput,
    # The account's own file notes the key in the same transaction.
    idempotency=Idempotency.NATIVE_KEY,
    example={"sql": "INSERT INTO customers (name, plan) VALUES (?, ?)", "params": ["Ada", "pro"]},
    perform=_execute,
)
