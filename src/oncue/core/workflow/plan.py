"""A workflow as the interpreter reads it: templates compiled, names resolved, sugar gone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, TypeAlias

from oncue.core.expression import Expression, Template
from oncue.core.json_text import Json
from oncue.core.workflow.retry import OnUnknown, RetryPolicy


@dataclass(frozen=True, slots=True)
class ActionNode:
    """Calls an action of the library."""

    type: ClassVar[str] = "action"

    id: str
    action: str
    input: Template
    retry: RetryPolicy
    timeout_ms: int
    on_unknown: OnUnknown


@dataclass(frozen=True, slots=True)
class DelayNode:
    """Waits for a duration, or until an instant (`is_instant`)."""

    type: ClassVar[str] = "delay"

    id: str
    amount: Template
    is_instant: bool


@dataclass(frozen=True, slots=True)
class TransformNode:
    """Makes a value of values; touches nothing outside."""

    type: ClassVar[str] = "transform"

    id: str
    output: Template | Expression


Node: TypeAlias = ActionNode | DelayNode | TransformNode


@dataclass(frozen=True)
class Plan:
    """What one version of a workflow does."""

    steps: tuple[Node, ...]
    output: Template | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)

    def node(self, path: str) -> Node:
        """Return the step at `path`."""
        return self._nodes[path]

    def timeout_ms(self, path: str) -> int:
        """Return how long an attempt of the action step at `path` may take."""
        node = self._nodes[path]
        if not isinstance(node, ActionNode):
            raise TypeError(f"expected an action step at {path!r}, got a {node.type}")
        return node.timeout_ms

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {node.id: node for node in self.steps}
