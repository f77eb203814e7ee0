"""A route that says what it takes and gives; `/openapi.json` is read off these."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.problems import nearest

OPEN: Final = ""
"""The scope of what needs no key."""
JSON_TYPE: Final = "application/json"
PAGE: Final = ("limit", "cursor")
"""The query of a list that goes by pages."""
CHANGED: Final = {409: "", 412: ""}
"""Somebody else may have changed what is changed here."""
ONCE: Final = {409: "The name is taken, or the `Idempotency-Key` came with another request."}


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brings: the schema by name, or the model that has it."""

    schema: str | type[BaseModel]
    example: Json = None
    media_types: tuple[str, ...] = (JSON_TYPE,)
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Gives:
    """
    What an answer brings: the schema by name, and its media type.

    `also` are other answers beyond the usual ones, and what they mean.
    """

    schema: str | None
    status: int = 200
    media_type: str = JSON_TYPE
    also: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        """Whether it is one page of what the schema names."""
        return self.schema is not None and self.schema.endswith("[]")


class Endpoint(Route):
    """One method of one path; `query` names its parameters."""

    def __init__(
        self,
        place: str,
        handler: Callable[[Request], Awaitable[Response]],
        scope: str,
        gives: Gives,
        *,
        body: Body | None = None,
        query: tuple[str, ...] = (),
    ) -> None:
        self.method, _, path = place.partition(" ")
        super().__init__(path, handler, methods=[self.method])
        # Vendors add to URLs that they call, and probes to those that they ask.
        if scope != OPEN:
            self.app = self._of_known_query(self.app)
        self.scope = scope
        self.gives = gives
        self.body = body
        self.query = query
        self.summary = (handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    def _of_known_query(self, app: ASGIApp) -> ASGIApp:
        """Return what refuses unknown parameters of the query: one would be taken for a filter."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["query_string"]:
                self._check_query(Request(scope))
            await app(scope, receive, send)

        return answer

    def _check_query(self, request: Request) -> None:
        known = (*self.query, *(PAGE if self.gives.is_list else ()))
        expected = (
            f"expected one of {', '.join(sorted({*known}))}" if known else "expected no query"
        )
        problems = [
            Problem(name, f"{expected}, got {name!r}{nearest(name, known)}")
            for name in dict.fromkeys(request.query_params)
            if name not in known
        ]
        if problems:
            raise InvalidInput(problems)
