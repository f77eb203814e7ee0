"""Workflows: saved with what they bring, and kept compiled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from oncue.core.action import absent
from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json, same_json
from oncue.core.workflow.compile import Library
from oncue.core.workflow.parse import ParsedWorkflow, parse_saved_workflow, parse_workflow
from oncue.core.workflow.plan import CallNode, Plan
from oncue.engine.brought import Belongings, Known, ends_of
from oncue.engine.connected import Connected
from oncue.engine.paging import everything
from oncue.ports import Catalog, Clock, WorkflowVersion


@dataclass(frozen=True, slots=True)
class CurrentWorkflow:
    """A workflow as a match finds it."""

    id: str
    name: str
    version: int
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Checks:
    """What a workflow is held against; without `connected`, steps may name any connection."""

    library: Library
    max_steps: int
    connected: Connected | None


@dataclass(frozen=True, slots=True)
class Beside:
    """
    What is saved together with a definition, which may name it.

    `connections` are integrations by name, `workflows` ids by name.
    """

    connections: Mapping[str, str] = field(default_factory=dict)
    workflows: Mapping[str, str] = field(default_factory=dict)


ALONE: Final = Beside()


class Definitions:
    """The workflows of all accounts."""

    def __init__(
        self,
        catalog: Catalog,
        belongings: Belongings,
        clock: Clock,
        fresh_id: Callable[[str], str],
        checks: Checks,
    ) -> None:
        self._catalog = catalog
        self._belongings = belongings
        self._clock = clock
        self._fresh_id = fresh_id
        self._checks = checks
        self._current: dict[tuple[str, str], CurrentWorkflow] = {}
        self._plans: dict[tuple[str, str, int], Plan] = {}

    async def create_workflow(self, account: str, document: Json) -> WorkflowVersion:
        """
        Return the first version of a workflow; its patterns see what is accepted from now on.

        Raises:
            InvalidInput: with all problems.
            Conflict: another workflow of the account has that name.
        """
        workflow = await self.tried(account, document)
        await self._catalog.save_workflow(account, workflow)
        await self.put_in_force(account, workflow)
        return workflow

    async def change_workflow(
        self, account: str, current: WorkflowVersion, document: Json
    ) -> WorkflowVersion:
        """
        Return the version after `current`, or `current` itself if nothing changes.

        Raises:
            InvalidInput: with all problems.
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """
        workflow = await self.next(account, current, document)
        if workflow is not current:
            await self._belongings.check(account, workflow)
            await self._catalog.save_version(account, workflow)
            await self.put_in_force(account, workflow)
        return workflow

    async def tried(self, account: str, document: Json) -> WorkflowVersion:
        """
        Return the first version of a workflow, which is not saved; its queries can be asked.

        Raises:
            InvalidInput: with all problems.
            Overloaded: too many ask.
        """
        workflow = await self.first(account, document)
        await self._belongings.check(account, workflow)
        return workflow

    async def first(self, account: str, document: Json, beside: Beside = ALONE) -> WorkflowVersion:
        """
        Return the first version of a workflow, which is not saved.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = await self._checked(account, document, beside)
        now = self._clock.now_ms()
        name = parsed.definition.name
        workflow = WorkflowVersion(
            id=beside.workflows.get(name) or self._fresh_id("wf"),
            name=name,
            version=1,
            is_enabled=parsed.definition.enabled,
            document=parsed.document,
            created_at_ms=now,
            updated_at_ms=now,
        )
        brought = await self._belongings.changed(account, workflow, parsed, Known())
        return replace(workflow, brought=brought)

    async def next(
        self, account: str, current: WorkflowVersion, document: Json, beside: Beside = ALONE
    ) -> WorkflowVersion:
        """
        Return the version after `current`, which is not saved, or `current` if nothing changes.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = await self._checked(account, document, beside, current)
        is_same = same_json(parsed.document, current.document)
        if is_same and not parsed.secrets:
            return current
        known = await self._belongings.known(account, current.id)
        workflow = WorkflowVersion(
            id=current.id,
            name=parsed.definition.name,
            version=current.version + 1,
            is_enabled=parsed.definition.enabled,
            document=parsed.document,
            created_at_ms=current.created_at_ms,
            updated_at_ms=self._clock.now_ms(),
        )
        brought = await self._belongings.changed(account, workflow, parsed, known)
        if is_same and not brought.hooks:
            return current
        return replace(workflow, brought=brought)

    async def delete_workflow(self, account: str, workflow_id: str) -> None:
        """Let go of a workflow; nothing starts it any more."""
        now = self._clock.now_ms()
        ends = ends_of(await self._belongings.known(account, workflow_id), now)
        await self._catalog.delete_workflow(account, workflow_id, now, ends)
        self._current.pop((account, workflow_id), None)
        await self._belongings.put_in_force(account, ends)

    async def current(self, account: str, workflow_id: str) -> CurrentWorkflow:
        """Return the version that a match starts now."""
        key = (account, workflow_id)
        if key not in self._current:
            stored = await self._catalog.workflow(account, workflow_id)
            self._current[key] = CurrentWorkflow(
                stored.id, stored.name, stored.version, stored.is_enabled
            )
        return self._current[key]

    async def plan(self, account: str, workflow_id: str, version: int) -> Plan:
        """Return what a version does."""
        key = (account, workflow_id, version)
        if key not in self._plans:
            stored = await self._catalog.workflow(account, workflow_id, version)
            self._plans[key] = parse_saved_workflow(stored.document, self._checks.library).plan
        return self._plans[key]

    async def users(self, account: str, uses: Callable[[Plan], bool]) -> list[str]:
        """Return the workflows for whose current version `uses` holds."""
        return [
            row.name
            for row in await everything(partial(self._catalog.workflows, account))
            if uses(await self.plan(account, row.id, row.version))
        ]

    async def _checked(
        self,
        account: str,
        document: Json,
        beside: Beside,
        current: WorkflowVersion | None = None,
    ) -> ParsedWorkflow:
        checks = self._checks
        # Whoever disables a workflow need not mend it first.
        calls = await self._calls_of(account, current) if current else ()
        absentees = {
            node.action: absent(node.action) for node in calls if node.action not in checks.library
        }
        library = {**checks.library, **absentees}
        connections = None
        if checks.connected:
            named = {n.connection: library[n.action].integration for n in calls if n.connection}
            there = await checks.connected.integrations_by_name(account)
            connections = {**named, **there, **beside.connections}
        return parse_workflow(
            document, library, max_steps=checks.max_steps, connections=connections
        )

    async def _calls_of(self, account: str, workflow: WorkflowVersion) -> list[CallNode]:
        try:
            plan = await self.plan(account, workflow.id, workflow.version)
        except InvalidInput:
            # Of another time, when the language was another.
            return []
        return [*plan.calls()]

    async def put_in_force(self, account: str, workflow: WorkflowVersion) -> None:
        """Let a version that was saved take effect, and what it brings."""
        self._current.pop((account, workflow.id), None)
        await self._belongings.put_in_force(account, workflow.brought)
