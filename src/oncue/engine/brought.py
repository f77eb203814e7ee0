"""
What a workflow brings with it: a pattern for each of its triggers.

A trigger that is no pattern itself makes a resource whose events its pattern waits
for. All of it is saved and ended in the transaction of the workflow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from oncue.core.hook.trigger import HookTrigger, condition_of
from oncue.core.ids import derived_id
from oncue.core.json_text import Json
from oncue.core.schedule.document import ScheduleTrigger
from oncue.core.schedule.fired import pattern_of
from oncue.core.workflow.parse import ParsedWorkflow
from oncue.engine import owned_hooks, schedule_book
from oncue.engine.hook_book import HookBook, owned_source
from oncue.engine.owned_hooks import changed_hooks, hook_triggers
from oncue.engine.patterns import PatternDefinitions, ended, next_version
from oncue.engine.schedule_book import (
    ScheduleBook,
    first_version,
    owned_id,
    owned_name,
    version_after,
)
from oncue.ports import Brought, Hook, PatternVersion, Schedule, WorkflowVersion


@dataclass(frozen=True, slots=True)
class Known:
    """What a workflow has brought, also what has ended."""

    patterns: tuple[PatternVersion, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    hooks: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True)
class Belongings:
    """What the workflows of all accounts bring."""

    patterns: PatternDefinitions
    schedules: ScheduleBook
    hooks: HookBook

    async def known(self, account: str, workflow_id: str) -> Known:
        """Return what a workflow has brought."""
        return Known(
            tuple(await self.patterns.owned_by(account, workflow_id)),
            tuple(await self.schedules.store.owned_by(account, workflow_id)),
            tuple(hook for hook in await self.hooks.all(account) if hook.owner_id == workflow_id),
        )

    async def changed(
        self, account: str, workflow: WorkflowVersion, parsed: ParsedWorkflow, known: Known
    ) -> Brought:
        """
        Return what of it differs from what is `known`; the nth trigger has the nth ids.

        Raises:
            InvalidInput: the patterns would make each event cost too much.
        """
        hooks = await changed_hooks(self.hooks, account, workflow, parsed, known.hooks)
        brought = Brought(
            _changed_patterns(workflow, parsed, known.patterns),
            _changed_schedules(
                workflow, parsed, known.schedules, await self.schedules.zone_of(account)
            ),
            hooks.changed,
            hooks.made,
        )
        await self.patterns.check_room(account, brought.patterns, "on")
        return brought

    async def check(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Return if the queries can be asked that a version of a workflow brings.

        Raises:
            InvalidInput: with all problems.
            Overloaded: too many ask.
        """
        await self.patterns.trials.check(account, with_paths(workflow))

    async def put_in_force(self, account: str, brought: Brought) -> None:
        """Let what was saved with a workflow take effect."""
        for pattern in brought.patterns:
            await self.patterns.announce(account, pattern)
        if brought.schedules:
            self.schedules.wake()
        if brought.hooks:
            self.hooks.forget(account)


def ends_of(known: Known, now_ms: int) -> Brought:
    """Return what ends all that a workflow has brought."""
    return Brought(
        tuple(ended(pattern, now_ms) for pattern in known.patterns if not pattern.is_deleted),
        tuple(schedule_book.ended(schedule) for schedule in known.schedules),
        tuple(owned_hooks.ended(hook) for hook in known.hooks),
    )


def with_paths(workflow: WorkflowVersion) -> Iterator[tuple[PatternVersion, str]]:
    """Yield the patterns that come with a version of a workflow, each with the path of its trigger."""
    assert isinstance(workflow.document, Mapping)
    triggers = workflow.document.get("on")
    paths = (
        [f"on[{index}]" for index in range(len(triggers))] if isinstance(triggers, list) else ["on"]
    )
    ids = {_pattern_id(workflow, index): path for index, path in enumerate(paths)}
    for pattern in workflow.brought.patterns:
        if pattern.id in ids:
            yield pattern, ids[pattern.id]


def _pattern_id(workflow: WorkflowVersion, index: int) -> str:
    return derived_id("pat", workflow.created_at_ms, [workflow.id, index])


def _changed_patterns(
    workflow: WorkflowVersion, parsed: ParsedWorkflow, known: Iterable[PatternVersion]
) -> tuple[PatternVersion, ...]:
    now, before = workflow.updated_at_ms, {pattern.id: pattern for pattern in known}
    sources = {index: owned_source(id_) for id_, index, _ in hook_triggers(workflow, parsed)}
    changed: list[PatternVersion] = []
    for index in range(len(parsed.triggers)):
        first = PatternVersion(
            id=_pattern_id(workflow, index),
            name=owned_name(workflow.name, index),
            version=1,
            state_version=1,
            document={},
            workflow_id=workflow.id,
            owner_id=workflow.id,
            created_at_ms=now,
            updated_at_ms=now,
        )
        condition = _condition(workflow, parsed, index, sources.get(index, ""))
        document: dict[str, Json] = {
            "name": first.name,
            "workflow": workflow.name,
            "pattern": condition,
        }
        version = next_version(before.pop(first.id, None), replace(first, document=document))
        if version:
            changed.append(version)
    changed += [ended(pattern, now) for pattern in before.values() if not pattern.is_deleted]
    return tuple(changed)


def _condition(workflow: WorkflowVersion, parsed: ParsedWorkflow, index: int, source: str) -> Json:
    """Return what the pattern of a trigger waits for."""
    trigger = parsed.triggers[index]
    match parsed.definition.triggers[index]:
        case ScheduleTrigger():
            return pattern_of(owned_id(workflow.id, workflow.created_at_ms, index))
        case HookTrigger():
            assert isinstance(trigger, Mapping)
            return condition_of(trigger, source)
        case _:
            return trigger


def _changed_schedules(
    workflow: WorkflowVersion, parsed: ParsedWorkflow, known: Iterable[Schedule], zone: str
) -> tuple[Schedule, ...]:
    before = {schedule.id: schedule for schedule in known}
    changed: list[Schedule] = []
    for index, trigger in enumerate(parsed.triggers):
        if not isinstance(parsed.definition.triggers[index], ScheduleTrigger):
            continue
        assert isinstance(trigger, Mapping)
        schedule_id = owned_id(workflow.id, workflow.created_at_ms, index)
        document: dict[str, Json] = {
            "name": owned_name(workflow.name, index),
            # Of a workflow that starts nothing nothing fires.
            "enabled": workflow.is_enabled,
            **{name: value for name, value in trigger.items() if name != "type"},
        }
        wanted = first_version(
            schedule_id, document, zone, workflow.updated_at_ms, owner_id=workflow.id
        )
        version = version_after(before.pop(schedule_id, None), wanted)
        if version:
            changed.append(version)
    return (*changed, *(schedule_book.ended(schedule) for schedule in before.values()))
