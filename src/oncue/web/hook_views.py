"""What people see of hooks."""

from collections.abc import Mapping, Sequence

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.engine.engine import Engine
from oncue.engine.hook_book import document_of
from oncue.ports import ApiKey, Hook
from oncue.web.auth import grants


def may_see_paths(key: ApiKey) -> bool:
    """Return whether a key may see secret paths: only if it may send events anyway."""
    return grants(key.scopes, "events:write")


async def shown_hook(engine: Engine, account: str, hook: Hook, *, reveals: bool) -> dict[str, Json]:
    """Return a hook; the URL of a secret path only if it `reveals` that."""
    book = engine.hooks
    trouble = await book.trouble(account, hook)
    return {
        "id": hook.id,
        "secret": None,
        **document_of(hook),
        "enabled": hook.is_enabled,
        "url": book.url(account, hook, reveals=reveals),
        "ready": trouble is None,
        "trouble": trouble,
        "owned_by": hook.owner_id,
        "stats": engine.hook_receiver.counts(account, hook.id).shown(),
        "version": hook.version,
        "created_at": format_instant(hook.created_at_ms),
        "updated_at": format_instant(hook.updated_at_ms),
    }


async def with_hooks(
    engine: Engine,
    account: str,
    workflows: Mapping[str, dict[str, Json]],
    *,
    reveals: bool,
    made: Mapping[str, str] = {},
) -> Sequence[dict[str, Json]]:
    """Return workflows, by id, each with the hooks that it brings; `made` secrets are shown once."""
    for hook in reversed(await engine.hooks.all(account)):
        workflow = workflows.get(hook.owner_id or "")
        if workflow is not None:
            shown = await shown_hook(engine, account, hook, reveals=reveals)
            brief: dict[str, Json] = {name: shown[name] for name in _BRIEF}
            if hook.id in made:
                brief["secret"] = made[hook.id]
            before = workflow.get("hooks")
            workflow["hooks"] = [*(before if isinstance(before, list) else ()), brief]
    return [*workflows.values()]


_BRIEF = ("id", "name", "scheme", "url", "secret", "ready", "trouble")


def hook_warnings(workflow: Mapping[str, Json]) -> list[Json]:
    """Return which hooks of a workflow let nobody in."""
    hooks = workflow.get("hooks")
    return [
        {"path": "on", "message": f"hook {hook['name']!r} {hook['trouble']}"}
        for hook in (hooks if isinstance(hooks, list) else ())
        if isinstance(hook, Mapping) and hook["trouble"]
    ]
