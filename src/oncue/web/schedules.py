"""`/schedules`."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.core.schedule.document import ScheduleDocument
from oncue.engine.schedule_book import upcoming_of
from oncue.ports import Schedule
from oncue.web.answers import answer_page, answer_version
from oncue.web.body import JSON, PATCH, YAML, read_document, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives

SHOWN_TICKS: Final = 5
"""How many of its next times a schedule is shown with."""
_EXAMPLE: Json = {
    "name": "nightly-report",
    "cron": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "data": {"report": "sales"},
}


class ScheduleRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = context.engine.schedules
        self._schedules = context.world.schedules

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        place = "/schedules/{id}"
        return [
            Endpoint("GET /schedules", self.list, "read", Gives("SavedSchedule[]"), query=PAGE),
            Endpoint(
                "POST /schedules",
                self.post,
                "write",
                Gives("SavedSchedule", 201, also=ONCE),
                body=Body(ScheduleDocument, _EXAMPLE, (*JSON, *YAML)),
            ),
            Endpoint(f"GET {place}", self.get, "read", Gives("SavedSchedule")),
            Endpoint(
                f"PATCH {place}",
                self.patch,
                "write",
                Gives("SavedSchedule", also=CHANGED),
                body=Body("object", {"enabled": False}, PATCH),
            ),
            Endpoint(f"DELETE {place}", self.delete, "write", Gives(None, 204, also=CHANGED)),
        ]

    async def list(self, request: Request) -> Response:
        """Return the schedules, newest first."""
        account = await self._context.gate.account(request, "read")
        page = Page.of(request)
        rows = await self._schedules.all(account, page.limit + 1, page.before)
        return answer_page(rows, page, _shown)

    async def post(self, request: Request) -> Response:
        """Save a schedule; it fires from now on."""
        account = await self._context.gate.account(request, "write")
        document = await read_document(request, self._context.limits.document_bytes)

        async def create() -> Response:
            return _answer(await self._book.create(account, document), 201)

        return await self._context.once.answer(account, request, document, create)

    async def get(self, request: Request) -> Response:
        """Return a schedule, and when it fires next."""
        account = await self._context.gate.account(request, "read")
        return _answer(await self._current(account, request))

    async def patch(self, request: Request) -> Response:
        """Save the next version of a schedule: what the patch (RFC 7396) makes of it."""
        account = await self._context.gate.account(request, "write")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await self._current(account, request)
        check_version(request, current.version)
        document = merge_patch(current.document, patch)
        await self._book.change(account, current, document)
        # Read again: it may have fired meanwhile.
        return _answer(await self._schedules.current(account, current.id))

    async def delete(self, request: Request) -> Response:
        """Let go of a schedule; the events that it emitted stay."""
        account = await self._context.gate.account(request, "write")
        current = await self._current(account, request)
        check_version(request, current.version)
        await self._book.delete(account, current)
        return Response(status_code=204)

    async def _current(self, account: str, request: Request) -> Schedule:
        return await self._schedules.current(account, request.path_params["id"])


def _answer(schedule: Schedule, status: int = 200) -> Response:
    place = f"/schedules/{schedule.id}"
    return answer_version(_shown(schedule), schedule.version, place, status)


def _shown(schedule: Schedule) -> dict[str, Json]:
    progress = schedule.progress
    upcoming: list[Json] = [format_instant(at) for at in upcoming_of(schedule, SHOWN_TICKS)]
    return {
        "id": schedule.id,
        "enabled": schedule.is_enabled,
        **schedule.document,
        "version": schedule.version,
        "owned_by": schedule.owner_id,
        "effective_time_zone": progress.zone,
        "next_at": format_instant_if_any(progress.next_ms),
        "upcoming": upcoming,
        "last_at": format_instant_if_any(progress.last_ms),
        "missed": progress.missed,
        "created_at": format_instant(schedule.created_at_ms),
        "updated_at": format_instant(schedule.updated_at_ms),
    }
