"""Workflows as users write them; `parse.py` makes a `Plan` of one."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from oncue.core.documents import Document, DurationMs, Name
from oncue.core.hook.trigger import HookTrigger
from oncue.core.json_text import Json
from oncue.core.pattern.definition import Kind
from oncue.core.schedule.document import ScheduleTrigger
from oncue.core.workflow.retry import Backoff, OnUnknown, RetryPolicy

_STEP_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}", re.ASCII)
_TAKEN = frozenset(
    ("event", "match", "input", "steps", "vars", "execution", "index", "secrets", "true", "false")
)


def _step_id(text: str) -> str:
    if not _STEP_ID.fullmatch(text):
        raise ValueError(
            "expected an id of at most 63 letters, digits, '_' and '-', "
            f"beginning with a letter, got {text!r}"
        )
    return text


def _variable(text: str) -> str:
    if not text.isidentifier() or text in _TAKEN:
        raise ValueError(f"expected a name that no value has, got {text!r}")
    return text


Variable = Annotated[str, AfterValidator(_variable)]
StepId = Annotated[str, AfterValidator(_step_id)]


class Retry(Document):
    """How often, and how long apart, a failed step is tried again."""

    attempts: int = Field(default=4, ge=1, le=100)
    delay: DurationMs = Field(default=5_000, examples=["5s"])
    backoff: Backoff = Backoff.EXPONENTIAL
    factor: float = Field(default=2.0, ge=1, le=10)
    max_delay: DurationMs = Field(default=300_000, examples=["5m"])
    jitter: bool = True

    def policy(self) -> RetryPolicy:
        """Return it as the interpreter reads it."""
        return RetryPolicy(
            attempts=self.attempts,
            delay_ms=self.delay,
            backoff=self.backoff,
            factor=self.factor,
            max_delay_ms=self.max_delay,
            has_jitter=self.jitter,
        )


class _Step(Document):
    id: StepId


class _Guarded(_Step):
    """What every step but a condition may have; `retry` and `timeout` count where it calls."""

    if_: str | None = Field(default=None, alias="if", description="CEL: skip the step if false.")
    on_error: Literal["fail", "continue"] | list["Step"] = Field(
        default="fail", description="What follows a failure; steps, if a list."
    )
    retry: Retry | Literal[False] = Field(default_factory=Retry)
    timeout: DurationMs = Field(default=60_000, description="For each attempt.", examples=["60s"])


class CacheTerms(Document):
    """How long an answer is good for, and for which calls."""

    ttl: Annotated[DurationMs, Field(gt=0, examples=["1h"])]
    key: str | None = Field(
        default=None,
        min_length=1,
        description="A template: calls of this step with the same text share an answer. "
        "Without it, all calls of the action with the same input do.",
        examples=["{{ event.subject }}"],
    )


class _Calling(_Guarded):
    in_doubt: OnUnknown | None = Field(
        default=None, description="What follows an attempt whose outcome is unknown."
    )
    cache: CacheTerms | None = Field(
        default=None, description="Use an earlier answer again instead of calling."
    )


class ActionStep(_Calling):
    """Calls an action of the library."""

    type: Literal["action"]
    action: str = Field(examples=["send_email"])
    with_: dict[str, Json] = Field(
        default_factory=dict, alias="with", description="The action's input; takes templates."
    )
    connection: str | None = Field(
        default=None,
        description="Name of the connection to go with; by default the only or default one.",
    )


class WebhookAuth(Document):
    """How a webhook's receiver knows us."""

    type: Literal["none", "basic", "bearer", "api_key"] = "none"
    username: str = ""
    password: str = ""
    token: str = ""
    header: str = Field(default="X-API-Key", description="The header of an `api_key`.")
    key: str = ""


class WebhookStep(_Calling):
    """Calls any HTTP API, signed, and may wait for somebody to call back."""

    type: Literal["webhook"]
    url: str = Field(examples=["https://example.com/hook"])
    method: str = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    body: Json = None
    auth: WebhookAuth = Field(default_factory=WebhookAuth)
    expect_callback: DurationMs | None = Field(
        default=None, description="How long to wait for a call of `callback_url`.", examples=["1h"]
    )

    @model_validator(mode="after")
    def _asks_each_time_for_a_callback(self) -> Self:
        if self.expect_callback is not None and self.cache is not None:
            raise ValueError(
                "expected no 'cache' beside 'expect_callback', got both: "
                "nobody would be asked to call back"
            )
        return self


class AiOperation(StrEnum):
    """What a model is asked for."""

    GENERATE = "generate"
    CLASSIFY = "classify"
    SENTIMENT = "sentiment"
    ENTITIES = "entities"
    SUMMARIZE = "summarize"
    EXTRACT = "extract"


class AiStep(_Calling):
    """Asks a language model."""

    type: Literal["ai"]
    operation: AiOperation = AiOperation.GENERATE
    prompt: str = ""
    input: Json = None
    model: str | None = None
    categories: list[str] = Field(default_factory=list)
    schema_: dict[str, Json] | None = Field(default=None, alias="schema")


class EmitEventStep(_Calling):
    """Appends an event of the workflow's own to the account's log."""

    type: Literal["emit_event"]
    event: dict[str, Json] = Field(
        description="As `POST /events` takes it; takes templates.",
        examples=[{"type": "order.shipped", "data": {"id": "{{ input.id }}"}}],
    )

    @model_validator(mode="after")
    def _has_a_type(self) -> Self:
        if "type" not in self.event:
            raise ValueError(
                f"expected an event with a 'type', got {', '.join(self.event) or 'none'}"
            )
        return self


class DelayStep(_Guarded):
    """Waits for a duration, or until an instant."""

    type: Literal["delay"]
    for_: str | None = Field(default=None, alias="for", examples=["24h"])
    until: str | None = Field(default=None, examples=["{{ event.data.trial_ends }}"])

    @model_validator(mode="after")
    def _has_one_amount(self) -> Self:
        if (self.for_ is None) == (self.until is None):
            got = "none" if self.for_ is None else "both"
            raise ValueError(f"expected either 'for' or 'until', got {got}")
        return self


class TransformStep(_Guarded):
    """Makes a value of values."""

    type: Literal["transform"]
    output: Json = Field(default=None, description="A template object.")
    expr: str | None = Field(default=None, description="CEL, instead of `output`.")

    @model_validator(mode="after")
    def _has_one_value(self) -> Self:
        if len(self.model_fields_set & {"output", "expr"}) != 1:
            got = "both" if self.expr is not None else "none"
            raise ValueError(f"expected either 'output' or 'expr', got {got}")
        return self


class StopStep(_Guarded):
    """Ends the execution."""

    type: Literal["stop"]
    status: Literal["completed", "failed"] = "completed"
    message: str = ""


class Case(Document):
    """One way on, if its test holds."""

    if_: str = Field(alias="if", description="CEL.")
    steps: list["Step"] = Field(default_factory=list)


class ConditionStep(_Step):
    """Takes one of several ways."""

    type: Literal["condition"]
    if_: str | None = Field(default=None, alias="if", description="CEL.")
    then: list["Step"] = Field(default_factory=list)
    else_: list["Step"] = Field(default_factory=list, alias="else")
    cases: list[Case] = Field(default_factory=list, max_length=100)
    default: list["Step"] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if (self.if_ is None) == (not self.cases):
            got = "none" if self.if_ is None else "both"
            raise ValueError(f"expected either 'if' or 'cases', got {got}")
        if self.cases and self.model_fields_set & {"then", "else_"}:
            raise ValueError("expected 'default' beside 'cases', got 'then' or 'else'")
        if self.if_ is not None and "default" in self.model_fields_set:
            raise ValueError("expected 'else' beside 'if', got 'default'")
        return self


class LoopStep(_Guarded):
    """Goes through a list, or on as long as a test holds."""

    type: Literal["loop"]
    for_each: str | list[Json] | None = Field(
        default=None,
        examples=["{{ event.data.items }}"],
        description="A list, or a template of one.",
    )
    while_: str | None = Field(default=None, alias="while", description="CEL.")
    as_: Variable = Field(default="item", alias="as", description="What a member is called.")
    steps: list["Step"] = Field(min_length=1)
    max_iterations: int = Field(default=1_000, ge=1, le=100_000)
    max_concurrency: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.for_each is None) == (self.while_ is None):
            got = "none" if self.for_each is None else "both"
            raise ValueError(f"expected either 'for_each' or 'while', got {got}")
        if self.while_ is not None and self.max_concurrency > 1:
            raise ValueError("expected max_concurrency 1 beside 'while', got more")
        return self


class ParallelStep(_Guarded):
    """Goes several ways at once."""

    type: Literal["parallel"]
    branches: dict[StepId, list["Step"]] = Field(min_length=1, max_length=100)
    wait: Literal["all", "any"] | Annotated[int, Field(ge=1)] = "all"

    @property
    def wanted(self) -> int:
        """How many branches must end."""
        match self.wait:
            case "all":
                return len(self.branches)
            case "any":
                return 1
        return self.wait

    @model_validator(mode="after")
    def _wants_what_there_is(self) -> Self:
        if self.wanted > len(self.branches):
            raise ValueError(f"expected wait up to {len(self.branches)}, got {self.wanted}")
        return self


Step: TypeAlias = Annotated[
    ActionStep
    | ConditionStep
    | LoopStep
    | ParallelStep
    | DelayStep
    | WebhookStep
    | TransformStep
    | AiStep
    | EmitEventStep
    | StopStep,
    Field(discriminator="type"),
]
Trigger: TypeAlias = Annotated[
    Kind | ScheduleTrigger | HookTrigger, Field(discriminator="type", title="Trigger")
]
NESTED = (
    ActionStep,
    LoopStep,
    ParallelStep,
    DelayStep,
    WebhookStep,
    TransformStep,
    AiStep,
    EmitEventStep,
    StopStep,
    Case,
    ConditionStep,
)
for _model in NESTED:
    _model.model_rebuild()


class Workflow(Document):
    """What to do when something happened."""

    kind: Literal["workflow"] = "workflow"
    name: Name
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=10_000)
    enabled: bool = True
    tags: list[str] = Field(default_factory=list, max_length=50)
    if_: str | None = Field(
        default=None, alias="if", description="CEL: a match for which it is false starts nothing."
    )
    on: Trigger | Annotated[list[Trigger], Field(max_length=20)] = Field(default_factory=list)
    vars: dict[str, Json] = Field(default_factory=dict)
    steps: list[Step] = Field(min_length=1)
    on_failure: list[Step] = Field(
        default_factory=list, description="What to do when the execution fails."
    )
    output: Json = Field(default=None, description="A template; by default the last step's output.")
    timeout: DurationMs = Field(
        default=30 * 86_400_000, description="For the whole execution.", examples=["30d"]
    )
    dead_letter: bool = Field(
        default=True, description="Keep executions that fail, so that they can be redriven."
    )
    max_steps: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Steps that one execution may run."
    )

    @property
    def triggers(self) -> tuple[Kind | ScheduleTrigger | HookTrigger, ...]:
        """What starts it."""
        return tuple(self.on) if isinstance(self.on, list) else (self.on,)
