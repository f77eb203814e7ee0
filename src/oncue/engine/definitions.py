"""What users defined: saved, announced to the log, and kept compiled."""

from collections.abc import Callable
from dataclasses import dataclass

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
        workflow_id = self._fresh_id("wf")
        now = self._clock.now_ms()
        workflow = WorkflowVersion(
            id=workflow_id,
            name=parsed.definition.name,
            version=1,
            is_enabled=parsed.definition.enabled,
            document=parsed.document,
            created_at_ms=now,
            patterns=_owned_patterns(workflow_id, parsed, now),
        )
        await self._catalog.save_workflow(account, workflow)
        for pattern in workflow.patterns:
            await self._announce(account, pattern)
        return workflow

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

    async def pattern(self, account: str, pattern_id: str, version: int) -> ActivePattern:
        """Return a version of a pattern, ready to match."""
        return activate(await self._catalog.pattern(account, pattern_id, version))

    async def patterns_at(self, account: str, offset: int) -> list[ActivePattern]:
        """Return the patterns that are seen after the record at `offset`."""
        return [activate(pattern) for pattern in await self._catalog.seen_at(account, offset)]

    def _parse(self, document: Json) -> ParsedWorkflow:
        return parse_workflow(document, self._library, max_steps=self._max_steps)

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


def _owned_patterns(
    workflow_id: str, parsed: ParsedWorkflow, now_ms: int
) -> tuple[PatternVersion, ...]:
    return tuple(
        PatternVersion(
            id=derived_id("pat", now_ms, [workflow_id, index]),
            version=1,
            workflow_id=workflow_id,
            document=trigger.model_dump(mode="json", exclude_unset=True),
        )
        for index, trigger in enumerate(parsed.definition.triggers)
    )
