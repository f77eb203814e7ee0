"""`GET /events/schema` and `/events/completion`: what there is to ask for, and in what words."""

from asyncio import to_thread
from typing import Final

from oncue.core.json_text import Json, parse_json
from oncue.core.sql.completion import COMPLETION_QUERY, completion_of
from oncue.core.sql.fields import SCHEMA_QUERY, fields_of
from oncue.ports import EventQuestion, EventQuestions

_MAX_ROWS: Final = 10_000


async def event_schema(questions: EventQuestions, account: str) -> dict[str, Json]:
    """Return the types of the newest events, the fields of each, and its newest `data`."""
    found = await questions.ask(account, EventQuestion(SCHEMA_QUERY, limit=_MAX_ROWS))
    rows = parse_json(found.body)
    assert isinstance(rows, list)
    return {"types": [_shown(row) for row in rows if isinstance(row, list)]}


async def completion(questions: EventQuestions, account: str) -> dict[str, list[Json]]:
    """Return what an editor of queries may offer; it is the same for all."""
    found = await questions.ask(account, EventQuestion(COMPLETION_QUERY, limit=_MAX_ROWS))
    rows = parse_json(found.body)
    assert isinstance(rows, list)
    # Each function is parsed the first time, which takes a tenth of a second.
    return await to_thread(completion_of, [row for row in rows if isinstance(row, list)])


def _shown(row: list[Json]) -> dict[str, Json]:
    name, count, first, last, data, extensions, sample = row
    fields = [*fields_of("data", data), *fields_of("extensions", extensions)]
    return {
        "type": name,
        "count": count,
        "first_at": first,
        "last_at": last,
        "fields": [{"path": field.path, "kind": field.kind} for field in fields],
        "sample": sample,
    }
