"""`GET /events/schema`: what there is to ask for."""

from typing import Final

from oncue.core.json_text import Json, parse_json
from oncue.core.sql.fields import SCHEMA_QUERY, fields_of
from oncue.ports import EventQuestion, EventQuestions

_MAX_TYPES: Final = 10_000


async def event_schema(questions: EventQuestions, account: str) -> dict[str, Json]:
    """Return the types of the newest events, the fields of each, and its newest `data`."""
    found = await questions.ask(account, EventQuestion(SCHEMA_QUERY, limit=_MAX_TYPES))
    rows = parse_json(found.body)
    assert isinstance(rows, list)
    return {"types": [_shown(row) for row in rows if isinstance(row, list)]}


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
