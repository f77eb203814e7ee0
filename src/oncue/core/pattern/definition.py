"""A pattern as users write it: what it watches for, and what a match of it starts."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from oncue.core.documents import Document, Name
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.anomaly import AnomalyPattern, Measured, MinScale, Season
from oncue.core.pattern.kinds.event import EventPattern
from oncue.core.pattern.kinds.sequence import SequencePattern, Step, Times
from oncue.core.pattern.kinds.shared import Cooldown, Late, Limits, Time, Watermark
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.kinds.threshold import ThresholdPattern

Kind: TypeAlias = EventPattern | ThresholdPattern | SequencePattern | AnomalyPattern | SqlPattern
Condition: TypeAlias = Annotated[Kind, Field(discriminator="type")]


class Pattern(Document):
    """A condition over events, and what a match of it starts."""

    kind: Literal["pattern"] = "pattern"
    name: Name
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=10_000)
    enabled: bool = True
    workflow: str | None = Field(
        default=None, description="Name or id of the workflow that a match starts."
    )
    input: Json = Field(
        default=None,
        description="A template of the execution's input; by default the event's data.",
        examples=[{"email": "{{ event.data.email }}"}],
    )
    pattern: Condition


FIELD_NAMES: Final = tuple(
    field.alias or name
    for model in (
        *(Pattern, EventPattern, ThresholdPattern, SequencePattern, AnomalyPattern, SqlPattern),
        *(Step, Times, Measured, MinScale, Season),
        *(Cooldown, Late, Limits, Time, Watermark),
    )
    for name, field in model.model_fields.items()
)
"""To suggest from."""
