"""What users defined: saved, announced to the log, and kept compiled."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from oncue.core.ids import derived_id
from oncue.core.json_text import Json
from oncue.core.pattern.definition import EventPattern
from oncue.core.pattern.matcher import ActivePattern
from oncue.core.workflow.compile import Library
from oncue.core.workflow.parse import ParsedWorkflow, parse_workflow
from oncue.core.workflow.plan import Plan
from oncue.ports import Catalog, Clock, EventLog, PatternVersion, WorkflowVersion


@dataclass(frozen=True, slots=True)
class CurrentWorkflow:
    """A workflow as a match finds it."""

    id: str
    name: str
    version: int
    is_enabled: bool


class Definitions:
    """The workflows and patterns of all accounts."""

    def __init__(
        self,
        catalog: Catalog,
        log: EventLog,
        clock: Clock,
        fresh_id: Callable[[str], str],
        library: Library,
        max_steps: int,
    ) -> None:
        self._catalog = catalog
        self._log = log
        self._clock = clock
        self._fresh_id = fresh_id
        self._library = library
        self._max_steps = max_steps
        self._current: dict[tuple[str, str], CurrentWorkflow] = {}
        self._plans: dict[tuple[str, str, int], Plan] = {}

    async def create_workflow(self, account: str, document: Json) -> WorkflowVersion:
        """
        Return the first version of a workflow; its patterns see what is accepted from now on.

        Raises:
            InvalidInput: with all problems.
            Conflict: another workflow of the account has that name.
        """
        parsed = self._parse(document)
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
            patterns=_changed_patterns(workflow_id, parsed, now, []),
        )
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
        parsed = self._parse(document)
        if parsed.document == current.document:
            return current
        now = self._clock.now_ms()
        known = await self._catalog.patterns_of(account, current.id)
        workflow = WorkflowVersion(
            id=current.id,
            name=parsed.definition.name,
            version=current.version + 1,
            is_enabled=parsed.definition.enabled,
            document=parsed.document,
            created_at_ms=current.created_at_ms,
            updated_at_ms=now,
            patterns=_changed_patterns(current.id, parsed, current.created_at_ms, known),
        )
        await self._catalog.save_version(account, workflow)
        return await self._put_in_force(account, workflow)

    async def delete_workflow(self, account: str, workflow_id: str) -> None:
        """Let go of a workflow; nothing starts it any more."""
        known = await self._catalog.patterns_of(account, workflow_id)
        ended = [_ended(pattern) for pattern in known if pattern.is_active]
        await self._catalog.delete_workflow(account, workflow_id, self._clock.now_ms(), ended)
        self._current.pop((account, workflow_id), None)
        for pattern in ended:
            await self._announce(account, pattern)

    def check(self, document: Json) -> None:
        """
        Return if `document` is a workflow.

        Raises:
            InvalidInput: with all problems.
        """
        self._parse(document)

    async def announce_rest(self) -> None:
        """Tell the log what was saved before a crash came between."""
        for account, pattern in await self._catalog.unannounced():
            await self._announce(account, pattern)

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
            self._plans[key] = self._parse(stored.document).plan
        return self._plans[key]

    async def pattern(self, account: str, pattern_id: str, version: int) -> ActivePattern | None:
        """Return a version of a pattern, ready to match; nothing, if it ends the pattern."""
        pattern = await self._catalog.pattern(account, pattern_id, version)
        return activate(pattern) if pattern.is_active else None

    async def patterns_at(self, account: str, offset: int) -> list[ActivePattern]:
        """Return the patterns that are seen after the record at `offset`."""
        seen = await self._catalog.seen_at(account, offset)
        return [activate(pattern) for pattern in seen if pattern.is_active]

    def _parse(self, document: Json) -> ParsedWorkflow:
        return parse_workflow(document, self._library, max_steps=self._max_steps)

    async def _put_in_force(self, account: str, workflow: WorkflowVersion) -> WorkflowVersion:
        self._current.pop((account, workflow.id), None)
        for pattern in workflow.patterns:
            await self._announce(account, pattern)
        return workflow

    async def _announce(self, account: str, pattern: PatternVersion) -> None:
        offset = await self._log.append_change(account, pattern.id, pattern.version)
        await self._catalog.announced(account, pattern.id, pattern.version, offset)


def activate(pattern: PatternVersion) -> ActivePattern:
    """Return `pattern` ready to match."""
    definition = EventPattern.model_validate(pattern.document)
    return ActivePattern(
        id=pattern.id,
        version=pattern.version,
        workflow_id=pattern.workflow_id,
        selectors=definition.selectors,
        where=definition.compile_where("where"),
    )


def _changed_patterns(
    workflow_id: str, parsed: ParsedWorkflow, created_at_ms: int, known: list[PatternVersion]
) -> tuple[PatternVersion, ...]:
    """Return what differs from the `known` patterns of a workflow; the nth trigger has the nth id."""
    before = {pattern.id: pattern for pattern in known}
    changed: list[PatternVersion] = []
    for index, trigger in enumerate(parsed.definition.triggers):
        pattern_id = derived_id("pat", created_at_ms, [workflow_id, index])
        document = trigger.model_dump(mode="json", exclude_unset=True)
        old = before.pop(pattern_id, None)
        if old is None or not old.is_active or old.document != document:
            version = old.version + 1 if old else 1
            changed.append(PatternVersion(pattern_id, version, workflow_id, document))
    changed += [_ended(pattern) for pattern in before.values() if pattern.is_active]
    return tuple(changed)


def _ended(pattern: PatternVersion) -> PatternVersion:
    return replace(pattern, version=pattern.version + 1, is_active=False)
