"""Whether anybody would be told that executions fail, and how."""

from dataclasses import dataclass

from oncue.core.errors import EvaluationError, NotFound
from oncue.core.expression import Expression
from oncue.core.workflow.compile import Library
from oncue.core.workflow.scope import Scope
from oncue.core.workflow.state import Start, begin
from oncue.engine.built_ins import FAILURE_ALERT, BuiltIns
from oncue.engine.definitions import Definitions
from oncue.engine.variable_book import VariableBook
from oncue.ports import Actions


@dataclass(frozen=True, slots=True)
class AlertWay:
    """The integration by which failures are told; without one, why they are not."""

    by: str | None
    lack: str | None = None


class Alerts:
    """Reads it off the workflow as the account has it, and off what is connected."""

    def __init__(
        self,
        built_ins: BuiltIns,
        definitions: Definitions,
        variables: VariableBook,
        actions: Actions,
        library: Library,
    ) -> None:
        self._built_ins = built_ins
        self._definitions = definitions
        self._variables = variables
        self._actions = actions
        self._library = library

    async def connected(self, account: str) -> dict[str, list[str]]:
        """Return by what each integration is reached that needs a connection and has one."""
        needing = {one.integration: name for name, one in self._library.items() if one.needs}
        found = {
            integration: await self._actions.goes_with(account, action)
            for integration, action in needing.items()
        }
        return {name: by for name, by in found.items() if by is not None}

    async def way(self, account: str) -> AlertWay:
        """Return how failures are told."""
        try:
            workflow = await self._built_ins.find(account, FAILURE_ALERT)
        except NotFound:
            return AlertWay(None, f"the account has no workflow {FAILURE_ALERT!r} of OnCue's")
        if not workflow.is_enabled:
            return AlertWay(None, f"workflow {workflow.name!r} is disabled or was deleted")
        plan = await self._definitions.plan(account, workflow.id, workflow.version)
        start = Start(
            "", "", 0, None, None, None,
            connected=await self.connected(account),
            vars=await self._variables.read_by(account, plan),
        )  # fmt: skip
        scope = Scope(plan, begin(start), 0)
        if _may_hold(plan.guard, scope):
            for node in plan.calls():
                if _may_hold(node.guard, scope) and not await self._actions.missing(
                    account, node.action, node.connection
                ):
                    return AlertWay(self._library[node.action].integration)
        return AlertWay(
            None,
            "neither Slack nor e-mail is connected: make a connection for slack (and for a bot set "
            "the variable alert_channel), "
            "or one for email and set the variable alert_email",
        )


def _may_hold(guard: Expression | None, scope: Scope) -> bool:
    try:
        return guard is None or scope.holds(guard)
    except EvaluationError:
        # What hangs on the event cannot be told without one.
        return True
