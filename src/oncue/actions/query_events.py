"""SQL over the account's own events."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, Idempotency
from oncue.core.json_text import Json
from oncue.core.statements import Statement

_MAX_SQL: Final = 100_000


class QueryEventsInput(BaseModel):
    """What to ask."""

    model_config = ConfigDict(extra="forbid")

    sql: str = Field(
        min_length=1,
        max_length=_MAX_SQL,
        description="One SELECT over `events`. Values belong into `params`, never into the text.",
    )
    params: list[Json] | dict[str, Json] = Field(
        default_factory=list, description="Values for `?` or `$1` in turn, or by name for `$name`."
    )
    limit: int = Field(default=1_000, ge=1, le=10_000, description="Rows at most.")


class QueryEventsOutput(BaseModel):
    """The rows, each a list as long as `columns`."""

    columns: list[str]
    rows: list[list[Json]]
    row_count: int
    truncated: bool


async def _query(call: Call[QueryEventsInput]) -> Json:
    given = call.input
    found = await call.store.events(Statement(given.sql, given.params, given.limit))
    return {
        "columns": [*found.columns],
        "rows": [[*row] for row in found.rows],
        "row_count": len(found.rows),
        "truncated": found.is_truncated,
    }


QUERY_EVENTS = Action(
    name="query_events",
    summary="Ask the stored events by SQL.",
    integration="oncue",
    category="data",
    input=QueryEventsInput,
    output=QueryEventsOutput,
    idempotency=Idempotency.NONE,
    example={
        "sql": "SELECT count(*) AS n FROM events WHERE subject = ? AND data.amount > 100",
        "params": ["{{ event.subject }}"],
    },
    perform=_query,
    is_harmless_to_repeat=True,
    takes_secrets=False,
)
