"""Workflows as users write them; `parse.py` makes a `Plan` of one."""

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from oncue.core.instants import parse_duration
from oncue.core.json_text import Json
from oncue.core.pattern.definition import EventPattern
from oncue.core.workflow.retry import Backoff, OnUnknown, RetryPolicy

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_STEP_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}", re.ASCII)
RESERVED_NAMES = frozenset(("test", "templates"))


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"expected a name of at most 63 lower-case letters, digits and '-', got {text!r}"
        )
    if text in RESERVED_NAMES:
        raise ValueError(f"expected a name that is not reserved, got {text!r}")
    return text


def _step_id(text: str) -> str:
    if not _STEP_ID.fullmatch(text):
        raise ValueError(
            "expected an id of at most 63 letters, digits, '_' and '-', "
            f"beginning with a letter, got {text!r}"
        )
    return text


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f"expected a duration such as '24h', got {value!r}")  # noqa: TRY004 pydantic wants it
    return parse_duration(value)


Name = Annotated[str, AfterValidator(_name)]
StepId = Annotated[str, AfterValidator(_step_id)]
DurationMs = Annotated[int, BeforeValidator(_duration, json_schema_input_type=str)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Retry(_Document):
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


class _Step(_Document):
    id: StepId


class ActionStep(_Step):
    """Calls an action of the library."""

    type: Literal["action"]
    action: str = Field(examples=["send_email"])
    with_: dict[str, Json] = Field(
        default_factory=dict, alias="with", description="The action's input; takes templates."
    )
    retry: Retry | Literal[False] = Field(default_factory=Retry)
    timeout: DurationMs = Field(default=60_000, description="For each attempt.", examples=["60s"])
    in_doubt: OnUnknown | None = Field(
        default=None, description="What follows an attempt whose outcome is unknown."
    )


class DelayStep(_Step):
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


class TransformStep(_Step):
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


Step: TypeAlias = Annotated[ActionStep | DelayStep | TransformStep, Field(discriminator="type")]
Trigger: TypeAlias = Annotated[EventPattern, Field(title="Trigger")]


class Workflow(_Document):
    """What to do when something happened."""

    kind: Literal["workflow"] = "workflow"
    name: Name
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=10_000)
    enabled: bool = True
    on: Trigger | Annotated[list[Trigger], Field(max_length=20)] = Field(default_factory=list)
    vars: dict[str, Json] = Field(default_factory=dict)
    steps: list[Step] = Field(min_length=1)
    output: Json = Field(default=None, description="A template; by default the last step's output.")

    @property
    def triggers(self) -> tuple[EventPattern, ...]:
        """What starts it."""
        return (self.on,) if isinstance(self.on, EventPattern) else tuple(self.on)
