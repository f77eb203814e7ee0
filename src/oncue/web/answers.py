"""Successful answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from starlette.responses import Response

from oncue.core.json_text import Json, encode_json
from oncue.web.cursor import encode_cursor

Row = TypeVar("Row")


def answer(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `body` as JSON."""
    return Response(encode_json(body), status, headers, media_type="application/json")


def answer_page(
    rows: Sequence[Row],
    limit: int,
    place: Callable[[Row], tuple[int, str]],
    render: Callable[[Row], Json],
) -> Response:
    """Return the first `limit` of `rows`; one row more says that there is a next page."""
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = encode_cursor(*place(last)) if last else None
    data: list[Json] = [render(row) for row in rows[:limit]]
    return answer({"data": data, "next_cursor": next_cursor})
