"""Successful answers."""

from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response

from oncue.core.json_text import Json, encode_json
from oncue.web.conditional import etag
from oncue.web.cursor import BY_ID, Page, Place, Row, encode_cursor


def answer(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `body` as JSON."""
    return Response(encode_json(body), status, headers, media_type="application/json")


def answer_version(shown: Json, version: int, place: str, status: int = 200) -> Response:
    """Return a version of what is kept at `place`; with 201 it says that it is made there."""
    headers = {"ETag": etag(version)}
    if status == 201:
        headers["Location"] = place
    return answer(shown, status, headers)


def answer_page(
    rows: Sequence[Row], page: Page, render: Callable[[Row], Json], place: Place = BY_ID
) -> Response:
    """Return the rows of a page; one row more says that there is a next one."""
    limit = page.limit
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = encode_cursor(*place(last)) if last else None
    data: list[Json] = [render(row) for row in rows[:limit]]
    return answer({"data": data, "next_cursor": next_cursor})
