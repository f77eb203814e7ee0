"""Questions over a few events, asked over real HTTP."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oncue.core.json_text import Json
from tests.server import Answer, Served, serve
from tests.store.logs import archive_all

EVENTS: list[dict[str, Json]] = [
    {"type": "order.paid", "subject": "c-1", "data": {"amount": 10, "plan": "pro", "ok": True}},
    {"type": "order.paid", "subject": "c-2", "data": {"amount": 2.5, "plan": "free", "ok": False}},
    {"type": "order.paid", "subject": "c-1", "data": {"amount": "much", "plan": 7, "ok": "yes"}},
    {"type": "ping", "correlationid": "k", "data": [1, {"x": "ä"}]},
]


def ask(
    folder: Path,
    *bodies: Any,
    accept: str = "application/json",
    archived: int = 0,
    events: Sequence[Json] = EVENTS,
) -> list[Answer]:
    async def use(server: Served) -> list[Answer]:
        sent = await server.request("POST", "/events/batch", json=events[:archived] or events)
        assert sent.status == 202
        if archived:
            await archive_all(server.world.log, full=1)
            await server.request("POST", "/events/batch", json=events[archived:])
        headers = {"Accept": accept}
        return [
            await server.request("POST", "/events/query", json=body, headers=headers)
            for body in bodies
        ]

    return serve(folder, use)


def rows(folder: Path, *queries: str, **options: Any) -> list[Any]:
    answers = ask(folder, *[{"sql": sql} for sql in queries], **options)
    return [answer.body.get("rows", answer.body) for answer in answers]
