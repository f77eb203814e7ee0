"""A workflow as the interpreter reads it: templates compiled, names resolved, sugar gone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from oncue.core.expression import Expression, Template
from oncue.core.json_text import Json
from oncue.core.workflow.retry import OnUnknown, RetryPolicy


@dataclass(frozen=True, slots=True)
class ActionNode:
    """Calls an action of the library."""

    id: str
    action: str
    input: Template
    retry: RetryPolicy
    timeout_ms: int
    on_unknown: OnUnknown


@dataclass(frozen=True, slots=True)
class DelayNode:
    """Waits for a duration, or until an instant (`is_instant`)."""

    id: str
    amount: Template
    is_instant: bool


@dataclass(frozen=True, slots=True)
class TransformNode:
    """Makes a value of values; touches nothing outside."""

    id: str
    output: Template | Expression


Node: TypeAlias = ActionNode | DelayNode | TransformNode


@dataclass(frozen=True, slots=True)
class Plan:
    """What one version of a workflow does."""

    steps: tuple[Node, ...]
    output: Template | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)
