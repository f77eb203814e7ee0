"""`/monitoring/archive`: what the archive holds of all accounts, and what is wrong with it."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.ports import Archived
from oncue.web.answers import answer
from oncue.web.context import Context
from oncue.web.endpoint import Endpoint, Gives


class ArchiveStatus:
    """The handler."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [Endpoint("GET /monitoring/archive", self.show, "operator", Gives("ArchiveStatus"))]

    async def show(self, request: Request) -> Response:
        """Return what the archive holds of all accounts, and why it takes nothing, if so."""
        await self._context.gate.account(request, "operator")
        archiving = self._context.world.archiving
        trouble = archiving.trouble
        told: Json = None
        if trouble:
            told = {"since": format_instant(trouble.since_ms), "message": trouble.message}
        return answer({**shown(archiving.archived()), "trouble": told})


def shown(archived: Archived) -> dict[str, Json]:
    """Return what the archive holds, as it is shown."""
    return {
        "files": archived.files,
        "bytes": archived.size,
        "events": archived.events,
        "newest_at": format_instant_if_any(archived.newest_ms),
        "waiting": archived.waiting,
        "missing": archived.missing,
    }
