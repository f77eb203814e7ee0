"""What is kept under the names that expressions know it by: alike for secrets and variables."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.core.named_values import SecretDocument, VariableDocument
from oncue.core.problems import nearest
from oncue.core.workflow.plan import Plan
from oncue.engine.definitions import Definitions
from oncue.engine.room import check_count
from oncue.ports import NamedValue, NamedValues

Wanted = TypeVar("Wanted", bound=SecretDocument | VariableDocument)


class NamedValueBook(ABC, Generic[NamedValue, Wanted]):
    """The values of one `kind`, of all accounts."""

    def __init__(
        self,
        kind: str,
        store: NamedValues[NamedValue],
        definitions: Definitions,
        parse: Callable[[Json], Wanted],
    ) -> None:
        self._kind = kind
        self._store = store
        self._definitions = definitions
        self._parse = parse

    @abstractmethod
    def first(self, account: str, wanted: Wanted) -> NamedValue:
        """Return the first version of a value, which is not saved."""

    @abstractmethod
    def next(self, account: str, current: NamedValue, wanted: Wanted) -> NamedValue:
        """Return the version after `current`, or `current` itself if it is the same."""

    @abstractmethod
    def document_of(self, row: NamedValue) -> dict[str, Json]:
        """Return what a patch changes."""

    @abstractmethod
    def names_in(self, plan: Plan) -> Collection[str]:
        """Return the names that a workflow reads."""

    @abstractmethod
    def forget(self, account: str) -> None:
        """Read the values of an account anew when they are needed next."""

    async def by_name(self, account: str) -> Mapping[str, NamedValue]:
        """Return the values of an account by their names, newest first."""
        return {row.name: row for row in await self._store.all(account)}

    async def find(self, account: str, name: str) -> NamedValue:
        """
        Return the value of that name.

        Raises:
            NotFound: this account has none.
        """
        known = await self.by_name(account)
        if name not in known:
            raise NotFound(f"no {self._kind} {name!r}{nearest(name, known)}")
        return known[name]

    async def create(self, account: str, document: Json) -> NamedValue:
        """
        Return a value, from now on kept.

        Raises:
            InvalidInput: with all problems.
            Conflict: the account has one of that name, or as many as it may have.
        """
        row = self.first(account, self._parse(document))
        check_count(self._kind, len(await self.by_name(account)))
        await self._store.add(account, row)
        self.forget(account)
        return row

    async def change(
        self, account: str, current: NamedValue, patch: Mapping[str, Json]
    ) -> NamedValue:
        """
        Return the version after `current`, or `current` itself if the patch changes nothing.

        Raises:
            InvalidInput: with all problems.
            Conflict: somebody changed it meanwhile.
        """
        return await self._become(account, current, merge_patch(self.document_of(current), patch))

    async def put(self, account: str, name: str, given: Mapping[str, Json]) -> NamedValue:
        """
        Return the value of that name, which is what is `given`; its description may stay.

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

    async def delete(self, account: str, row: NamedValue, *, even_if_used: bool) -> None:
        """
        Forget a value.

        Raises:
            Conflict: a workflow reads it.
        """
        if not even_if_used:
            name = row.name
            users = await self._definitions.users(account, lambda plan: name in self.names_in(plan))
            if users:
                raise Conflict(f"{self._kind} {name!r} is read by the workflows {', '.join(users)}")
        await self._store.delete(account, row.name)
        self.forget(account)

    async def _become(self, account: str, current: NamedValue, document: Json) -> NamedValue:
        wanted = self._parse(document)
        if wanted.name != current.name:
            message = f"expected {current.name!r} to stay, got {wanted.name!r}"
            raise InvalidInput([Problem("name", message)])
        changed = self.next(account, current, wanted)
        if changed is not current:
            await self._store.change(account, changed)
            self.forget(account)
        return changed
