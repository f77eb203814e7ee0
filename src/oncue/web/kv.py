"""`/kv`: what the account keeps under keys."""

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt
from starlette.requests import Request
from starlette.responses import Response

from oncue.core.documents import Document, DurationMs
from oncue.core.errors import InvalidInput, NotFound, Problem
from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.core.key_values import MAX_KEY, MAX_VALUE_BYTES, Entry, Namespace, Slot, Terms
from oncue.core.problems import nearest
from oncue.web.answers import answer
from oncue.web.body import read_json, read_model
from oncue.web.conditional import check_version, etag
from oncue.web.context import Context
from oncue.web.cursor import decode_key, encode_key, page_size
from oncue.web.endpoint import CHANGED, Body, Endpoint, Gives

_BODY_BYTES = MAX_VALUE_BYTES + 4_096


class Put(Document):
    """What `PUT` keeps, and on what terms."""

    value: Json
    ttl: Annotated[DurationMs, Field(gt=0)] | None = None
    if_version: Annotated[int, Field(ge=0, strict=True)] | None = None


class Increment(Document):
    """What `POST` adds to the number there."""

    amount: StrictInt | StrictFloat = 1
    ttl: Annotated[DurationMs, Field(gt=0)] | None = None


class KeyValueRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._gate = context.gate
        self._once = context.once
        self._keys = context.world.keys

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "GET /kv/{namespace}",
                self.list,
                "read",
                Gives("Entry[]"),
                query=("prefix", "limit", "cursor"),
            ),
            Endpoint(
                "GET /kv/{namespace}/{key:path}", self.get, "read", Gives("Entry", also={422: ""})
            ),
            Endpoint(
                "PUT /kv/{namespace}/{key:path}",
                self.put,
                "write",
                Gives("Version", also=CHANGED),
                body=Body(Put, {"value": {"n": 1}, "ttl": "24h"}),
            ),
            Endpoint(
                "POST /kv/{namespace}/{key:path}",
                self.increment,
                "write",
                Gives("Count", also={409: "The `Idempotency-Key` came with another request."}),
                body=Body(Increment, {"amount": 1, "ttl": "24h"}),
            ),
            Endpoint(
                "DELETE /kv/{namespace}/{key:path}",
                self.delete,
                "write",
                Gives(None, 204, also={412: "", 422: ""}),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return what is kept under keys with a prefix, in the order of the keys."""
        account = await self._gate.account(request, "read")
        asked = request.query_params
        prefix = asked.get("prefix", "")
        if len(prefix) > MAX_KEY:
            message = f"expected at most {MAX_KEY} characters, got {len(prefix)}"
            raise InvalidInput([Problem("prefix", message)])
        limit, after = page_size(asked.get("limit")), decode_key(asked.get("cursor"))
        page = await self._keys.scan(account, _namespace(request), prefix, after, limit)
        next_cursor = None if page.next_after is None else encode_key(page.next_after)
        return answer({"data": [_shown(e) for e in page.entries], "next_cursor": next_cursor})

    async def get(self, request: Request) -> Response:
        """Return what is kept under a key."""
        account = await self._gate.account(request, "read")
        slot = _slot(request)
        entry = await self._keys.get(account, slot)
        if entry is None:
            raise _nothing_under(slot)
        return answer(_shown(entry), headers={"ETag": etag(entry.version)})

    async def put(self, request: Request) -> Response:
        """Keep a value under a key."""
        account = await self._gate.account(request, "write")
        slot, body = _slot(request), await read_json(request, _BODY_BYTES)
        given = read_model(Put, body)
        terms = Terms(given.ttl, await self._if_version(account, request, slot, given.if_version))
        version = await self._keys.set(account, slot, given.value, terms)
        return answer({"version": version}, headers={"ETag": etag(version)})

    async def increment(self, request: Request) -> Response:
        """Add to the number under a key, whoever else does so at once; without one it counts from 0."""
        account = await self._gate.account(request, "write")
        slot, body = _slot(request), await read_json(request, _BODY_BYTES)
        given = read_model(Increment, body)

        async def add() -> Response:
            count = await self._keys.increment(account, slot, given.amount, Terms(given.ttl))
            shown: Json = {"value": count.value, "version": count.version}
            return answer(shown, headers={"ETag": etag(count.version)})

        return await self._once.answer(account, request, body, add)

    async def delete(self, request: Request) -> Response:
        """Forget what is kept under a key."""
        account = await self._gate.account(request, "write")
        slot = _slot(request)
        terms = Terms(if_version=await self._if_version(account, request, slot))
        if not await self._keys.delete(account, slot, terms):
            raise _nothing_under(slot)
        return Response(status_code=204)

    async def _if_version(
        self, account: str, request: Request, slot: Slot, given: int | None = None
    ) -> int | None:
        if "if-match" not in request.headers:
            return given
        entry = await self._keys.get(account, slot)
        version = entry.version if entry else 0
        check_version(request, version)
        return version


def _slot(request: Request) -> Slot:
    return Slot(_namespace(request), request.path_params["key"])


def _namespace(request: Request) -> Namespace:
    name = request.path_params["namespace"]
    try:
        return Namespace(name)
    except ValueError as exc:
        known = [namespace.value for namespace in Namespace]
        message = f"expected a namespace, {' or '.join(known)}, got {name!r}{nearest(name, known)}"
        raise NotFound(message) from exc


def _nothing_under(slot: Slot) -> NotFound:
    return NotFound(f"expected something under {slot.key!r}, got nothing")


def _shown(entry: Entry) -> dict[str, Json]:
    return {
        "key": entry.key,
        "value": entry.value,
        "version": entry.version,
        "updated_at": format_instant(entry.updated_at_ms),
        "expires_at": format_instant_if_any(entry.expires_at_ms),
    }
