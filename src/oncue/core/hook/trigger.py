"""A hook that a workflow brings: `on: {type: hook}`, the hook that it makes, and what that starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import Field

from oncue.core.errors import InvalidInput, Problem
from oncue.core.hook.document import Text, Verified, parse_hook, secret_problems, secrets_in
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.event import EventPattern
from oncue.core.pattern.kinds.shared import Globs

_OF_HOOK: Final = ("scheme", "header", "field", "tolerance", "subject", "event_id")


class HookTrigger(Verified):
    """Starts a workflow with what is posted to a URL: makes a hook that the workflow owns."""

    type: Literal["hook"]
    event: Globs = Field(default="*", description="Which of its events: a type, a list, or a glob.")
    where: str | None = Field(
        default=None, description="CEL over `event`.", examples=["event.data.action == 'opened'"]
    )
    subject: Text | None = Field(
        default=None, description="A template, of `body`, `headers` and `query`."
    )
    event_id: Text | None = Field(
        default=None, description="A template of what is the same when something is sent again."
    )


@dataclass(frozen=True, slots=True)
class Parted:
    """
    A workflow without the secrets of its hooks, which are nowhere kept in clear.

    `secrets` are by the place of their trigger; `problems` tell none of them.
    """

    document: Json
    secrets: Mapping[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: Sequence[Problem] = ()


def parted(document: Json) -> Parted:
    """Return a workflow as it is kept, and the secrets that it gave."""
    on = document.get("on") if isinstance(document, Mapping) else None
    triggers = on if isinstance(on, list) else [on]
    secrets: dict[int, tuple[str, ...]] = {}
    problems: list[Problem] = []
    bare: list[Json] = []
    for index, trigger in enumerate(triggers):
        if not isinstance(trigger, Mapping) or trigger.get("type") != "hook":
            bare.append(trigger)
            continue
        path = f"on[{index}].secret" if isinstance(on, list) else "on.secret"
        problems += secret_problems(trigger, path=path)
        if (given := secrets_in(trigger)) is not None:
            secrets[index] = given
        bare.append({name: value for name, value in trigger.items() if name != "secret"})
    if not isinstance(document, Mapping) or bare == triggers:
        return Parted(document)
    kept: Json = bare if isinstance(on, list) else bare[0]
    return Parted({**document, "on": kept}, secrets, problems)


def hook_of(trigger: Mapping[str, Json], name: str) -> dict[str, Json]:
    """Return the document of the hook that a trigger makes."""
    return {"name": name, **{part: trigger[part] for part in _OF_HOOK if part in trigger}}


def condition_of(trigger: Mapping[str, Json], source: str) -> dict[str, Json]:
    """Return what the pattern of a trigger waits for: events of its hook, which has that source."""
    where = {"where": trigger["where"]} if "where" in trigger else {}
    return {"type": "event", "event": trigger.get("event", "*"), "source": source, **where}


def waited_for(trigger: HookTrigger) -> EventPattern:
    """Return what the pattern of a trigger will look for, to see whether it can."""
    return EventPattern(type="event", event=trigger.event, where=trigger.where)


def check_hook(trigger: HookTrigger, path: str) -> None:
    """
    Return if a hook can be made of a trigger.

    Raises:
        InvalidInput: with all problems, at their places in the workflow.
    """
    templates = trigger.model_dump(include={"subject", "event_id"}, exclude_none=True)
    try:
        parse_hook({"name": "hook", "scheme": trigger.scheme.value, **templates})
    except InvalidInput as exc:
        raise InvalidInput(Problem(f"{path}.{p.path}", p.message) for p in exc.problems) from exc
