"""From a document to a workflow that can run, or to the list of all that is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pydantic import ValidationError

from oncue.core.errors import InvalidInput
from oncue.core.hook.trigger import HookTrigger, check_hook, parted, waited_for
from oncue.core.json_text import Json
from oncue.core.pattern.definition import FIELD_NAMES
from oncue.core.pattern.planning import plan_condition
from oncue.core.problems import problems_of
from oncue.core.schedule.document import ScheduleTrigger
from oncue.core.workflow.compile import Library, StepCompiler, field_names
from oncue.core.workflow.definition import NESTED, Retry, Workflow
from oncue.core.workflow.findings import VARIABLES, Findings
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.survey import survey

CONNECTED = "connected"
TEMPLATE_ROOTS = ("event", "match", "input", "steps", VARIABLES, "execution", CONNECTED)


@dataclass(frozen=True, slots=True)
class ParsedWorkflow:
    """
    A workflow that can run.

    `document` is what to store: as written, but for the `secrets` of its hooks, which
    are by the place of their trigger.
    """

    definition: Workflow
    document: Json
    plan: Plan
    secrets: Mapping[int, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def triggers(self) -> Sequence[Json]:
        """What starts it, as written."""
        on = self.document.get("on", []) if isinstance(self.document, Mapping) else []
        return on if isinstance(on, list) else (on,)


def parse_workflow(
    document: Json,
    library: Library,
    *,
    max_steps: int,
    connections: Mapping[str, str] | None = None,
) -> ParsedWorkflow:
    """
    Return the workflow that `document` spells.

    `connections` are the integrations by the names of the account's connections;
    without them, steps may name any.

    Raises:
        InvalidInput: with all problems.
    """
    part = parted(document)
    try:
        definition = _definition(part.document, library)
        parser = _Parser(StepCompiler(library, found := Findings(), connections), found)
        parsed = parser.parse(definition, part.document, max_steps)
    except InvalidInput as exc:
        raise InvalidInput([*exc.problems, *part.problems]) from exc
    if part.problems:
        raise InvalidInput(part.problems)
    return replace(parsed, secrets=part.secrets)


def parse_saved_workflow(document: Json, library: Library) -> ParsedWorkflow:
    """
    Return a workflow that was taken before, whatever has become of bounds and actions since.

    Raises:
        InvalidInput: with all problems.
    """
    definition = _definition(document, library)
    compiler = StepCompiler(library, found := Findings(), is_saved=True)
    return _Parser(compiler, found).parse(definition, document, None)


def _definition(document: Json, library: Library) -> Workflow:
    try:
        return Workflow.model_validate(document)
    except ValidationError as exc:
        found = problems_of(exc, document, names=_FIELD_NAMES)
        raise InvalidInput([*found, *survey(document, library)]) from exc


_FIELD_NAMES = (*field_names(Workflow, Retry, ScheduleTrigger, HookTrigger, *NESTED), *FIELD_NAMES)


class _Parser:
    """Compiles what pydantic found well-formed, and collects what means nothing."""

    def __init__(self, steps: StepCompiler, found: Findings) -> None:
        self._steps = steps
        self._found = found

    def parse(self, definition: Workflow, document: Json, max_steps: int | None) -> ParsedWorkflow:
        steps = self._steps
        plan = Plan(
            name=definition.name,
            steps=steps.block(definition.steps, "steps", TEMPLATE_ROOTS),
            on_failure=steps.block(definition.on_failure, "on_failure", TEMPLATE_ROOTS),
            output=self._found.template(definition.output, "output", TEMPLATE_ROOTS)
            if "output" in definition.model_fields_set
            else None,
            guard=None
            if definition.if_ is None
            else self._found.expression(definition.if_, "if", TEMPLATE_ROOTS),
            vars=definition.vars,
            max_steps=definition.max_steps,
            timeout_ms=definition.timeout,
            dead_letter=definition.dead_letter,
        )
        plan = replace(
            plan,
            secrets=self._found.secrets,
            variables=self._found.variables(definition.vars),
            asks_connected=any(read[0] == CONNECTED for read in self._found.reads),
            reads_any_variable=(VARIABLES,) in self._found.reads,
        )
        if max_steps is not None and steps.count > max_steps:
            expected = f"expected at most {max_steps} steps"
            self._found.add("steps", f"{expected}, got {steps.count}")
        self._check_triggers(definition)
        if self._found.problems:
            raise InvalidInput(self._found.problems)
        return ParsedWorkflow(definition, document, plan)

    def _check_triggers(self, definition: Workflow) -> None:
        is_list = isinstance(definition.on, list)
        for index, trigger in enumerate(definition.triggers):
            path = f"on[{index}]" if is_list else "on"
            if isinstance(trigger, HookTrigger):
                self._found.collect(partial(check_hook, trigger, path))
                self._found.collect(partial(plan_condition, waited_for(trigger), path))
            elif not isinstance(trigger, ScheduleTrigger):
                self._found.collect(partial(plan_condition, trigger, path))
