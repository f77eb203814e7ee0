"""From steps as users write them to nodes that the interpreter reads."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from oncue.core.action import ABSENT, AnyAction, absent
from oncue.core.errors import Problem
from oncue.core.expression import Conceals, Expression, Template, everywhere, nowhere
from oncue.core.instants import parse_duration, parse_instant
from oncue.core.json_text import Json
from oncue.core.problems import nearest, problems_of
from oncue.core.workflow.definition import (
    ActionStep,
    AiOperation,
    AiStep,
    CacheTerms,
    ConditionStep,
    DelayStep,
    EmitEventStep,
    LoopStep,
    ParallelStep,
    Retry,
    Step,
    StopStep,
    TransformStep,
    WebhookStep,
)
from oncue.core.workflow.findings import NOTHING, Findings
from oncue.core.workflow.plan import (
    Block,
    Branch,
    Cache,
    CallNode,
    ConditionNode,
    DelayNode,
    LoopNode,
    Node,
    OnError,
    ParallelNode,
    StopNode,
    TransformNode,
)
from oncue.core.workflow.records import FinalStatus
from oncue.core.workflow.retry import ONCE, OnUnknown, RetryPolicy

Library = Mapping[str, AnyAction]
Roots = Collection[str]

WEBHOOK_ACTION = "call_webhook"
EMIT_ACTION = "emit_event"
_AI_ACTIONS = {
    AiOperation.GENERATE: "ai_text_generation",
    AiOperation.CLASSIFY: "ai_classify_text",
    AiOperation.SENTIMENT: "ai_sentiment_analysis",
    AiOperation.ENTITIES: "ai_named_entity_recognition",
    AiOperation.SUMMARIZE: "ai_summarize",
    AiOperation.EXTRACT: "ai_extract",
}
# These say something of the document's shape; all others of a value that a template may give.
_SHAPE = frozenset(("missing", "extra_forbidden"))


def field_names(*models: type[BaseModel]) -> frozenset[str]:
    """Return the names under which users write the fields of `models`."""
    return frozenset(
        field.alias or name for model in models for name, field in model.model_fields.items()
    )


class StepCompiler:
    """
    Compiles the steps of one workflow; their ids are unique among all of them.

    One that `is_saved` was held against the actions of its time: what has become
    of them since is told where they are called.
    """

    def __init__(
        self,
        library: Library,
        found: Findings,
        connections: Mapping[str, str] | None = None,
        *,
        is_saved: bool = False,
    ) -> None:
        self._library = library
        self._connections = connections
        self._is_saved = is_saved
        self._found = found
        self._ids: set[str] = set()
        self.count = 0

    def block(self, steps: list[Step], path: str, roots: Roots) -> Block:
        """Return the nodes of `steps`, which stand at `path`."""
        nodes = [self._node(step, f"{path}[{index}]", roots) for index, step in enumerate(steps)]
        return tuple(node for node in nodes if node)

    def _node(self, step: Step, path: str, roots: Roots) -> Node | None:
        self.count += 1
        if step.id in self._ids:
            self._found.add(f"{path}.id", f"expected an id of its own, got {step.id!r}")
        self._ids.add(step.id)
        match step:
            case ConditionStep():
                return self._condition(step, path, roots)
            case ActionStep():
                return self._call(
                    step, step.action, step.with_, (f"{path}.with", everywhere), roots
                )
            case WebhookStep():
                return self._webhook(step, path, roots)
            case AiStep():
                action = _AI_ACTIONS[step.operation]
                return self._call(step, action, _ai_input(step), (path, nowhere), roots)
            case EmitEventStep():
                input_: dict[str, Json] = {"event": step.event}
                return self._call(step, EMIT_ACTION, input_, (path, nowhere), roots)
            case LoopStep():
                return self._loop(step, path, roots)
            case _:
                return self._simple(step, path, roots)

    def _simple(
        self, step: DelayStep | TransformStep | StopStep | ParallelStep, path: str, roots: Roots
    ) -> Node:
        on_error, guard = self._on_error(step, path, roots), self._guard(step, path, roots)
        shared: dict[str, Any] = {
            "id": step.id,
            "type": step.type,
            "guard": guard,
            "on_error": on_error,
        }
        match step:
            case DelayStep():
                amount, is_instant = self._amount(step, path, roots)
                return DelayNode(**shared, amount=amount, is_instant=is_instant)
            case TransformStep():
                return TransformNode(**shared, output=self._output(step, path, roots))
            case StopStep():
                message = self._found.template(step.message, f"{path}.message", roots)
                return StopNode(**shared, status=FinalStatus(step.status), message=message)
            case ParallelStep():
                branches = tuple(
                    Branch(name, None, self.block(inner, f"{path}.branches.{name}", roots))
                    for name, inner in step.branches.items()
                )
                return ParallelNode(**shared, branches=branches, wanted=step.wanted)

    def _output(self, step: TransformStep, path: str, roots: Roots) -> Template | Expression:
        if step.expr is None:
            return self._found.template(step.output, f"{path}.output", roots)
        return self._found.expression(step.expr, f"{path}.expr", roots) or NOTHING

    def _guard(self, step: Step, path: str, roots: Roots) -> Expression | None:
        if isinstance(step, ConditionStep) or step.if_ is None:
            return None
        return self._found.expression(step.if_, f"{path}.if", roots)

    def _on_error(self, step: Step, path: str, roots: Roots) -> OnError | Block:
        if isinstance(step, ConditionStep):
            return OnError.FAIL
        if isinstance(step.on_error, list):
            return self.block(step.on_error, f"{path}.on_error", roots)
        return OnError(step.on_error)

    def _call(
        self,
        step: ActionStep | WebhookStep | AiStep | EmitEventStep,
        name: str,
        input_: Json,
        where: tuple[str, Conceals],
        roots: Roots,
    ) -> CallNode | None:
        path, conceals = where
        # A callback is told to the receiver by the step's own input.
        is_waiting = isinstance(step, WebhookStep) and step.expect_callback is not None
        inner = (*roots, "callback_url") if is_waiting else roots
        template = self._found.template(input_, path, inner, conceals)
        place = path.removesuffix(".with")
        on_error, guard = self._on_error(step, place, roots), self._guard(step, place, roots)
        action = self._library.get(name)
        if action is None and self._is_saved:
            action = absent(name)
        if action is None:
            known = nearest(name, self._library)
            at = f"{place}.action" if isinstance(step, ActionStep) else place
            self._found.add(at, f"expected an action, got {name!r}{known}")
            return None
        if isinstance(step, ActionStep) and not self._is_saved:
            self._found.problems.extend(_input_problems(action, input_, path))
            if not action.takes_secrets:
                for secret_path in {*template.secrets.values()}:
                    self._found.add(
                        secret_path,
                        f"expected no secrets in what {name} is given: it keeps or shows it",
                    )
            if trouble := _trouble_with(step.connection, action, self._connections):
                self._found.add(f"{place}.connection", trouble)
        return CallNode(
            id=step.id,
            type=step.type,
            guard=guard,
            on_error=on_error,
            action=name,
            input=template,
            retry=_policy(step.retry),
            timeout_ms=step.timeout,
            on_unknown=step.in_doubt or _on_unknown(action, input_),
            # Who says what follows a doubt has said it of old ones, too.
            key_lives_ms=None if step.in_doubt else action.key_lives_ms,
            callback_ms=step.expect_callback if isinstance(step, WebhookStep) else None,
            connection=step.connection if isinstance(step, ActionStep) else None,
            place=place,
            cache=_cache(step.cache, self._found, f"{place}.cache", roots),
        )

    def _webhook(self, step: WebhookStep, path: str, roots: Roots) -> CallNode | None:
        input_: dict[str, Json] = {
            "url": step.url,
            "method": step.method,
            "headers": dict(step.headers),
            "auth": step.auth.model_dump(),
        }
        if "body" in step.model_fields_set:
            input_["body"] = step.body
        return self._call(step, WEBHOOK_ACTION, input_, (path, _hides), roots)

    def _condition(self, step: ConditionStep, path: str, roots: Roots) -> ConditionNode:
        if step.if_ is None:
            branches = [
                self._branch(f"cases[{index}]", case.if_, case.steps, path, roots)
                for index, case in enumerate(step.cases)
            ]
            default = self.block(step.default, f"{path}.default", roots)
            if default or "default" in step.model_fields_set:
                branches.append(Branch("default", None, default))
        else:
            test = self._found.expression(step.if_, f"{path}.if", roots)
            branches = [
                Branch("then", test, self.block(step.then, f"{path}.then", roots)),
                Branch("else", None, self.block(step.else_, f"{path}.else", roots)),
            ]
        return ConditionNode(id=step.id, type=step.type, branches=tuple(branches))

    def _branch(self, name: str, test: str, steps: list[Step], path: str, roots: Roots) -> Branch:
        compiled = self._found.expression(test, f"{path}.{name}.if", roots)
        return Branch(name, compiled, self.block(steps, f"{path}.{name}.steps", roots))

    def _loop(self, step: LoopStep, path: str, roots: Roots) -> LoopNode:
        inner = {*roots, "index"}
        if step.while_ is None:
            inner.add(step.as_)
            items = self._found.template(step.for_each, f"{path}.for_each", roots)
            test = None
        else:
            items = None
            test = self._found.expression(step.while_, f"{path}.while", inner)
        return LoopNode(
            id=step.id,
            type=step.type,
            guard=self._guard(step, path, roots),
            on_error=self._on_error(step, path, roots),
            items=items,
            test=test,
            item_name=step.as_,
            block=self.block(step.steps, f"{path}.steps", inner),
            max_iterations=step.max_iterations,
            max_concurrency=step.max_concurrency,
        )

    def _amount(self, step: DelayStep, path: str, roots: Roots) -> tuple[Template, bool]:
        is_instant = step.until is not None
        amount = step.until if step.until is not None else step.for_ or ""
        path = f"{path}.{'until' if is_instant else 'for'}"
        if "{{" not in amount:
            try:
                parse_instant(amount) if is_instant else parse_duration(amount)
            except ValueError as exc:
                self._found.add(path, str(exc))
        return self._found.template(amount, path, roots), is_instant


def _cache(terms: CacheTerms | None, found: Findings, path: str, roots: Roots) -> Cache | None:
    if terms is None:
        return None
    key = None if terms.key is None else found.template(terms.key, f"{path}.key", roots)
    return Cache(terms.ttl, key)


def _ai_input(step: AiStep) -> Json:
    optional: dict[str, Json] = {"model": step.model, "schema": step.schema_}
    given = {name: value for name, value in optional.items() if value is not None}
    match step.operation:
        case AiOperation.GENERATE if step.input is None:
            return {"prompt": step.prompt, **given}
        case AiOperation.GENERATE:
            return {"system": step.prompt, "prompt": step.input, **given}
        case AiOperation.CLASSIFY:
            return {"text": step.input, "categories": list(step.categories), **given}
        case _:
            return {"text": step.prompt if step.input is None else step.input, **given}


def _policy(retry: Retry | bool) -> RetryPolicy:  # noqa: FBT001 `retry: false` is what users write
    return retry.policy() if isinstance(retry, Retry) else ONCE


def _on_unknown(action: AnyAction, document: Json) -> OnUnknown:
    return OnUnknown.RETRY if action.may_repeat(document) else OnUnknown.FAIL


def _input_problems(action: AnyAction, document: Json, path: str) -> list[Problem]:
    """Return what is wrong with an action's input whatever its templates will give."""
    try:
        action.input.model_validate(document)
    except ValidationError as exc:
        return problems_of(
            exc,
            document,
            names=field_names(action.input),
            prefix=path,
            counts=lambda found: found["type"] in _SHAPE or not _has_template(found["input"]),
        )
    return []


def _hides(place: str) -> bool:
    """Return whether secrets may stand at a place of a webhook."""
    return place.partition(".")[0] in ("url", "headers", "auth")


def _has_template(value: object) -> bool:
    match value:
        case str():
            return "{{" in value
        case Mapping():
            return any(map(_has_template, value.values()))
        case list():
            return any(map(_has_template, value))
        case _:
            return False


def _trouble_with(
    name: str | None, action: AnyAction, connections: Mapping[str, str] | None
) -> str | None:
    """Return why an action cannot go with the connection of that name."""
    if name is None or connections is None or action.integration == ABSENT:
        return None
    integration = connections.get(name)
    if integration is None:
        return f"expected a connection, got {name!r}{nearest(name, connections)}"
    if integration != action.integration:
        expected = f"expected a connection for {action.integration}"
        return f"{expected}, got {name!r}, which is for {integration}"
    return None
