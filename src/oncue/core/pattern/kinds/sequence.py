"""The kind `sequence`: steps that follow each other, or stay away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from oncue.core.documents import Document
from oncue.core.errors import Problem
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.shared import Globs, Keyed, SpanMs
from oncue.core.problems import nearest

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
    def begins_with_absence(self) -> bool:
        """Whether the first step is one that stays away."""
        first = self.steps[0]
        return first.not_ or any(member.not_ for member in first.members)

    @property
    def chosen_overlap(self) -> Overlap:
        """What a first event does while another one waits: as said, or as the last step needs it."""
        is_each = self.ends_in_absence and not self.begins_with_absence
        return self.overlap or ("each" if is_each else "first")

    @property
    def skip_target(self) -> str | None:
        """The step that the next match skips to, where it does."""
        if isinstance(self.after_match, SkipToFirst):
            return self.after_match.skip_to_first
        return self.after_match.skip_to_last if isinstance(self.after_match, SkipToLast) else None

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


def unfit(pattern: SequencePattern, path: str) -> Iterator[Problem]:
    """Yield which fields of a sequence do not fit together."""
    yield from _unfit_names(pattern, path)
    for position, step in enumerate(pattern.steps):
        place = f"{path}.steps[{position}]"
        yield from _unfit_shape(step, place)
        if step.members:
            yield from _unfit_group(step, place)
        else:
            yield from _unfit_step(step, place)
        if step.within is not None and step.within > pattern.within:
            yield Problem(f"{place}.within", "expected at most the time of the whole sequence")
    if pattern.ordered:
        yield from _unfit_order(pattern, path)
    else:
        yield from _unfit_set(pattern, path)
    if pattern.emit == "early" and not pattern.is_early:
        yield Problem(
            f"{path}.emit",
            "expected 'final': an event that comes late could take this match back, got 'early'",
        )
    if pattern.keys and not pattern.by:
        yield Problem(f"{path}.keys", "expected 'by' beside declared keys, got none")


def _unfit_names(pattern: SequencePattern, path: str) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for each in flattened(pattern.steps, f"{path}.steps"):
        if each.name in seen:
            yield Problem(
                f"{each.path}.as",
                f"expected a name of its own, got {each.name!r} as at {seen[each.name]}",
            )
        seen.setdefault(each.name, each.path)
    target = pattern.skip_target
    taking = {each.name for each in flattened(pattern.steps, "") if not each.step.not_}
    if target is not None and target not in taking:
        yield Problem(
            f"{path}.after_match",
            f"expected the name of a step that takes an event, got {target!r}"
            f"{nearest(target, taking)}",
        )


def _unfit_shape(step: Step, path: str) -> Iterator[Problem]:
    """Yield what is wrong with what a step is: an event, or a group."""
    given = [name for name in ("event", "all", "any") if getattr(step, name) is not None]
    if len(given) != 1:
        got = " and ".join(map(repr, given)) or "none of them"
        yield Problem(path, f"expected one of 'event', 'all' and 'any', got {got}")


def _unfit_group(step: Step, path: str) -> Iterator[Problem]:
    yield from _refused(
        path,
        "expected it on the steps of the group, not on the group",
        {
            "source": step.source,
            "conditions": step.conditions,
            "where": step.where,
            "not": step.not_,
            "optional": step.optional,
            "times": step.times,
            "until": step.until,
        },
    )
    for place, member in _parts(step, path):
        yield from _unfit_shape(member, place)
        yield from _unfit_step(member, place)
        yield from _refused(
            place,
            "expected a plain step inside of a group",
            {
                "all": member.all,
                "any": member.any,
                "times": member.times,
                "optional": member.optional,
                "until": member.until,
                "contiguity": member.contiguity,
            },
        )
        if member.within is not None and not member.not_:
            yield Problem(f"{place}.within", "expected it on the group, or beside 'not'")
    if step.any is not None and any(each.not_ and each.within is None for each in step.any):
        yield Problem(f"{path}.any", "expected 'within' beside 'not': after it the step is met")
    if step.all is not None and all(each.not_ and each.within is None for each in step.all):
        yield Problem(f"{path}.all", "expected a step that comes, or 'within' beside 'not'")


def _unfit_step(step: Step, path: str) -> Iterator[Problem]:
    times = step.times
    if times is not None and times.max is not None and times.min > times.max:
        yield Problem(f"{path}.times", f"expected 'max' of at least {times.min}, got {times.max}")
    if step.until is not None and (times is None or times.max is not None):
        yield Problem(f"{path}.until", "expected it where 'times' has no 'max'")
    is_greedy = "greedy" in step.model_fields_set and step.greedy
    if step.not_:
        yield from _refused(
            path,
            "expected a step that comes, got 'not'",
            {"times": times, "optional": step.optional, "greedy": is_greedy},
        )
    elif is_greedy and not step.is_repeated and not step.optional:
        yield Problem(f"{path}.greedy", "expected a step that repeats or is optional")
    elif is_greedy and times is not None and times.contiguity == "any":
        yield Problem(f"{path}.greedy", "expected no 'any' between the repetitions")


def _unfit_order(pattern: SequencePattern, path: str) -> Iterator[Problem]:
    if pattern.at_least is not None:
        yield Problem(f"{path}.at_least", "expected it with 'ordered: false' alone")
    others = pattern.steps[1:]
    if others and all(step.not_ for step in pattern.steps):
        yield Problem(f"{path}.steps", "expected a step that comes, or one that stays away alone")
    if not others and pattern.begins_with_absence and pattern.overlap == "each":
        yield Problem(f"{path}.overlap", "expected 'first' or none: silence would match for ever")
    for position, step in enumerate(others, 1):
        if step.not_ and pattern.steps[position - 1].may_be_missing:
            yield Problem(
                f"{path}.steps[{position}]", "expected no optional step right before 'not'"
            )
    if pattern.emit_all:
        if pattern.overlap not in (None, "each"):
            yield Problem(
                f"{path}.overlap", f"expected 'each' with 'emit_all', got {pattern.overlap!r}"
            )
        if pattern.begins_with_absence:
            yield Problem(f"{path}.steps[0]", "expected a step that comes first with 'emit_all'")


def _unfit_set(pattern: SequencePattern, path: str) -> Iterator[Problem]:
    reason = "expected it with ordered steps alone"
    yield from _refused(
        path,
        reason,
        {
            "after_match": pattern.after_match,
            "overlap": pattern.overlap,
            "emit_all": pattern.emit_all,
            "contiguity": pattern.contiguity != "relaxed",
            "scope": pattern.scope != "steps",
            "on_timeout": pattern.on_timeout != "ignore",
        },
    )
    if pattern.at_least is not None and pattern.at_least > len(pattern.steps):
        yield Problem(
            f"{path}.at_least",
            f"expected at most the {len(pattern.steps)} steps, got {pattern.at_least}",
        )
    for position, step in enumerate(pattern.steps):
        yield from _refused(
            f"{path}.steps[{position}]",
            reason,
            {
                "not": step.not_,
                "times": step.times,
                "optional": step.optional,
                "contiguity": step.contiguity,
                "until": step.until,
                "within": step.within,
                "all": step.all,
                "any": step.any,
            },
        )


def _refused(path: str, reason: str, fields: Mapping[str, object]) -> Iterator[Problem]:
    """Yield the fields that were given, none of which may be."""
    for name, given in fields.items():
        if given:
            yield Problem(f"{path}.{name}", reason)
