"""The application: the routes of all resources."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue import __version__
from oncue.engine.engine import Engine, World
from oncue.web import problems
from oncue.web.actions import ActionRoutes
from oncue.web.answers import answer
from oncue.web.callbacks import CallbackRoutes
from oncue.web.context import Context, Limits
from oncue.web.events import Events
from oncue.web.executions import Executions
from oncue.web.workflows import Workflows


def create_app(engine: Engine, world: World, limits: Limits | None = None) -> FastAPI:
    """Return the ASGI application over a started engine."""
    app = FastAPI(title="OnCue", version=__version__, docs_url=None, redoc_url=None)
    problems.install(app)
    context = Context(engine, world, limits or Limits())
    resources = (
        Events(context),
        Workflows(context),
        Executions(context),
        ActionRoutes(context),
        CallbackRoutes(context),
    )
    for resource in resources:
        app.router.routes.extend(resource.routes())
    app.router.routes.append(Route("/health", _health, methods=["GET"]))
    return app


async def _health(_: Request) -> Response:
    return answer({"status": "ok", "version": __version__})
