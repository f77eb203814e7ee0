"""`/apply` and `/export`: all definitions of an account as documents."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oncue.core.json_text import Json
from oncue.engine.applying import Change
from oncue.engine.standing import KINDS, SEALED
from oncue.ports import Connection, Hook, PatternVersion, Secret, WorkflowVersion
from oncue.web.answers import answer
from oncue.web.auth import grants
from oncue.web.body import read_json
from oncue.web.context import Context
from oncue.web.endpoint import Body, Endpoint, Gives
from oncue.web.flags import read_flag
from oncue.web.hooks import EXAMPLE as HOOK
from oncue.web.patterns import EXAMPLE as PATTERN

_MANY: Final = 16
"""How many times as long all documents together may be as one."""
_EXAMPLE: Json = [{"kind": "pattern", **PATTERN}, {"kind": "hook", **HOOK}]  # type: ignore[dict-item]  # objects


class ConfigurationRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._applying = context.engine.applying

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "POST /apply",
                self.apply,
                "write",
                Gives("Applied", also={409: "Somebody changed one meanwhile.", 429: ""}),
                body=Body("Documents", _EXAMPLE),
                query=("dry_run",),
            ),
            Endpoint("GET /export", self.export, "read", Gives("Exported")),
        ]

    async def apply(self, request: Request) -> Response:
        """Save documents of all kinds, all or none; with `?dry_run=true` say what would change."""
        key = await self._context.gate.key(request, "write")
        is_dry = read_flag(request, "dry_run")
        documents = await read_json(request, self._context.limits.document_bytes * _MANY)
        if _has_sealed(documents) and not grants(key.scopes, "admin"):
            raise HTTPException(403, f"expected the scope 'admin' for {' and '.join(SEALED)}")
        changes = await self._applying.apply(key.account, documents, is_dry=is_dry)
        shown: list[Json] = [
            {
                "kind": change.kind,
                "name": change.name,
                "change": change.word,
                "version": change.kept.version,
                "warnings": [
                    *_untried(change),
                    *([] if is_dry else await self._warnings(key.account, change)),
                ],
                "hooks": [] if is_dry else self._hooks(key.account, change),
                **({"before": change.before, "after": change.after} if is_dry else {}),
            }
            for change in changes
        ]
        return answer({"dry_run": is_dry, "changes": shown})

    async def export(self, request: Request) -> Response:
        """Return all definitions as documents, without secrets."""
        key = await self._context.gate.key(request, "read")
        hidden = () if grants(key.scopes, "admin") else SEALED
        standing = await self._applying.standing(key.account)
        documents: list[Json] = [
            standing.document(kind, name)
            for kind in KINDS
            if kind not in hidden
            for name in standing.rows[kind]
        ]
        return answer({"documents": documents, "left_out": list(hidden)})

    def _hooks(self, account: str, change: Change) -> list[Json]:
        """Return where others may post now; a secret that was made is shown in this answer only."""
        match change.kept:
            case WorkflowVersion() as workflow if change.is_changed:
                hooks = workflow.brought.hooks
            case Hook() as hook if change.is_changed:
                hooks = (hook,)
            case _:
                hooks = ()
        book = self._context.engine.hooks
        return [
            {
                "name": hook.name,
                "url": book.url(account, hook, reveals=True),
                "secret": change.made.get(hook.id),
            }
            for hook in hooks
            if not hook.is_deleted
        ]

    async def _warnings(self, account: str, change: Change) -> list[Json]:
        if not change.is_changed:
            return []
        engine = self._context.engine
        match change.kept:
            case WorkflowVersion() as workflow:
                plan = await engine.definitions.plan(account, workflow.id, workflow.version)
                found = await engine.missing.of(account, plan)
                warnings: list[Json] = [{"path": p.path, "message": p.message} for p in found]
                for hook in workflow.brought.hooks:
                    trouble = None if hook.is_deleted else await engine.hooks.trouble(account, hook)
                    warnings += _warning("on", f"hook {hook.name!r}", trouble)
                return warnings
            case PatternVersion() as pattern:
                told = engine.active_patterns.ready(account, pattern).plan.looking.warnings
                return [{"path": p.path, "message": p.message} for p in told]
            case Connection() as connection:
                trouble = engine.connections.trouble(account, connection)[1]
                return _warning("values", f"connection {connection.name!r}", trouble)
            case Hook() as hook:
                trouble = await engine.hooks.trouble(account, hook)
                return _warning("secret", f"hook {hook.name!r}", trouble)
            case Secret() as secret:
                return _warning("", "", engine.secrets.trouble(account, secret))
            case _:
                return []


def _untried(change: Change) -> list[Json]:
    message = (
        "was not asked, since others took all the time: what is wrong with it its first poll tells"
    )
    return [{"path": f"{path}.query", "message": message} for path in change.untried]


def _warning(path: str, subject: str, trouble: str | None) -> list[Json]:
    return [{"path": path, "message": f"{subject} {trouble}".strip()}] if trouble else []


def _has_sealed(documents: Json) -> bool:
    return isinstance(documents, list) and any(
        isinstance(document, dict) and document.get("kind") in SEALED for document in documents
    )
