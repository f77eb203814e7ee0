"""A workflow as the interpreter reads it: templates compiled, names resolved, sugar gone."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, TypeAlias

from oncue.core.expression import Expression, Template
from oncue.core.json_text import Json
from oncue.core.workflow.records import FinalStatus
from oncue.core.workflow.retry import OnUnknown, RetryPolicy

Block: TypeAlias = tuple["Node", ...]


class OnError(StrEnum):
    """What follows a step that failed."""

    FAIL = "fail"
    """Whatever holds the step fails with it."""
    CONTINUE = "continue"
    """The next step begins; this one's output is null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Any:
    """`type` is what the user wrote, which several nodes may share."""

    id: str
    type: str
    guard: Expression | None = None
    on_error: OnError | Block = OnError.FAIL


@dataclass(frozen=True, slots=True)
class Cache:
    """How long answers are kept, and what tells one from another: a key, else the input."""

    ttl_ms: int
    key: Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNode(_Any):
    """Calls an action of the library, and may then wait for somebody to call back."""

    action: str
    input: Template
    retry: RetryPolicy
    timeout_ms: int
    on_unknown: OnUnknown
    key_lives_ms: int | None = None
    """How long after an attempt in doubt another one is known to the vendor as its repeat."""
    callback_ms: int | None = None
    cache: Cache | None = None
    connection: str | None = None
    """The name of the connection that it goes with, if it names one."""
    place: str = ""
    """Where it stands in the document, such as `steps[2]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayNode(_Any):
    """Waits for a duration, or until an instant (`is_instant`)."""

    amount: Template
    is_instant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformNode(_Any):
    """Makes a value of values; touches nothing outside."""

    output: Template | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNode(_Any):
    """Ends the execution."""

    status: FinalStatus
    message: Template


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on; the one without a test is taken where no other is."""

    name: str
    test: Expression | None
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionNode(_Any):
    """Takes the first branch whose test holds."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopNode(_Any):
    """Goes through `items`, or on as long as `test` holds."""

    items: Template | None
    test: Expression | None
    item_name: str
    block: Block
    max_iterations: int
    max_concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelNode(_Any):
    """Goes all branches at once, and on when `wanted` of them have ended."""

    branches: tuple[Branch, ...]
    wanted: int


Node: TypeAlias = (
    CallNode | DelayNode | TransformNode | StopNode | ConditionNode | LoopNode | ParallelNode
)


@dataclass(frozen=True)
class Plan:
    """What one version of a workflow does."""

    FAILURE_PATH: ClassVar[str] = "on_failure"

    name: str
    steps: Block
    output: Template | None = None
    on_failure: Block = ()
    vars: Mapping[str, Json] = field(default_factory=dict)
    max_steps: int = 10_000
    timeout_ms: int = 30 * 86_400_000
    guard: Expression | None = None
    """What has to hold for a match to start it."""
    asks_connected: bool = False
    """Whether it may read which integrations are connected."""
    dead_letter: bool = True
    """Whether it is kept for redriving if it fails."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The names of the secrets that it reads, and the first place of each."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those of the account that it reads by name, and the first place of each."""
    reads_any_variable: bool = False
    """Whether only its executions tell which ones it reads."""

    def node(self, path: str) -> Node:
        """Return the step at `path`; ids are unique, so the last one in it names the step."""
        return self._nodes[id_of(path)]

    def call(self, path: str) -> CallNode:
        """Return the step at `path`, which calls an action."""
        node = self.node(path)
        if not isinstance(node, CallNode):
            raise TypeError(f"expected a step that calls an action at {path!r}, got a {node.type}")
        return node

    def calls(self) -> Iterator[CallNode]:
        """Yield the steps that call something."""
        return (node for node in self._nodes.values() if isinstance(node, CallNode))

    @property
    def ids(self) -> Collection[str]:
        """The ids of all steps."""
        return self._nodes.keys()

    @cached_property
    def awaits_callbacks(self) -> bool:
        """Whether some step waits for somebody to call back."""
        return any(node.callback_ms is not None for node in self.calls())

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {node.id: node for node in (*walk(self.steps), *walk(self.on_failure))}


def id_of(path: str) -> str:
    """
    Return the id of the step at `path`.

    >>> id_of("each[2].call")
    'call'
    """
    return path.rpartition(".")[2]


def walk(block: Block) -> Iterator[Node]:
    """Yield the nodes of `block` and all within them, in the order written."""
    for node in block:
        yield node
        match node:
            case ConditionNode(branches=branches) | ParallelNode(branches=branches):
                for branch in branches:
                    yield from walk(branch.block)
            case LoopNode(block=inner):
                yield from walk(inner)
            case _:
                pass
        if isinstance(node.on_error, tuple):
            yield from walk(node.on_error)
