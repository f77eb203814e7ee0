"""`/callbacks`: whoever has the URL may let a step go on."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.errors import NotFound
from oncue.web.answers import answer
from oncue.web.body import read_optional_json
from oncue.web.context import Context
from oncue.web.endpoint import OPEN, Body, Endpoint, Gives


class CallbackRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        path = "/callbacks/{account}/{execution_id}/{token}/{path:path}"
        body = Body("Anything", {"approved": True}, is_required=False)
        conflict = {409: "Nobody waits for it any more."}
        return [
            Endpoint(
                f"POST {path}", self.post, OPEN, Gives("Status", 202, also=conflict), body=body
            )
        ]

    async def post(self, request: Request) -> Response:
        """Let a step go on; what is sent becomes its `callback`."""
        account, execution_id, token, path = (
            request.path_params[name] for name in ("account", "execution_id", "token", "path")
        )
        if not self._context.world.callbacks.knows(account, execution_id, token):
            raise NotFound("no such callback")
        data = await read_optional_json(request, self._context.limits.event_bytes)
        await self._context.engine.call_back(account, execution_id, path, data)
        return answer({"status": "accepted"}, 202)
