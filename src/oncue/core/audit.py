"""What went out: one entry per attempt of a step that called an action."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.json_text import Json
from oncue.core.workflow.plan import CallNode, Plan
from oncue.core.workflow.state import Attempt, ExecutionState

MASK: Final = "***"
# Names under which people send what opens something.
_SECRET = (
    "authorization",
    "cookie",
    "password",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "private_key",
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One attempt: what was sent, masked, and what came of it."""

    path: str
    action: str
    input: Json
    attempt: Attempt
    output: Json
    key: str


def audit_of(state: ExecutionState, plan: Plan) -> Iterator[AuditEntry]:
    """Yield the attempts of an execution, the newest first."""
    found = [
        (attempt.started_at_ms, step, attempt)
        for step in state.steps.values()
        for attempt in step.attempts
    ]
    # Of those that began in one instant, the step reached later comes first.
    found.reverse()
    for _, step, attempt in sorted(found, key=lambda one: one[0], reverse=True):
        node = plan.node(step.path)
        if isinstance(node, CallNode):
            is_last = attempt is step.attempts[-1]
            yield AuditEntry(
                path=step.path,
                action=node.action,
                input=masked(step.input),
                attempt=attempt,
                output=masked(step.output) if is_last else None,
                key=step.idempotency_key,
            )


def masked(value: Json) -> Json:
    """
    Return a value without what opens something, as its names tell.

    >>> masked({"headers": {"Authorization": "Bearer x"}, "n": 1})
    {'headers': {'Authorization': '***'}, 'n': 1}
    """
    if isinstance(value, Mapping):
        return {
            name: MASK if inner and _is_secret(name) else masked(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _SECRET)
