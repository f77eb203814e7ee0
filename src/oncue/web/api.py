"""The application: the endpoints of all resources."""

from starlette.applications import Starlette
from starlette.types import ASGIApp

from oncue.engine.engine import Engine, World
from oncue.web import problems
from oncue.web.accounts import AccountRoutes
from oncue.web.actions import ActionRoutes
from oncue.web.archive_status import ArchiveStatus
from oncue.web.backtests import BacktestRoutes
from oncue.web.callbacks import CallbackRoutes
from oncue.web.configuration import ConfigurationRoutes
from oncue.web.connections import ConnectionRoutes
from oncue.web.context import Context, Limits
from oncue.web.dead_letters import DeadLetterRoutes
from oncue.web.endpoint import Endpoint
from oncue.web.event_query import EventQueries
from oncue.web.events import Events
from oncue.web.executions import Executions
from oncue.web.hook_calls import HookCalls
from oncue.web.hooks import HookRoutes
from oncue.web.kv import KeyValueRoutes
from oncue.web.metrics import Metrics
from oncue.web.monitoring import Monitoring
from oncue.web.page_files import Pages
from oncue.web.patterns import PatternRoutes
from oncue.web.runs import Runs
from oncue.web.schedules import ScheduleRoutes
from oncue.web.secrets import SecretRoutes
from oncue.web.variables import VariableRoutes
from oncue.web.workflows import Workflows


def create_app(engine: Engine, world: World, limits: Limits | None = None) -> ASGIApp:
    """Return the ASGI application over a started engine."""
    context = Context(engine, world, limits or Limits())
    metrics = Metrics(context)
    resources = (
        # Routes are looked at in order: what is asked for most comes first.
        Events(context),
        EventQueries(context),
        HookCalls(context),
        Runs(context),
        Workflows(context),
        BacktestRoutes(context),
        PatternRoutes(context),
        ScheduleRoutes(context),
        Executions(context),
        DeadLetterRoutes(context),
        ActionRoutes(context),
        CallbackRoutes(context),
        KeyValueRoutes(context),
        HookRoutes(context),
        ConnectionRoutes(context),
        SecretRoutes(context),
        ConfigurationRoutes(context),
        VariableRoutes(context),
        AccountRoutes(context),
        Monitoring(context),
        ArchiveStatus(context),
        metrics,
    )
    endpoints: list[Endpoint] = [e for resource in resources for e in resource.endpoints()]
    app = Starlette(routes=[*endpoints, *Pages(endpoints).routes()])
    problems.install(app)
    return metrics.counting(app)
