"""From a document to a workflow that can run, or to the list of all that is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from oncue.core.action import AnyAction, Idempotency
from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import Expression, Template, compile_expression, compile_template
from oncue.core.instants import parse_duration, parse_instant
from oncue.core.json_text import Json
from oncue.core.problems import nearest, problems_of
from oncue.core.workflow.definition import (
    ActionStep,
    DelayStep,
    Retry,
    Step,
    TransformStep,
    Workflow,
)
from oncue.core.workflow.plan import ActionNode, DelayNode, Node, Plan, TransformNode
from oncue.core.workflow.retry import ONCE, OnUnknown, RetryPolicy

TEMPLATE_ROOTS = ("event", "match", "input", "steps", "vars", "execution")

Library = Mapping[str, AnyAction]
Compiled = TypeVar("Compiled")


@dataclass(frozen=True, slots=True)
class Trigger:
    """One thing that starts a workflow, compiled."""

    selectors: tuple[str, ...]
    where: Expression | None


@dataclass(frozen=True, slots=True)
class ParsedWorkflow:
    """A workflow that can run. `document` is what to store: as written."""

    definition: Workflow
    document: Json
    plan: Plan
    triggers: tuple[Trigger, ...]


def parse_workflow(document: Json, library: Library, *, max_steps: int) -> ParsedWorkflow:
    """
    Return the workflow that `document` spells.

    Raises:
        InvalidInput: with all problems.
    """
    try:
        definition = Workflow.model_validate(document)
    except ValidationError as exc:
        raise InvalidInput(problems_of(exc, document, names=_FIELD_NAMES)) from exc
    return _Parser(library, max_steps).parse(definition, document)


def _field_names(*models: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        field.alias or name for model in models for name, field in model.model_fields.items()
    )


_FIELD_NAMES = _field_names(Workflow, ActionStep, DelayStep, TransformStep, Retry)


class _Parser:
    """Compiles what pydantic found well-formed, and collects what means nothing."""

    def __init__(self, library: Library, max_steps: int) -> None:
        self._library = library
        self._max_steps = max_steps
        self._problems: list[Problem] = []

    def parse(self, definition: Workflow, document: Json) -> ParsedWorkflow:
        self._check_steps(definition)
        plan = Plan(
            steps=tuple(
                node
                for index, step in enumerate(definition.steps)
                if (node := self._node(step, f"steps[{index}]"))
            ),
            output=self._template(definition.output, "output")
            if "output" in definition.model_fields_set
            else None,
            vars=definition.vars,
        )
        triggers = tuple(self._triggers(definition))
        if self._problems:
            raise InvalidInput(self._problems)
        return ParsedWorkflow(definition, document, plan, triggers)

    def _check_steps(self, definition: Workflow) -> None:
        if len(definition.steps) > self._max_steps:
            self._add("steps", f"expected at most {self._max_steps} steps", len(definition.steps))
        seen: set[str] = set()
        for index, step in enumerate(definition.steps):
            if step.id in seen:
                self._add(f"steps[{index}].id", "expected an id of its own", step.id)
            seen.add(step.id)

    def _node(self, step: Step, path: str) -> Node | None:
        match step:
            case ActionStep():
                return self._action(step, path)
            case DelayStep():
                return self._delay(step, path)
            case TransformStep():
                return self._transform(step, path)

    def _action(self, step: ActionStep, path: str) -> ActionNode | None:
        template = self._template(step.with_, f"{path}.with")
        action = self._library.get(step.action)
        if action is None:
            known = nearest(step.action, self._library)
            self._problems.append(
                Problem(f"{path}.action", f"expected an action, got {step.action!r}{known}")
            )
            return None
        self._problems.extend(_input_problems(action, step.with_, f"{path}.with"))
        if template is None:
            return None
        return ActionNode(
            id=step.id,
            action=step.action,
            input=template,
            retry=_policy(step.retry),
            timeout_ms=step.timeout,
            on_unknown=step.in_doubt or _on_unknown(action),
        )

    def _delay(self, step: DelayStep, path: str) -> DelayNode | None:
        is_instant = step.until is not None
        amount = step.until if step.until is not None else step.for_ or ""
        path = f"{path}.{'until' if is_instant else 'for'}"
        if "{{" not in amount:
            try:
                parse_instant(amount) if is_instant else parse_duration(amount)
            except ValueError as exc:
                self._problems.append(Problem(path, str(exc)))
        template = self._template(amount, path)
        return DelayNode(step.id, template, is_instant) if template else None

    def _transform(self, step: TransformStep, path: str) -> TransformNode | None:
        output: Template | Expression | None
        if step.expr is None:
            output = self._template(step.output, f"{path}.output")
        else:
            output = self._expression(step.expr, f"{path}.expr")
        return TransformNode(step.id, output) if output else None

    def _triggers(self, definition: Workflow) -> Iterator[Trigger]:
        is_list = isinstance(definition.on, list)
        for index, trigger in enumerate(definition.triggers):
            path = f"on[{index}].where" if is_list else "on.where"
            where = self._collect(partial(trigger.compile_where, path))
            yield Trigger(trigger.selectors, where)

    def _template(self, document: Json, path: str) -> Template | None:
        return self._collect(lambda: compile_template(document, roots=TEMPLATE_ROOTS, path=path))

    def _expression(self, text: str, path: str) -> Expression | None:
        return self._collect(lambda: compile_expression(text, roots=TEMPLATE_ROOTS, path=path))

    def _collect(self, compile_: Callable[[], Compiled]) -> Compiled | None:
        try:
            return compile_()
        except InvalidInput as exc:
            self._problems.extend(exc.problems)
            return None

    def _add(self, path: str, expected: str, got: object) -> None:
        self._problems.append(Problem(path, f"{expected}, got {got!r}"))


def _policy(retry: Retry | Literal[False]) -> RetryPolicy:
    return retry.policy() if isinstance(retry, Retry) else ONCE


def _on_unknown(action: AnyAction) -> OnUnknown:
    is_safe = action.idempotency is not Idempotency.NONE or action.is_harmless_to_repeat
    return OnUnknown.RETRY if is_safe else OnUnknown.FAIL


def _input_problems(action: AnyAction, document: Json, path: str) -> list[Problem]:
    """Return what is wrong with an action's input whatever its templates will give."""
    try:
        action.input.model_validate(document)
    except ValidationError as exc:
        return problems_of(
            exc,
            document,
            names=_field_names(action.input),
            prefix=path,
            counts=lambda found: found["type"] in _SHAPE or not _has_template(found["input"]),
        )
    return []


# These say something of the document's shape; all others of a value that a template may give.
_SHAPE = frozenset(("missing", "extra_forbidden"))


def _has_template(value: object) -> bool:
    match value:
        case str():
            return "{{" in value
        case Mapping():
            return any(map(_has_template, value.values()))
        case list():
            return any(map(_has_template, value))
    return False
