"""`/monitoring`, `/health` and `/ready`."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from oncue import __version__
from oncue.core.audit import audit_of
from oncue.core.dead_letters import Queue
from oncue.core.errors import InvalidInput, Overloaded, Problem
from oncue.core.instants import format_instant, format_instant_if_any, parse_duration
from oncue.core.json_text import Json
from oncue.ports import ExecutionFilter, Span
from oncue.web import archive_status, render
from oncue.web.answers import answer
from oncue.web.context import Context
from oncue.web.cursor import Page, encode_cursor
from oncue.web.endpoint import OPEN, Endpoint, Gives

_MANY: Final = 1_000
_MINUTE_MS: Final = 60_000
_MAX_STEPS: Final = 1_440


class Monitoring:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint("GET /health", self.health, OPEN, Gives("Status")),
            Endpoint("GET /ready", self.ready, OPEN, Gives("Status")),
            Endpoint(
                "GET /monitoring/dashboard",
                self.dashboard,
                "read",
                Gives("Dashboard"),
                query=("range",),
            ),
            Endpoint(
                "GET /monitoring/audit",
                self.audit,
                "read",
                Gives("AuditEntry[]"),
                query=("execution", "workflow", "action", "limit", "cursor"),
            ),
        ]

    async def health(self, _: Request) -> Response:
        """Answer that the process lives."""
        return answer({"status": "ok", "version": __version__})

    async def ready(self, _: Request) -> Response:
        """Answer that the store can be read and written, so that requests can be served."""
        world = self._context.world
        await world.journal.cursors()
        if trouble := await asyncio.to_thread(world.disk.trouble):
            raise Overloaded(trouble)
        archive = "failing" if world.archiving.trouble else "ok"
        return answer({"status": "ready", "version": __version__, "archive": archive})

    async def dashboard(self, request: Request) -> Response:
        """Return what happened lately, in numbers."""
        account = await self._context.gate.account(request, "read")
        world = self._context.world
        now = world.clock.now_ms()
        span = _span(now, _range_ms(request))
        events = await world.log.past.usage(account, span)
        report = await world.history.report(account, span)
        workflows = await world.catalog.workflows(account, _MANY, None)
        dead = await world.letters.counts(account)
        patterns = await world.patterns.all(account, _MANY, None)
        paused: list[Json] = [*await self._context.engine.pauses.paused(account, patterns)]
        lag = world.log.head(account) - (await world.journal.cursors()).get(account, 0)
        alerts = await self._context.engine.alerts.way(account)
        trouble = world.archiving.trouble
        shown: Json = {
            "since": format_instant(span.from_ms),
            "step_s": span.step_ms // 1_000,
            "events": {
                "total": events.total,
                "by_type": events.by_type,
                "series": events.series,
                "lag": lag,
            },
            "patterns": {"matches": report.matches, "paused": paused},
            "workflows": {
                "total": await world.catalog.workflow_count(account),
                "enabled": sum(workflow.is_enabled for workflow in workflows),
            },
            "executions": {
                "by_status": report.by_status,
                "duration_ms": report.duration_ms,
                "series": report.series,
            },
            "archive": {
                **archive_status.shown(world.archiving.archived(account)),
                "failing_since": format_instant(trouble.since_ms) if trouble else None,
            },
            "alerts": {"by": alerts.by, "lack": alerts.lack},
            "queues": {
                "events": {
                    "depth": lag,
                    "oldest_age_s": await self._age_of_lag(account, lag),
                    "dead": dead.get(Queue.EVENTS, 0),
                },
                "workflows": {
                    "depth": report.unfinished,
                    "oldest_age_s": _age_s(report.oldest_unfinished_ms, now),
                    "dead": dead.get(Queue.WORKFLOWS, 0),
                },
            },
            "vendors": [
                {
                    "name": vendor.name,
                    "state": vendor.state,
                    "parked": vendor.parked,
                    "since": format_instant_if_any(vendor.since_ms),
                }
                for vendor in self._context.engine.parking.vendors(account)
            ],
            "top_errors": [{"error": error, "count": count} for error, count in report.top_errors],
        }
        return answer(shown)

    async def audit(self, request: Request) -> Response:
        """Return the attempts of actions, those of the newest executions first."""
        account = await self._context.gate.account(request, "read")
        given = request.query_params
        page = Page.of(request)
        history, journal = self._context.world.history, self._context.world.journal
        wanted = ExecutionFilter(workflow=given.get("workflow"))
        if "execution" in given:
            ids = [] if page.before else [given["execution"]]
            last = None
        else:
            rows = await history.executions(account, wanted, page.limit + 1, page.before)
            ids = [row.id for row in rows[: page.limit]]
            last = rows[page.limit - 1] if len(rows) > page.limit else None
        entries: list[Json] = []
        for execution_id in ids:
            stored = await journal.load(account, execution_id)
            new = stored.new
            plan = await self._context.engine.definitions.plan(
                account, new.workflow_id, new.version
            )
            entries += (
                render.audit_entry(stored, entry)
                for entry in audit_of(stored.state, plan)
                if given.get("action", entry.action) == entry.action
            )
        next_cursor = encode_cursor(last.created_at_ms, last.id) if last else None
        return answer({"data": entries, "next_cursor": next_cursor})

    async def _age_of_lag(self, account: str, lag: int) -> int:
        if not lag:
            return 0
        world = self._context.world
        cursor = (await world.journal.cursors()).get(account, 0)
        waiting = await world.log.read(account, cursor, 1)
        return _age_s(waiting[0].received_at_ms if waiting else None, world.clock.now_ms())


def _span(now_ms: int, range_ms: int) -> Span:
    """Return whole steps of a minute, or longer ones where there would be too many."""
    step_ms = _MINUTE_MS * -(-range_ms // (_MINUTE_MS * _MAX_STEPS))
    end = (now_ms // step_ms + 1) * step_ms
    return Span(end + range_ms // -step_ms * step_ms, end, step_ms)


def _age_s(instant_ms: int | None, now_ms: int) -> int:
    return 0 if instant_ms is None else (now_ms - instant_ms) // 1_000


def _range_ms(request: Request) -> int:
    try:
        return max(parse_duration(request.query_params.get("range", "24h")), _MINUTE_MS)
    except ValueError as exc:
        raise InvalidInput([Problem("range", str(exc))]) from exc
