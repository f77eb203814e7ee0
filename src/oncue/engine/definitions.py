"""Workflows: saved with the patterns that they bring, and kept compiled."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from oncue.core.action import absent
from oncue.core.documents import MAX_NAME
from oncue.core.errors import InvalidInput
from oncue.core.ids import derived_id
from oncue.core.json_text import Json
from oncue.core.workflow.compile import Library
from oncue.core.workflow.parse import ParsedWorkflow, parse_saved_workflow, parse_workflow
from oncue.core.workflow.plan import CallNode, Plan
from oncue.engine.connected import Connected
from oncue.engine.patterns import PatternDefinitions, ended, next_version
from oncue.ports import Catalog, Clock, PatternVersion, WorkflowVersion


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


class Definitions:
    """The workflows of all accounts."""

    def __init__(
        self,
        catalog: Catalog,
        patterns: PatternDefinitions,
        clock: Clock,
        fresh_id: Callable[[str], str],
        checks: Checks,
    ) -> None:
        self._catalog = catalog
        self._patterns = patterns
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
        parsed = await self._checked(account, document)
        now = self._clock.now_ms()
        workflow_id = self._fresh_id("wf")
        workflow = WorkflowVersion(
            id=workflow_id,
            name=parsed.definition.name,
            version=1,
            is_enabled=parsed.definition.enabled,
            document=parsed.document,
            created_at_ms=now,
            updated_at_ms=now,
            patterns=_changed_patterns(workflow_id, parsed, (now, now), []),
        )
        await self._patterns.check_room(account, workflow.patterns, "on")
        await self._catalog.save_workflow(account, workflow)
        return await self._put_in_force(account, workflow)

    async def change_workflow(
        self, account: str, current: WorkflowVersion, document: Json
    ) -> WorkflowVersion:
        """
        Return the version after `current`, or `current` itself if nothing changes.

        Raises:
            InvalidInput: with all problems.
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """
        parsed = await self._checked(account, document, current)
        if parsed.document == current.document:
            return current
        now = self._clock.now_ms()
        known = await self._patterns.owned_by(account, current.id)
        workflow = WorkflowVersion(
            id=current.id,
            name=parsed.definition.name,
            version=current.version + 1,
            is_enabled=parsed.definition.enabled,
            document=parsed.document,
            created_at_ms=current.created_at_ms,
            updated_at_ms=now,
            patterns=_changed_patterns(current.id, parsed, (current.created_at_ms, now), known),
        )
        await self._patterns.check_room(account, workflow.patterns, "on")
        await self._catalog.save_version(account, workflow)
        return await self._put_in_force(account, workflow)

    async def delete_workflow(self, account: str, workflow_id: str) -> None:
        """Let go of a workflow; nothing starts it any more."""
        known = await self._patterns.owned_by(account, workflow_id)
        now = self._clock.now_ms()
        ends = [ended(pattern, now) for pattern in known if not pattern.is_deleted]
        await self._catalog.delete_workflow(account, workflow_id, now, ends)
        self._current.pop((account, workflow_id), None)
        for pattern in ends:
            await self._patterns.announce(account, pattern)

    async def check(self, account: str, document: Json) -> None:
        """
        Return if `document` is a workflow.

        Raises:
            InvalidInput: with all problems.
        """
        await self._checked(account, document)

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

    async def _checked(
        self, account: str, document: Json, current: WorkflowVersion | None = None
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
            connections = {**named, **await checks.connected.integrations_by_name(account)}
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

    async def _put_in_force(self, account: str, workflow: WorkflowVersion) -> WorkflowVersion:
        self._current.pop((account, workflow.id), None)
        for pattern in workflow.patterns:
            await self._patterns.announce(account, pattern)
        return workflow


def _changed_patterns(
    workflow_id: str,
    parsed: ParsedWorkflow,
    instants: tuple[int, int],
    known: list[PatternVersion],
) -> tuple[PatternVersion, ...]:
    """Return what differs from the `known` patterns of a workflow; the nth trigger has the nth id."""
    created_at_ms, now = instants
    before = {pattern.id: pattern for pattern in known}
    changed: list[PatternVersion] = []
    for index, trigger in enumerate(parsed.triggers):
        name = parsed.definition.name
        first = PatternVersion(
            id=derived_id("pat", created_at_ms, [workflow_id, index]),
            name=f"{name}-{index + 1}"[-MAX_NAME:] if index else name,
            version=1,
            state_version=1,
            document={},
            workflow_id=workflow_id,
            owner_id=workflow_id,
            created_at_ms=now,
            updated_at_ms=now,
        )
        document: dict[str, Json] = {"name": first.name, "workflow": name, "pattern": trigger}
        new = next_version(before.pop(first.id, None), replace(first, document=document))
        if new:
            changed.append(new)
    changed += [ended(pattern, now) for pattern in before.values() if not pattern.is_deleted]
    return tuple(changed)
