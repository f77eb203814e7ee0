"""A pattern as users write it: what it watches for, and what a match of it starts."""

from typing import Literal

from pydantic import Field

from oncue.core.documents import Document, Name
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.event import EventPattern


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
    pattern: EventPattern
