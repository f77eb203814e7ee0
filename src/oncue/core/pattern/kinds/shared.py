"""What the kinds of patterns have in common."""

from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from oncue.core.documents import Document, DurationMs
from oncue.core.globs import check_glob
from oncue.core.json_text import Json
from oncue.core.time_zones import Zone

Glob = Annotated[str, AfterValidator(check_glob)]
Globs: TypeAlias = Glob | Annotated[list[Glob], Field(min_length=1, max_length=100)]


def _positive(duration_ms: int) -> int:
    if duration_ms <= 0:
        raise ValueError("expected a duration above zero, got '0s'")
    return duration_ms


SpanMs = Annotated[DurationMs, AfterValidator(_positive)]


class Cooldown(Document):
    """How long after a match no other follows: a time, or a number of events."""

    for_: DurationMs | None = Field(default=None, alias="for", examples=["10m"])
    samples: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Events of the key.", examples=[200]
    )
    per: Literal["key", "pattern"] = "key"

    @model_validator(mode="after")
    def _is_one(self) -> "Cooldown":
        if (self.for_ is None) == (self.samples is None):
            raise ValueError("expected either 'for' or 'samples'")
        return self


class Time(Document):
    """How event time is read."""

    zone: Zone = Field(default="UTC", description="Where days begin.", examples=["Europe/Berlin"])


class Watermark(Document):
    """How long to wait for events that come out of order."""

    delay: DurationMs = Field(default=0, description="How far behind the newest event time.")
    idle_timeout: SpanMs = Field(
        default=1_000, description="After how long without events time goes on by the clock."
    )


class Late(Document):
    """What follows when an event arrives whose window is over."""

    allowed: DurationMs = Field(
        default=0, description="How long after its end a window still takes events."
    )
    action: Literal["drop", "amend"] = Field(
        default="drop",
        description="`drop` tells a window once that takes no more; `amend` tells it at its end,"
        " and again with a `revision`.",
    )

    @property
    def delay_ms(self) -> int:
        """How long after its end a window is told."""
        return self.allowed if self.action == "drop" else 0

    @property
    def kept_ms(self) -> int:
        """How long a window is kept that was told."""
        return self.allowed if self.action == "amend" else 0


class Limits(Document):
    """Bounds of what a pattern remembers; what was over them is counted."""

    max_partials_per_key: int = Field(default=1_000, ge=1, le=100_000)
    max_keys: int = Field(default=100_000, ge=1, le=10_000_000)
    key_ttl: SpanMs = Field(default=30 * 86_400_000, description="A key without events.")


class Selector(Document):
    """Which events are looked at."""

    event: Globs = Field(
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

    @property
    def globs(self) -> tuple[str, ...]:
        """The types and globs that it watches."""
        return (self.event,) if isinstance(self.event, str) else tuple(self.event)


class Keyed(Document):
    """What every kind of pattern may say about keys, time and matches."""

    by: list[str] = Field(
        default_factory=list,
        max_length=10,
        description="The key: CEL paths.",
        examples=[["event.subject"]],
    )
    on_missing_key: Literal["skip", "null_key"] = Field(
        default="skip", description="What follows an event without the key."
    )
    time: Time = Field(default_factory=Time)
    watermark: Watermark = Field(default_factory=Watermark)
    late: Late = Field(default_factory=Late)
    emit: Literal["early", "final"] | None = Field(
        default=None,
        description="`early` matches on arrival, `final` in event time, behind the watermark.",
    )
    cooldown: DurationMs | Cooldown | None = Field(
        default=None,
        description="How long, in the time of events, no match follows a match.",
        examples=["10m"],
    )
    keys: list[Json] = Field(
        default_factory=list,
        max_length=10_000,
        description="Keys that are known before their first event, so that their silence is seen.",
    )
    rearm: Literal["edge", "every", "reset"] | None = Field(
        default=None,
        description="When a condition that stays true matches again.",
    )
    limits: Limits = Field(default_factory=Limits)
    max_events: int = Field(
        default=100, ge=0, le=1_000, description="Events that a match carries whole."
    )
    backfill: SpanMs | None = Field(
        default=None, description="How much of the log a new state is built from."
    )

    @property
    def zone(self) -> ZoneInfo | None:
        """Where days begin; None is UTC."""
        return None if self.time.zone == "UTC" else ZoneInfo(self.time.zone)

    @property
    def pause(self) -> Cooldown | None:
        """The cooldown in its long form."""
        given = self.cooldown
        return Cooldown.model_construct(for_=given, per="key") if isinstance(given, int) else given
