"""Automation tests as users write them."""

from collections.abc import Collection, Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from oncue.core.documents import Document, DurationMs, InstantMs
from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import parse_event
from oncue.core.expression import compile_expression
from oncue.core.json_text import Json
from oncue.core.problems import nearest, problems_of
from oncue.core.workflow.compile import field_names
from oncue.core.workflow.state import Status
from oncue.testing.clock import START_MS
from oncue.testing.vendors.orders import Refused
from oncue.testing.vendors.wire import VENDORS

CALL_ROOTS: Final = ("call",)


def _vendor(name: str, info: ValidationInfo) -> str:
    known = (*VENDORS, *(info.context or ()))
    if name not in known:
        expected = f"expected a vendor out of {', '.join(known)}"
        raise ValueError(f"{expected}, got {name!r}{nearest(name, known)}")
    return name


Vendor = Annotated[str, AfterValidator(_vendor)]
Count = Annotated[int, Field(ge=0)]


class Answer(Document):
    """What a vendor answers once: as usual, unless it says otherwise."""

    status: int = Field(default=200, ge=200, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Json = None
    reply: Json = Field(default=None, description="What a model says; JSON, if it is no text.")
    refused: Refused | None = Field(default=None, description="A no in the vendor's own words.")
    lost: Literal["before", "after"] | None = Field(
        default=None, description="No answer comes, before or after what was asked is done."
    )

    @model_validator(mode="after")
    def _ends_here(self) -> Self:
        if 300 <= self.status < 400:
            raise ValueError(f"expected a status that leads nowhere else, got {self.status}")
        if len(self.model_fields_set & {"body", "reply"}) > 1:
            raise ValueError("expected either 'body' or 'reply', got both")
        if self.model_fields_set & {"refused", "lost"} and len(self.model_fields_set) > 1:
            got = " and ".join(sorted(self.model_fields_set))
            raise ValueError(f"expected 'refused' or 'lost' alone, got {got}")
        return self

    @property
    def is_usual(self) -> bool:
        """Whether it is the vendor's own success."""
        return self.status < 300 and not self.model_fields_set - {"status"}


class TimedEvent(BaseModel):
    """An event, `at` so long after the start; the rest is as in `POST /events`."""

    model_config = ConfigDict(extra="allow")

    at: DurationMs = 0

    @property
    def event(self) -> dict[str, Json]:
        """What is sent."""
        return self.model_extra or {}


class TimedCallback(Document):
    """Somebody calls back, for each execution of a workflow that waits at a step."""

    at: DurationMs
    workflow: str
    step: str
    data: Json = None


class TimedWebhook(Document):
    """Somebody posts to a hook, or to that of a workflow; no signature is needed."""

    at: DurationMs = 0
    hook: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: Json = Field(default=None, description="JSON; text, if `headers` name another type.")


class ExpectedMatches(Document):
    """How often a pattern matched; a workflow's own are counted under its name."""

    pattern: str
    count: Count = 1


class ExpectedExecutions(Document):
    """How many executions of a workflow ended, or stand, like this."""

    workflow: str
    status: Status | None = None
    output: Json = None
    count: Count = 1


class ExpectedCalls(Document):
    """How many calls of a vendor there were for which `where` holds."""

    vendor: Vendor
    where: str | None = Field(default=None, description="CEL over `call`.")
    count: Count = 1


class Expected(Document):
    """What must hold in the end."""

    matches: list[ExpectedMatches] = Field(default_factory=list)
    executions: list[ExpectedExecutions] = Field(default_factory=list)
    calls: list[ExpectedCalls] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.matches or self.executions or self.calls):
            raise ValueError("expected at least one of matches, executions and calls, got none")
        return self


class AutomationTest(Document):
    """Events over time, and what must have followed in the end."""

    kind: Literal["test"] = "test"
    name: str = Field(min_length=1, max_length=200)
    given: list[str] = Field(min_length=1, description="Files, seen from the document.")
    start: InstantMs = START_MS
    simulate: dict[Vendor, list[Answer]] = Field(default_factory=dict)
    events: list[TimedEvent] = Field(default_factory=list)
    callbacks: list[TimedCallback] = Field(default_factory=list)
    webhooks: list[TimedWebhook] = Field(default_factory=list)
    until: DurationMs | None = Field(
        default=None, description="When to look; by default once nothing waits any more."
    )
    expect: Expected


_FIELD_NAMES: Final = field_names(
    AutomationTest, Answer, TimedCallback, TimedWebhook, Expected, ExpectedMatches, ExpectedExecutions,
    ExpectedCalls,
)  # fmt: skip


def parse_test(document: Json, brought: Collection[str] = ()) -> AutomationTest:
    """
    Return the test that `document` spells; packages have `brought` more vendors than ours.

    Raises:
        InvalidInput: with all problems.
    """
    try:
        test = AutomationTest.model_validate(document, context=brought)
    except ValidationError as exc:
        raise InvalidInput(problems_of(exc, document, names=_FIELD_NAMES)) from exc
    problems = [*_bad_events(test), *_bad_wheres(test), *_too_late(test)]
    if problems:
        raise InvalidInput(problems)
    return test


def unknown_names(
    test: AutomationTest, workflows: Collection[str], patterns: Collection[str]
) -> Iterator[Problem]:
    """Yield a problem for each workflow or pattern that the given documents do not have."""
    expect = test.expect
    places = [
        *((f"expect.matches[{n}].pattern", x.pattern) for n, x in enumerate(expect.matches)),
        *((f"expect.executions[{n}].workflow", x.workflow) for n, x in enumerate(expect.executions)),
        *((f"callbacks[{n}].workflow", x.workflow) for n, x in enumerate(test.callbacks)),
    ]  # fmt: skip
    for path, name in places:
        kind = path.rpartition(".")[2]
        # What starts a workflow is counted under its name.
        known = {*workflows, *patterns} if kind == "pattern" else workflows
        if name not in known:
            expected = f"expected a {kind} of the given documents"
            yield Problem(path, f"{expected}, got {name!r}{nearest(name, known)}")


def _bad_events(test: AutomationTest) -> Iterator[Problem]:
    for index, timed in enumerate(test.events):
        try:
            parse_event(timed.event, lambda: "evt")
        except InvalidInput as exc:
            for problem in exc.problems:
                path = f"events[{index}].{problem.path}".rstrip(".")
                yield Problem(path, problem.message)


def _bad_wheres(test: AutomationTest) -> Iterator[Problem]:
    for index, expected in enumerate(test.expect.calls):
        if expected.where is None:
            continue
        try:
            compile_expression(
                expected.where, roots=CALL_ROOTS, path=f"expect.calls[{index}].where"
            )
        except InvalidInput as exc:
            yield from exc.problems


def _too_late(test: AutomationTest) -> Iterator[Problem]:
    if test.until is None:
        return
    instants = [
        *((f"events[{n}].at", event.at) for n, event in enumerate(test.events)),
        *((f"callbacks[{n}].at", callback.at) for n, callback in enumerate(test.callbacks)),
        *((f"webhooks[{n}].at", webhook.at) for n, webhook in enumerate(test.webhooks)),
    ]
    for path, at in instants:
        if at > test.until:
            yield Problem(path, "expected an instant up to 'until', got a later one")
