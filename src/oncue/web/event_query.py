"""`POST /events/query`: SQL over the events of an account."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from oncue.core.documents import Document
from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json, encode_json
from oncue.core.problems import problems_of
from oncue.ports import EventQuestion, EventRows
from oncue.web.body import read_json
from oncue.web.context import Context
from oncue.web.endpoint import JSON_TYPE, Body, Endpoint, Gives

MAX_LIMIT: Final = 10_000
_MAX_SQL: Final = 100_000
# As nginx calls it; nobody sees it but the log and the metrics.
_CLIENT_GONE: Final = 499
_PART_BYTES: Final = 1 << 18
_MAX_PARAMS: Final = 1_000
MEDIA_TYPES: Final = (
    JSON_TYPE,
    "text/csv",
    "application/x-ndjson",
    "application/vnd.apache.arrow.stream",
)
EXAMPLE: Json = {
    "sql": "SELECT type, count(*) AS n FROM events WHERE time > ? GROUP BY type ORDER BY n DESC",
    "params": ["2026-11-23T00:00:00Z"],
}


def _bounded(params: list[Json] | dict[str, Json]) -> list[Json] | dict[str, Json]:
    if len(params) > _MAX_PARAMS:
        raise ValueError(f"expected at most {_MAX_PARAMS} values, got {len(params)}")
    return params


class EventQuery(Document):
    """A SELECT over the table `events`."""

    sql: str = Field(
        min_length=1,
        max_length=_MAX_SQL,
        description="One SELECT. Values belong into `params`, never into the text.",
    )
    params: Annotated[list[Json] | dict[str, Json], AfterValidator(_bounded)] = Field(
        default_factory=list, description="Values for `?` or `$1` in turn, or by name for `$name`."
    )
    limit: int = Field(default=1_000, ge=1, le=MAX_LIMIT, description="Rows at most.")


class EventQueries:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "POST /events/query",
                self.query,
                "read",
                Gives("QueryResult", also={406: "None of the media types is one of ours."}),
                body=Body(EventQuery, EXAMPLE),
            ),
        ]

    async def query(self, request: Request) -> Response:
        """
        Return what a SELECT over `events` gives.

        As `Accept` says: JSON, `text/csv`, `application/x-ndjson` (an object a line), or
        `application/vnd.apache.arrow.stream`; then headers tell the rest.
        """
        account = await self._context.gate.account(request, "read")
        media_type = _media_type(request)
        body = await read_json(request, self._context.limits.document_bytes)
        try:
            asked = EventQuery.model_validate(body)
        except ValidationError as exc:
            raise InvalidInput(problems_of(exc, body, names=[*EventQuery.model_fields])) from exc
        question = EventQuestion(asked.sql, asked.params, asked.limit, media_type=media_type)
        asking = self._context.world.questions.ask(account, question)
        found = await _unless_gone(request, asking)
        return _shown(found, media_type) if found else Response(status_code=_CLIENT_GONE)


async def _unless_gone(
    request: Request, asking: Coroutine[Any, Any, EventRows]
) -> EventRows | None:
    """Return the rows, or None where nobody waits for them any more."""
    asked, gone = asyncio.ensure_future(asking), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((asked, gone), return_when=asyncio.FIRST_COMPLETED)
        return asked.result() if asked.done() else None
    finally:
        asked.cancel()
        gone.cancel()
        await asyncio.gather(asked, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _media_type(request: Request) -> str:
    """Return the media type that is wanted most (RFC 9110, 12.5.1), ours first among equals."""
    accepted = request.headers.get("accept") or "*/*"
    ranges = dict(_wanted(part) for part in accepted.split(","))
    wanted = {each: _quality(each, ranges) for each in MEDIA_TYPES}
    best = max(wanted, key=lambda each: (wanted[each], each in ranges))
    if not wanted[best]:
        raise HTTPException(406, f"expected one of {', '.join(MEDIA_TYPES)}, got {accepted!r}")
    return best


def _wanted(part: str) -> tuple[str, float]:
    name, *parameters = (word.strip().lower() for word in part.split(";"))
    quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    group = media_type.partition("/")[0] + "/*"
    return next((ranges[each] for each in (media_type, group, "*/*") if each in ranges), 0.0)


def _shown(found: EventRows, media_type: str) -> Response:
    told = {
        "row_count": found.count,
        "truncated": found.is_truncated,
        "elapsed_ms": found.elapsed_ms,
    }
    if media_type != JSON_TYPE:
        headers = {
            f"x-{name.replace('_', '-')}": encode_json(value).decode()
            for name, value in told.items()
        }
        return _in_parts([found.body], headers, media_type)
    columns: Json = [{"name": name, "type": kind} for name, kind in found.columns]
    # The rows are JSON already.
    head = encode_json({"columns": columns}).removesuffix(b"}")
    tail = encode_json(told).removeprefix(b"{")
    return _in_parts([head, b',"rows":', found.body, b",", tail], {}, JSON_TYPE)


def _in_parts(body: Sequence[bytes], headers: Mapping[str, str], media_type: str) -> Response:
    """Return what sends a body that may be large, so that others have a turn in between."""
    size = str(sum(map(len, body)))
    return StreamingResponse(
        _parts(body), 200, {**headers, "content-length": size}, media_type=media_type
    )


async def _parts(body: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in body:
        for begin in range(0, len(piece), _PART_BYTES):
            yield piece[begin : begin + _PART_BYTES]
            await asyncio.sleep(0)
