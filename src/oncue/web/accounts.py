"""`/account`, `/accounts` and their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from oncue.core.documents import Document, DurationMs, Name
from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.instants import format_duration, format_instant
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.core.problems import problems_of
from oncue.core.time_zones import Zone
from oncue.engine.quotas import Month
from oncue.ports import Account, ApiKey, QueryBounds, Quotas, Span
from oncue.ports.catalog import (
    MAX_QUERY_BYTES,
    MAX_QUERY_MEMORY_MB,
    MAX_QUERY_MS,
    MIN_QUERY_BYTES,
    MIN_QUERY_MEMORY_MB,
    MIN_QUERY_MS,
)
from oncue.web.answers import answer, answer_page
from oncue.web.auth import grants, hash_key
from oncue.web.body import PATCH, read_json, read_patch
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import PAGE, Body, Endpoint, Gives

Scope = Literal["read", "events:write", "write", "admin", "operator"]
Count = Annotated[int, Field(ge=0, le=2**53, strict=True)]


def _query_ms(duration_ms: int) -> int:
    if not MIN_QUERY_MS <= duration_ms <= MAX_QUERY_MS:
        bounds = f"{format_duration(MIN_QUERY_MS)} to {format_duration(MAX_QUERY_MS)}"
        raise ValueError(f"expected a duration of {bounds}, got {format_duration(duration_ms)!r}")
    return duration_ms


QueryMs = Annotated[DurationMs, AfterValidator(_query_ms)]
QueryMemory = Annotated[int, Field(ge=MIN_QUERY_MEMORY_MB, le=MAX_QUERY_MEMORY_MB)]
QueryBytes = Annotated[int, Field(ge=MIN_QUERY_BYTES, le=MAX_QUERY_BYTES)]
_HINT_LENGTH: Final = 4


class _Quotas(Document):
    max_workflows: Count | None = None
    max_executions_per_month: Count | None = None
    max_events_per_month: Count | None = None


class _QueryBounds(Document):
    timeout: QueryMs | None = None
    memory_mb: QueryMemory | None = None
    max_bytes: QueryBytes | None = None


class _Account(Document):
    name: Name
    enabled: bool = True
    time_zone: Zone = Field(
        default="UTC",
        description="Of schedules that name none.",
        examples=["Europe/Berlin"],
    )
    quotas: _Quotas = Field(default_factory=_Quotas)
    query_bounds: _QueryBounds = Field(
        default_factory=_QueryBounds,
        description="Of its queries over events; null is the setting that all have.",
        examples=[{"timeout": "30s", "memory_mb": 1_024}],
    )


class _Key(Document):
    name: str = Field(default="", max_length=200)
    scopes: list[Scope] = Field(min_length=1)


_NAMES: Final[Mapping[type[Document], Sequence[str]]] = {
    _Account: [
        *_Account.model_fields,
        *_Quotas.model_fields,
        *_QueryBounds.model_fields,
    ],
    _Key: [*_Key.model_fields],
}


class AccountRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._accounts = context.world.accounts

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint("GET /account", self.own, "read", Gives("OwnAccount")),
            Endpoint(
                "GET /accounts",
                self.list,
                "operator",
                Gives("Account[]"),
                query=PAGE,
            ),
            Endpoint(
                "POST /accounts",
                self.post,
                "operator",
                Gives("AccountWithKey", 201, also={409: ""}),
                body=Body(_Account, {"name": "shop", "quotas": {"max_events_per_month": 100_000}}),
            ),
            Endpoint("GET /accounts/{id}", self.get, "admin", Gives("Account")),
            Endpoint(
                "PATCH /accounts/{id}",
                self.patch,
                "operator",
                Gives("Account", also={409: ""}),
                body=Body("object", {"enabled": False}, PATCH),
            ),
            Endpoint("GET /accounts/{id}/keys", self.list_keys, "admin", Gives("Key[]")),
            Endpoint(
                "POST /accounts/{id}/keys",
                self.post_key,
                "admin",
                Gives("KeyWithSecret", 201),
                body=Body(_Key, {"name": "shop", "scopes": ["events:write"]}),
            ),
            Endpoint(
                "DELETE /accounts/{id}/keys/{key_id}",
                self.delete_key,
                "admin",
                Gives(None, 204, also={409: ""}),
            ),
        ]

    async def own(self, request: Request) -> Response:
        """Return the account of the key, its quotas, and what it used this month."""
        key = await self._context.gate.key(request, "read")
        world = self._context.world
        account = await self._accounts.account(key.account)
        month = Month.of(world.clock.now_ms())
        span = Span(month.from_ms, month.to_ms, month.to_ms - month.from_ms)
        events = await world.log.past.usage(account.id, span)
        executions = await world.history.counts(account.id, month.from_ms)
        usage: Json = {
            "month": format_instant(month.from_ms)[:7],
            "workflows": await self._context.engine.built_ins.count_others(account.id),
            "executions": sum(executions.values()),
            "events": events.total,
        }
        return answer({**_shown(account), "scopes": sorted(key.scopes), "usage": usage})

    async def list(self, request: Request) -> Response:
        """Return all accounts, newest first."""
        await self._context.gate.account(request, "operator")
        page = Page.of(request)
        rows = await self._accounts.all(page.limit + 1, page.before)
        return answer_page(rows, page, _shown)

    async def post(self, request: Request) -> Response:
        """Open an account; its first key is shown in this answer and never again."""
        await self._context.gate.account(request, "operator")
        wanted = _parse(_Account, await read_json(request, self._context.limits.document_bytes))
        world = self._context.world
        account = Account(
            id=world.fresh_id("acc"),
            name=wanted.name,
            created_at_ms=world.clock.now_ms(),
            quotas=_quotas(wanted.quotas),
            is_enabled=wanted.enabled,
            time_zone=wanted.time_zone,
            query_bounds=_bounds(wanted.query_bounds),
        )
        await self._accounts.add(account)
        await self._context.engine.built_ins.give(account.id)
        secret, _ = await self._make_key(account.id, "first", ["admin"])
        location = {"Location": f"/accounts/{account.id}"}
        return answer({**_shown(account), "api_key": secret}, 201, location)

    async def get(self, request: Request) -> Response:
        """Return an account."""
        return answer(_shown(await self._reachable(request)))

    async def patch(self, request: Request) -> Response:
        """Change name, quotas, time zone, bounds of queries, or whether its keys open anything."""
        await self._context.gate.account(request, "operator")
        current = await self._accounts.account(request.path_params["id"])
        patch = await read_patch(request, self._context.limits.document_bytes)
        given = {name: _shown(current)[name] for name in _Account.model_fields}
        wanted = _parse(_Account, merge_patch(given, patch))
        changed = replace(
            current,
            name=wanted.name,
            quotas=_quotas(wanted.quotas),
            is_enabled=wanted.enabled,
            time_zone=wanted.time_zone,
            query_bounds=_bounds(wanted.query_bounds),
        )
        await self._accounts.change(changed)
        if changed.time_zone != current.time_zone:
            await self._context.engine.schedules.realign()
        self._context.engine.quotas.forget(current.id)
        self._context.gate.forget(current.id)
        self._context.engine.hook_receiver.forget(current.id)
        return answer(_shown(changed))

    async def list_keys(self, request: Request) -> Response:
        """Return the keys of an account, without their secrets."""
        account = await self._reachable(request)
        rows = await self._accounts.keys(account.id)
        return answer({"data": [_shown_key(row) for row in rows], "next_cursor": None})

    async def post_key(self, request: Request) -> Response:
        """Make a key; its secret is shown in this answer and never again."""
        account = await self._reachable(request)
        own = await self._context.gate.key(request, "admin")
        wanted = _parse(_Key, await read_json(request, self._context.limits.document_bytes))
        above = [scope for scope in wanted.scopes if not grants(own.scopes, scope)]
        if above:
            message = f"expected scopes that the key itself has, got {above[0]!r}"
            raise InvalidInput([Problem("scopes", message)])
        secret, key = await self._make_key(account.id, wanted.name, wanted.scopes)
        location = {"Location": f"/accounts/{account.id}/keys/{key.id}"}
        return answer({**_shown_key(key), "api_key": secret}, 201, location)

    async def delete_key(self, request: Request) -> Response:
        """Revoke a key; from this answer on it opens nothing."""
        account = await self._reachable(request)
        own = await self._context.gate.key(request, "admin")
        key_id = request.path_params["key_id"]
        if key_id == own.id:
            raise Conflict("expected another key than the one of this request")
        meant = [key for key in await self._accounts.keys(account.id) if key.id == key_id]
        if not all(grants(own.scopes, scope) for key in meant for scope in key.scopes):
            raise Conflict("expected a key with no more scopes than the key of this request")
        await self._accounts.revoke(account.id, key_id)
        self._context.gate.forget(account.id)
        return Response(status_code=204)

    async def _reachable(self, request: Request) -> Account:
        """Return the account in the path: the key's own, or any for the operator."""
        own = await self._context.gate.key(request, "admin")
        reference = request.path_params["id"]
        found = await self._accounts.account(reference)
        if found.id != own.account and not grants(own.scopes, "operator"):
            raise NotFound(f"no account {reference!r}")
        return found

    async def _make_key(
        self, account: str, name: str, scopes: Sequence[Scope]
    ) -> tuple[str, ApiKey]:
        world = self._context.world
        secret = world.fresh_secret()
        key = ApiKey(
            id=world.fresh_id("key"),
            account=account,
            hash=hash_key(secret),
            scopes=frozenset(scopes),
            created_at_ms=world.clock.now_ms(),
            name=name,
            hint=secret[-_HINT_LENGTH:],
        )
        await self._accounts.put_api_key(account, key)
        return secret, key


Model = TypeVar("Model", bound=Document)


def _parse(model: type[Model], document: Json) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        raise InvalidInput(problems_of(exc, document, names=_NAMES[model])) from exc


def _bounds(wanted: _QueryBounds) -> QueryBounds:
    return QueryBounds(wanted.timeout, wanted.memory_mb, wanted.max_bytes)


def _quotas(wanted: _Quotas) -> Quotas:
    return Quotas(**{field.name: getattr(wanted, field.name) for field in fields(Quotas)})


def _shown(account: Account) -> dict[str, Json]:
    bounds = account.query_bounds
    timeout_ms = bounds.timeout_ms
    return {
        "id": account.id,
        "name": account.name,
        "enabled": account.is_enabled,
        "time_zone": account.time_zone,
        "quotas": asdict(account.quotas),
        "query_bounds": {
            "timeout": None if timeout_ms is None else format_duration(timeout_ms),
            "memory_mb": bounds.memory_mb,
            "max_bytes": bounds.max_bytes,
        },
        "created_at": format_instant(account.created_at_ms),
    }


def _shown_key(key: ApiKey) -> dict[str, Json]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "hint": f"…{key.hint}",
        "created_at": format_instant(key.created_at_ms),
    }
