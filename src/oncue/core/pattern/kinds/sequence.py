"""The kind `sequence`: steps that follow each other, or stay away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from oncue.core.documents import Document
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.shared import Globs, Keyed, SpanMs

Contiguity: TypeAlias = Literal["strict", "relaxed", "any"]
Overlap: TypeAlias = Literal["each", "first", "last"]


def _step_name(text: str) -> str:
    if not (text.isascii() and text.isidentifier()):
        raise ValueError(
            f"expected a name of letters, digits and '_' for expressions, got {text!r}"
        )
    if text in ("event", "match", "input", "true", "false", "null", "in"):
        raise ValueError(f"expected a name that means nothing else in expressions, got {text!r}")
    return text


def _times(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"min": value, "max": value}
    return value


StepName = Annotated[str, AfterValidator(_step_name), Field(max_length=64)]


class Times(Document):
    """How often a step repeats; without `max` there is no end."""

    min: int = Field(default=1, ge=0, le=1_000)
    max: int | None = Field(default=None, ge=1, le=1_000)
    contiguity: Contiguity | None = Field(
        default=None, description="How near the repetitions are to each other."
    )


class Step(Document):
    """One event that is looked for, one that must stay away, or several of which some are needed."""

    as_: StepName | None = Field(default=None, alias="as", examples=["signup"])
    event: Globs | None = Field(default=None, examples=["user.signup"])
    source: str | None = None
    conditions: dict[str, Json] | None = None
    where: str | None = Field(
        default=None,
        description="CEL over `event` and the steps before.",
        examples=["event.data.total > signup.data.min"],
    )
    not_: bool = Field(default=False, alias="not", description="The event must stay away.")
    optional: bool = False
    times: Annotated[Times, BeforeValidator(_times)] | None = None
    greedy: bool = True
    contiguity: Contiguity | None = None
    until: str | None = Field(default=None, description="CEL: what ends the repetitions.")
    within: SpanMs | None = Field(
        default=None,
        description="How long after the step before; for `not`, how long it stays away.",
    )
    all: Annotated[list["Step"], Field(min_length=2, max_length=5)] | None = Field(
        default=None, description="Steps in any order, all of which are needed."
    )
    any: Annotated[list["Step"], Field(min_length=2, max_length=5)] | None = Field(
        default=None, description="Steps of which one is needed."
    )

    @property
    def globs(self) -> tuple[str, ...]:
        """The types and globs that it watches."""
        if self.event is None:
            return ()
        return (self.event,) if isinstance(self.event, str) else tuple(self.event)

    @property
    def members(self) -> list["Step"]:
        """The steps inside of it."""
        return [*(self.all or ()), *(self.any or ())]

    @property
    def is_repeated(self) -> bool:
        """Whether it may take several events."""
        return self.times is not None and self.times.max != 1

    @property
    def may_be_missing(self) -> bool:
        """Whether a match may lack an event of it."""
        return self.optional or (self.times is not None and self.times.min == 0)


class SkipToFirst(Document):
    """After a match the next begins no earlier than the first event of a step."""

    skip_to_first: str


class SkipToLast(Document):
    """After a match the next begins no earlier than the last event of a step."""

    skip_to_last: str


class SequencePattern(Keyed):
    """Matches when its steps have come in their order within a time."""

    type: Literal["sequence"]
    steps: list[Step] = Field(min_length=1, max_length=20)
    within: SpanMs = Field(
        description="The time from the first event, which the last one must not reach.",
        examples=["24h"],
    )
    ordered: bool = True
    at_least: int | None = Field(
        default=None, ge=1, description="Of unordered steps, how many are needed."
    )
    contiguity: Contiguity = "relaxed"
    after_match: (
        Literal["skip_past_last", "no_skip", "skip_to_next"] | SkipToFirst | SkipToLast | None
    ) = Field(default=None, description="Where the next match may begin.")
    overlap: Overlap | None = Field(
        default=None, description="What a first event does while another one waits."
    )
    on_timeout: Literal["ignore", "emit"] = "ignore"
    scope: Literal["steps", "all"] = Field(
        default="steps", description="Among which events of the key `strict` looks for neighbours."
    )
    emit_all: bool = Field(
        default=False, description="Every combination of events, and not one match per start."
    )

    @property
    def ends_in_absence(self) -> bool:
        """Whether the last step is one that stays away."""
        last = self.steps[-1]
        return last.not_ or any(member.not_ for member in last.members)

    @property
    def chosen_overlap(self) -> Overlap:
        """What a first event does while another one waits: as said, or as the last step needs it."""
        return self.overlap or ("each" if self.ends_in_absence else "first")

    @property
    def is_early(self) -> bool:
        """Whether more events can only bring a match nearer, so that it may match on arrival."""
        if not self.ordered:
            return True
        last = self.steps[-1]
        return not (
            last.is_repeated or last.may_be_missing or any(map(self._may_break, self.steps))
        )

    def _may_break(self, step: Step) -> bool:
        inner = step.times.contiguity if step.times else None
        return (
            step.not_
            or step.until is not None
            or "strict" in (step.contiguity or self.contiguity, inner)
            or any(map(self._may_break, step.members))
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A step that looks at events: its name, and where it stands."""

    step: Step
    name: str
    path: str
    position: int
    is_member: bool


def flattened(steps: list[Step], path: str) -> Iterator[Placed]:
    """Yield the steps that look at events, those inside of others too; unnamed ones get a name."""
    number = 0
    for position, step in enumerate(steps):
        for where, each in _parts(step, f"{path}[{position}]"):
            number += 1
            yield Placed(each, each.as_ or f"step{number}", where, position, each is not step)


def _parts(step: Step, path: str) -> Iterator[tuple[str, Step]]:
    if not step.members:
        yield path, step
    for field, members in (("all", step.all or ()), ("any", step.any or ())):
        for place, member in enumerate(members):
            yield f"{path}.{field}[{place}]", member
