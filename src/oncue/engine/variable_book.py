"""Variables: kept, changed and forgotten; an execution has those of the instant it begins."""

from collections.abc import Mapping
from dataclasses import replace

from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.json_text import Json, same_json
from oncue.core.merge_patch import merge_patch
from oncue.core.named_values import VariableDocument, parse_variable
from oncue.core.problems import nearest
from oncue.core.workflow.plan import Plan
from oncue.engine.definitions import Definitions
from oncue.engine.known import Known
from oncue.engine.room import check_count
from oncue.ports import Clock, Variable, Variables


class VariableBook:
    """The variables of all accounts."""

    def __init__(self, store: Variables, definitions: Definitions, clock: Clock) -> None:
        self._store = store
        self._definitions = definitions
        self._clock = clock
        self._known = Known(self._values)

    async def by_name(self, account: str) -> Mapping[str, Variable]:
        """Return the variables of an account by their names, newest first."""
        return {row.name: row for row in await self._store.all(account)}

    async def find(self, account: str, name: str) -> Variable:
        """
        Return the variable of that name.

        Raises:
            NotFound: this account has none.
        """
        known = await self.by_name(account)
        if name not in known:
            raise NotFound(f"no variable {name!r}{nearest(name, known)}")
        return known[name]

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

    async def create(self, account: str, document: Json) -> Variable:
        """
        Return a variable, from now on kept.

        Raises:
            InvalidInput: with all problems.
            Conflict: the account has one of that name, or as many as it may have.
        """
        variable = self.first(parse_variable(document))
        check_count("variable", len(await self.values(account)))
        await self._store.add(account, variable)
        self.forget(account)
        return variable

    async def change(self, account: str, current: Variable, patch: Mapping[str, Json]) -> Variable:
        """
        Return the version after `current`, or `current` itself if the patch changes nothing.

        Raises:
            InvalidInput: with all problems.
            Conflict: somebody changed it meanwhile.
        """
        return await self._become(account, current, merge_patch(document_of(current), patch))

    async def put(self, account: str, name: str, given: Mapping[str, Json]) -> Variable:
        """
        Return the variable of that name, which has the value that is `given`, whole.

        Raises:
            InvalidInput: with all problems.
            Conflict: somebody changed it meanwhile.
        """
        if given.get("name", name) != name:
            raise InvalidInput([Problem("name", f"expected {name!r}, got {given['name']!r}")])
        current = (await self.by_name(account)).get(name)
        if current is None:
            return await self.create(account, {**given, "name": name})
        document = {"description": current.description, **given, "name": name}
        return await self._become(account, current, document)

    async def _become(self, account: str, current: Variable, document: Json) -> Variable:
        wanted = parse_variable(document)
        if wanted.name != current.name:
            message = f"expected {current.name!r} to stay, got {wanted.name!r}"
            raise InvalidInput([Problem("name", message)])
        changed = self.next(current, wanted)
        if changed is not current:
            await self._store.change(account, changed)
            self.forget(account)
        return changed

    async def delete(self, account: str, variable: Variable, *, even_if_used: bool) -> None:
        """
        Forget a variable.

        Raises:
            Conflict: a workflow reads it.
        """
        if not even_if_used:
            name = variable.name
            users = await self._definitions.users(account, lambda plan: name in plan.variables)
            if users:
                raise Conflict(f"variable {name!r} is read by the workflows {', '.join(users)}")
        await self._store.delete(account, variable.name)
        self.forget(account)

    def forget(self, account: str) -> None:
        """Read the variables of an account anew when they are needed next."""
        self._known.forget(account)

    def first(self, wanted: VariableDocument) -> Variable:
        """Return the first version of a variable."""
        now = self._clock.now_ms()
        return Variable(wanted.name, wanted.description, wanted.value, 1, now, now)

    def next(self, current: Variable, wanted: VariableDocument) -> Variable:
        """Return the version after `current`, or `current` itself if it is the same."""
        changed = replace(current, description=wanted.description, value=wanted.value)
        if same_json(changed.value, current.value) and changed.description == current.description:
            return current
        return replace(changed, version=current.version + 1, updated_at_ms=self._clock.now_ms())

    async def _values(self, account: str) -> Mapping[str, Json]:
        return {row.name: row.value for row in await self._store.all(account)}


def document_of(variable: Variable) -> dict[str, Json]:
    """Return a variable as a document."""
    return {
        "name": variable.name,
        "description": variable.description,
        "value": variable.value,
    }
