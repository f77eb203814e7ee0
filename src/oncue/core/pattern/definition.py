"""The kinds of patterns as users write them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from oncue.core.documents import Document, DurationMs, Name
from oncue.core.globs import check_glob
from oncue.core.json_text import Json

Selector = Annotated[str, AfterValidator(check_glob)]


class Cooldown(Document):
    """How long after a match no other follows."""

    for_: DurationMs = Field(alias="for", examples=["10m"])
    per: Literal["key", "pattern"] = "key"


class EventPattern(Document):
    """Matches each event of a type whose `conditions` and `where` hold."""

    type: Literal["event"]
    event: Selector | Annotated[list[Selector], Field(min_length=1, max_length=100)] = Field(
        description="A type, a list of types, or a glob.", examples=["user.signup"]
    )
    source: str | None = Field(default=None, description="The one source.", examples=["/shop"])
    conditions: dict[str, Json] | None = Field(
        default=None,
        description="Content filters over `event.data`.",
        examples=[{"plan": "enterprise", "amount": [{"numeric": [">", 100]}]}],
    )
    where: str | None = Field(
        default=None,
        description="CEL over `event`.",
        examples=["event.data.plan == 'enterprise'"],
    )
    by: list[str] = Field(
        default_factory=list,
        max_length=10,
        description="The key: CEL paths.",
        examples=[["event.subject"]],
    )
    on_missing_key: Literal["skip", "null_key"] = Field(
        default="skip", description="What follows an event without the key."
    )
    cooldown: DurationMs | Cooldown | None = Field(
        default=None,
        description="How long, in the time of events, no match follows a match.",
        examples=["10m"],
    )
    max_events: int = Field(
        default=100, ge=0, le=1_000, description="Events that a match carries whole."
    )

    @property
    def selectors(self) -> tuple[str, ...]:
        """The types and globs that it watches."""
        return (self.event,) if isinstance(self.event, str) else tuple(self.event)


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
