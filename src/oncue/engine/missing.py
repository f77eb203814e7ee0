"""What a workflow would need when it runs, and the account does not have."""

from oncue.core.errors import Problem
from oncue.core.problems import nearest
from oncue.core.workflow.plan import Plan
from oncue.engine.kept_secrets import KeptSecrets
from oncue.engine.variable_book import VariableBook
from oncue.ports import Actions


class Missing:
    """Looks for what may fail later."""

    def __init__(self, actions: Actions, secrets: KeptSecrets, variables: VariableBook) -> None:
        self._actions = actions
        self._secrets = secrets
        self._variables = variables

    async def of(self, account: str, plan: Plan) -> list[Problem]:
        """Return what is missing, each with the place that needs it."""
        found = [
            Problem(node.place, message)
            for node in plan.calls()
            if (message := await self._actions.missing(account, node.action, node.connection))
        ]
        if plan.secrets:
            known = await self._secrets.by_name(account)
            found += (
                Problem(path, trouble)
                for name, path in plan.secrets.items()
                if (trouble := self._secrets.trouble(account, known, name))
            )
        if plan.variables:
            values = await self._variables.values(account)
            found += (
                Problem(path, f"no variable {name!r}{nearest(name, values)}")
                for name, path in plan.variables.items()
                if name not in values
            )
        return found
