"""From a document to the version that it would be, which is not saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.merge_patch import patch_between
from oncue.core.named_values import parse_secret, parse_variable
from oncue.engine.definitions import Beside
from oncue.engine.standing import Books, Standing
from oncue.ports import (
    Connection,
    Hook,
    Keepable,
    PatternVersion,
    Schedule,
    Secret,
    Variable,
    WorkflowVersion,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document, its place among the others, and what it is about."""

    index: int
    kind: str
    name: str
    document: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a document is held against."""

    account: str
    standing: Standing
    beside: Beside


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document would be; `made` are the secrets that were made for hooks, by their ids."""

    kept: Keepable
    made: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Drafts:
    """Drafts definitions of all kinds."""

    books: Books

    async def of(self, scene: Scene, one: Wanted) -> Draft:
        """
        Return the version that a document would be, or the current one if it changes nothing.

        Raises:
            InvalidInput: with all problems.
            Conflict: the current one cannot be changed so.
        """
        match one.kind:
            case "variable":
                return Draft(self._variable(scene, one))
            case "secret":
                return Draft(self._secret(scene, one))
            case "connection":
                return Draft(self._connection(scene, one))
            case "workflow":
                workflow = await self._workflow(scene, one)
                return Draft(workflow, workflow.brought.made)
            case "pattern":
                return Draft(await self._pattern(scene, one))
            case "schedule":
                return Draft(await self._schedule(scene, one))
            case _:
                hook, made = await self._hook(scene, one)
                return Draft(hook, {} if made is None else {hook.id: made})

    def _variable(self, scene: Scene, one: Wanted) -> Keepable:
        current = scene.standing.find(one.kind, one.name)
        parsed = parse_variable(one.document)
        if isinstance(current, Variable):
            return self.books.variables.next(scene.account, current, parsed)
        return self.books.variables.first(scene.account, parsed)

    def _secret(self, scene: Scene, one: Wanted) -> Keepable:
        if "value" in one.document:
            told = f"expected no value in a document: oncue secrets set {one.name}"
            raise InvalidInput([Problem("value", told)])
        current = scene.standing.find(one.kind, one.name)
        parsed = parse_secret(one.document)
        if isinstance(current, Secret):
            return self.books.secrets.next(scene.account, current, parsed)
        return self.books.secrets.first(scene.account, parsed)

    def _connection(self, scene: Scene, one: Wanted) -> Keepable:
        current = scene.standing.find(one.kind, one.name)
        if not isinstance(current, Connection):
            return self.books.connections.first(scene.account, one.document)
        before = scene.standing.document(one.kind, one.name)
        patch = patch_between(plain(before), one.document)
        assert isinstance(patch, Mapping)
        return self.books.connections.next(scene.account, current, patch)

    async def _workflow(self, scene: Scene, one: Wanted) -> WorkflowVersion:
        current = scene.standing.find(one.kind, one.name)
        books = self.books.workflows
        if isinstance(current, WorkflowVersion):
            return await books.next(scene.account, current, one.document, scene.beside)
        return await books.first(scene.account, one.document, scene.beside)

    async def _pattern(self, scene: Scene, one: Wanted) -> Keepable:
        current = scene.standing.find(one.kind, one.name)
        book, workflows = self.books.patterns, scene.beside.workflows
        if isinstance(current, PatternVersion):
            return await book.next(scene.account, current, one.document, workflows)
        return await book.first(scene.account, one.document, workflows)

    async def _schedule(self, scene: Scene, one: Wanted) -> Keepable:
        current = scene.standing.find(one.kind, one.name)
        if isinstance(current, Schedule):
            return await self.books.schedules.next(scene.account, current, one.document)
        return await self.books.schedules.first(scene.account, one.document)

    async def _hook(self, scene: Scene, one: Wanted) -> tuple[Hook, str | None]:
        current = scene.standing.find(one.kind, one.name)
        if not isinstance(current, Hook):
            fresh = await self.books.hooks.first(scene.account, one.document)
            return fresh.hook, fresh.made
        # Secrets that are not given stay.
        before: dict[str, Json] = {"secret": [*current.hints]} if current.hints else {}
        kept = await self.books.hooks.next(scene.account, current, {**before, **one.document})
        return kept.hook, kept.made


def plain(document: Mapping[str, Json] | None) -> dict[str, Json]:
    """Return what a document says, without what goes without saying."""
    return {
        name: value
        for name, value in (document or {}).items()
        if name != "kind" and (name, value) not in (("enabled", True), ("description", ""))
    }
