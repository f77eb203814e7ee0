"""The hooks that workflows bring: made, changed and ended with them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from oncue.core.hook.schemes import Scheme
from oncue.core.hook.trigger import HookTrigger, hook_of
from oncue.core.ids import derived_id
from oncue.core.json_text import Json
from oncue.core.workflow.parse import ParsedWorkflow
from oncue.engine.hook_book import HookBook
from oncue.engine.hook_secrets import Kept
from oncue.engine.schedule_book import owned_name
from oncue.ports import Hook, LockedError, WorkflowVersion


@dataclass(frozen=True, slots=True)
class OwnedHooks:
    """What changes of the hooks of a workflow, and the secrets that were made for them, by id."""

    changed: tuple[Hook, ...] = ()
    made: Mapping[str, str] = field(default_factory=dict, repr=False)


async def changed_hooks(
    book: HookBook,
    account: str,
    workflow: WorkflowVersion,
    parsed: ParsedWorkflow,
    known: Iterable[Hook],
) -> OwnedHooks:
    """Return what differs from the hooks that are `known`; the nth of them keeps its URL."""
    before = {hook.id: hook for hook in known}
    changed: list[Hook] = []
    made: dict[str, str] = {}
    for hook_id, index, trigger in hook_triggers(workflow, parsed):
        wanted = Hook(
            id=hook_id,
            name=owned_name(workflow.name, index),
            document=hook_of(trigger, owned_name(workflow.name, index)),
            hints=(),
            sealed=b"",
            owner_id=workflow.id,
            is_enabled=True,
            version=1,
            created_at_ms=workflow.updated_at_ms,
            updated_at_ms=workflow.updated_at_ms,
        )
        given = parsed.secrets.get(index)
        kept = await _version_after(book, account, before.pop(hook_id, None), wanted, given)
        if kept:
            changed.append(kept.hook)
            if kept.made is not None:
                made[hook_id] = kept.made
    return OwnedHooks((*changed, *map(ended, before.values())), made)


def hook_triggers(
    workflow: WorkflowVersion, parsed: ParsedWorkflow
) -> Iterator[tuple[str, int, Mapping[str, Json]]]:
    """Yield for each trigger that makes a hook the id of that, its place, and it as written."""
    number = 0
    for index, trigger in enumerate(parsed.triggers):
        if isinstance(parsed.definition.triggers[index], HookTrigger):
            assert isinstance(trigger, Mapping)
            # By its number among hooks: what stands between them changes no URL.
            yield derived_id("hok", workflow.created_at_ms, [workflow.id, number]), index, trigger
            number += 1


def ended(hook: Hook) -> Hook:
    """Return the version that ends a hook."""
    return replace(hook, version=hook.version + 1, is_deleted=True)


async def _version_after(
    book: HookBook, account: str, before: Hook | None, wanted: Hook, given: tuple[str, ...] | None
) -> Kept | None:
    """Return `wanted` as the version after the one before; nothing if it is the same."""
    scheme = Scheme(str(wanted.document["scheme"]))
    if before is None:
        return await book.secrets.put(account, wanted, scheme, given or ())
    following = replace(wanted, version=before.version + 1, created_at_ms=before.created_at_ms)
    if before.document.get("scheme") != scheme:
        return await book.secrets.put(account, following, scheme, given or ())
    if given is not None and given != _opened(book, account, before):
        return await book.secrets.put(account, following, scheme, given)
    if before.document == wanted.document:
        return None
    return Kept(replace(following, hints=before.hints, sealed=before.sealed))


def _opened(book: HookBook, account: str, hook: Hook) -> tuple[str, ...] | None:
    try:
        return book.secrets.of(account, hook)
    except LockedError:
        return None
