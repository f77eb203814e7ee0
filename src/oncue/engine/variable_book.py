"""Variables: kept, changed and forgotten; an execution has those of the instant it begins."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from oncue.core.json_text import Json, same_json
from oncue.core.named_values import VariableDocument, parse_variable
from oncue.core.workflow.plan import Plan
from oncue.engine.definitions import Definitions
from oncue.engine.known import Known
from oncue.engine.named_value_book import NamedValueBook
from oncue.ports import Clock, Variable, Variables


class VariableBook(NamedValueBook[Variable, VariableDocument]):
    """The variables of all accounts."""

    def __init__(self, store: Variables, definitions: Definitions, clock: Clock) -> None:
        super().__init__("variable", store, definitions, parse_variable)
        self._clock = clock
        self._known = Known(self._values)

    async def values(self, account: str) -> Mapping[str, Json]:
        """Return the values of an account by their names."""
        return await self._known.of(account)

    async def read_by(self, account: str, plan: Plan) -> Mapping[str, Json]:
        """Return those that a workflow may read."""
        if not plan.variables and not plan.reads_any_variable:
            return {}
        known = await self.values(account)
        if plan.reads_any_variable:
            return known
        return {name: known[name] for name in plan.variables if name in known}

    def first(self, account: str, wanted: VariableDocument) -> Variable:  # noqa: ARG002 see NamedValueBook
        """Return the first version of a variable."""
        now = self._clock.now_ms()
        return Variable(wanted.name, wanted.description, wanted.value, 1, now, now)

    def next(self, account: str, current: Variable, wanted: VariableDocument) -> Variable:  # noqa: ARG002 see NamedValueBook
        """Return the version after `current`, or `current` itself if it is the same."""
        changed = replace(current, description=wanted.description, value=wanted.value)
        if same_json(changed.value, current.value) and changed.description == current.description:
            return current
        return replace(changed, version=current.version + 1, updated_at_ms=self._clock.now_ms())

    def document_of(self, row: Variable) -> dict[str, Json]:
        """Return a variable, whole."""
        return {"name": row.name, "description": row.description, "value": row.value}

    def names_in(self, plan: Plan) -> Collection[str]:
        """Return the variables that a workflow reads by name."""
        return plan.variables

    def forget(self, account: str) -> None:
        """Read the variables of an account anew when they are needed next."""
        self._known.forget(account)

    async def _values(self, account: str) -> Mapping[str, Json]:
        return {row.name: row.value for row in await self._store.all(account)}
