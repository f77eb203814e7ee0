"""Schedules as users write them: alone, or as what starts a workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from oncue.core.documents import Document, DurationMs, Name
from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json, encode_json
from oncue.core.problems import problems_of
from oncue.core.schedule.cron import Cron, Every, Ticks, check_cron
from oncue.core.schedule.firing import Misfire
from oncue.core.time_zones import Zone

MIN_PERIOD_MS: Final = 1_000
MAX_DATA_BYTES: Final = 64 << 10
OWN_MEMBER: Final = "schedule"
"""The member of an event's data that tells of the schedule; the others are the user's."""


def _period(duration_ms: int) -> int:
    if duration_ms < MIN_PERIOD_MS:
        raise ValueError(f"expected a duration of at least '1s', got '{duration_ms}ms'")
    return duration_ms


def _data(data: dict[str, Json]) -> dict[str, Json]:
    if OWN_MEMBER in data:
        raise ValueError(
            f"expected no member {OWN_MEMBER!r}: the event tells of the schedule there"
        )
    if (size := len(encode_json(data))) > MAX_DATA_BYTES:
        raise ValueError(f"expected at most {MAX_DATA_BYTES} bytes of JSON, got {size}")
    return data


class Timing(Document):
    """When a schedule fires, what the event carries, and what follows when it could not."""

    cron: Annotated[str, AfterValidator(check_cron)] | None = Field(
        default=None,
        description="Minute, hour, day of month, month, day of week; six fields begin with seconds.",
        examples=["0 7 * * MON-FRI"],
    )
    every: Annotated[DurationMs, AfterValidator(_period)] | None = Field(
        default=None, description="At least 1s; counted from when it was saved.", examples=["15m"]
    )
    time_zone: Zone | None = Field(
        default=None,
        description="Where `cron` is read; by default the account's.",
        examples=["Europe/Berlin"],
    )
    data: Annotated[dict[str, Json], AfterValidator(_data)] = Field(
        default_factory=dict, description="Becomes the event's `data`, beside `schedule`."
    )
    misfire: Misfire = Field(
        default=Misfire.FIRE_ONCE, description="What follows when it could not fire in time."
    )

    @model_validator(mode="after")
    def _has_one_rhythm(self) -> Self:
        if (self.cron is None) == (self.every is None):
            got = "none" if self.cron is None else "both"
            raise ValueError(f"expected either 'cron' or 'every', got {got}")
        return self

    def ticks(self, zone: str, anchor_ms: int) -> Ticks:
        """Return when it fires, where the account is in `zone` and it was saved at `anchor_ms`."""
        if self.cron is not None:
            return Cron(self.cron, self.time_zone or zone)
        assert self.every is not None
        return Every(self.every, anchor_ms)


class ScheduleTrigger(Timing):
    """Starts a workflow at certain times: makes a schedule that the workflow owns."""

    type: Literal["schedule"]


class ScheduleDocument(Timing):
    """Emits an event `schedule.fired` at certain times."""

    kind: Literal["schedule"] = "schedule"
    name: Name
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=10_000)
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ParsedSchedule:
    """A schedule that can fire. `document` is what to store: as written."""

    definition: ScheduleDocument
    document: Mapping[str, Json]


def parse_schedule(document: Json) -> ParsedSchedule:
    """
    Return the schedule that `document` spells.

    Raises:
        InvalidInput: with all problems.
    """
    try:
        definition = ScheduleDocument.model_validate(document)
    except ValidationError as exc:
        names = ScheduleDocument.model_fields
        raise InvalidInput(problems_of(exc, document, names=names)) from exc
    assert isinstance(document, Mapping)
    return ParsedSchedule(definition, document)


def is_same_rhythm(before: ScheduleDocument, after: ScheduleDocument) -> bool:
    """Return whether two documents fire at the same times."""
    return (before.cron, before.every, before.time_zone) == (
        after.cron,
        after.every,
        after.time_zone,
    )
