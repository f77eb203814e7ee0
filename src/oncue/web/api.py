"""The application: the routes of all resources."""

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from oncue import __version__
from oncue.engine.engine import Engine, World
from oncue.web import problems
from oncue.web.accounts import AccountRoutes
from oncue.web.actions import ActionRoutes
from oncue.web.callbacks import CallbackRoutes
from oncue.web.context import Context, Limits
from oncue.web.events import Events
from oncue.web.executions import Executions
from oncue.web.kv import KeyValueRoutes
from oncue.web.monitoring import Monitoring
from oncue.web.patterns import PatternRoutes
from oncue.web.runs import Runs
from oncue.web.workflows import Workflows


def create_app(engine: Engine, world: World, limits: Limits | None = None) -> ASGIApp:
    """Return the ASGI application over a started engine."""
    context = Context(engine, world, limits or Limits())
    events = Starlette(routes=Events(context).routes())
    api = FastAPI(title="OnCue", version=__version__, docs_url=None, redoc_url=None)
    resources = (
        Workflows(context),
        Runs(context),
        PatternRoutes(context),
        Executions(context),
        ActionRoutes(context),
        CallbackRoutes(context),
        AccountRoutes(context),
        KeyValueRoutes(context),
        Monitoring(context),
    )
    for resource in resources:
        api.router.routes.extend(resource.routes())
    for app in (events, api):
        problems.install(app)
    return _Front(events, api)


class _Front:
    """
    Leads events past FastAPI.

    Its layers of middleware cost as much as all else that a post costs, and
    events need none of them.
    """

    def __init__(self, events: ASGIApp, api: ASGIApp) -> None:
        self._events = events
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_event = scope["type"] == "http" and scope["path"].startswith("/events")
        await (self._events if is_event else self._api)(scope, receive, send)
