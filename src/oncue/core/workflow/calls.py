"""What follows an attempt: the next one, a callback, or the end of the step."""

from oncue.core.ids import digest
from oncue.core.json_text import Json, encode_json
from oncue.core.workflow.plan import CallNode
from oncue.core.workflow.records import (
    AttemptStarted,
    CallbackAwaited,
    Command,
    DoubtRaised,
    RetryScheduled,
    StepCompleted,
    StepFailed,
    Verdict,
)
from oncue.core.workflow.retry import OnUnknown
from oncue.core.workflow.scope import Scope
from oncue.core.workflow.state import Attempt, AttemptStatus, StepState, StepStatus

_KEY_CHARS = 40
_FORGOTTEN = (
    "an earlier attempt may have been carried out, and is longer ago than the vendor "
    "remembers its key; look, then run it anew"
)
# Longer texts of a cache's key are told by their digest, so that all fit where they are kept.
_MAX_TOLD = 200


def first_attempt(node: CallNode, path: str, scope: Scope) -> Command:
    """
    Return the first attempt of a call, its input rendered once and for all.

    Raises:
        EvaluationError: the input cannot be rendered.
    """
    if _is_forgotten(node, scope.state.inherited.get(path), scope):
        return StepFailed(path, _FORGOTTEN)
    if node.callback_ms is not None:
        scope = scope.inner({"callback_url": f"{scope.state.start.callback_url}/{path}"})
    rendered, spots = scope.render_concealed(node.input)
    # A value that spells a secret's name is not that secret.
    told = [encode_json(part).decode() for part in ([rendered, spots] if spots else [rendered])]
    start = scope.state.start
    key = digest([start.root_id, path, start.generation, *told])[:_KEY_CHARS]
    return AttemptStarted(path, node.action, 1, key, rendered, _cache_key(node, told, scope), spots)


def _cache_key(node: CallNode, told: list[str], scope: Scope) -> str:
    if node.cache is None:
        return ""
    if node.cache.key is None:
        return f"{node.action}/{digest(told)[:_KEY_CHARS]}"
    found = scope.render(node.cache.key)
    text = found if isinstance(found, str) else encode_json(found).decode()
    short = text if len(text) <= _MAX_TOLD else digest([text])[:_KEY_CHARS]
    # Another step may mean something else by the same text.
    return f"{scope.plan.name}/{node.id}/{short}"


def next_of_call(node: CallNode, step: StepState, scope: Scope) -> Command | None:
    """Return what follows in a call that has begun; nothing, if that depends on an outcome."""
    if step.parked is not None:
        return _repeat(node, step, scope) if step.is_due else None
    last = step.attempts[-1]
    if last.status is AttemptStatus.RUNNING:
        return None
    if last.status is AttemptStatus.COMPLETED:
        return _next_of_callback(node, step, scope)
    if step.asks:
        return _after_verdict(node, step, last)
    if step.is_due:
        return _repeat(node, step, scope)
    if step.status is StepStatus.WAITING:
        return None
    if last.status is AttemptStatus.IN_DOUBT and node.on_unknown is OnUnknown.ASK:
        return DoubtRaised(step.path)
    return _after_failure(node, step, last, scope)


def _next_attempt(node: CallNode, step: StepState) -> Command:
    return AttemptStarted(step.path, node.action, len(step.attempts) + 1, step.idempotency_key)


def _repeat(node: CallNode, step: StepState, scope: Scope) -> Command:
    began = (a.started_at_ms for a in step.attempts if a.status is AttemptStatus.IN_DOUBT)
    if _is_forgotten(node, min(began, default=None), scope):
        return StepFailed(step.path, _FORGOTTEN)
    return _next_attempt(node, step)


def _is_forgotten(node: CallNode, since_ms: int | None, scope: Scope) -> bool:
    """Return whether the vendor would take a repeat for something else."""
    if node.key_lives_ms is None or since_ms is None:
        return False
    return since_ms < scope.now_ms - node.key_lives_ms


def _next_of_callback(node: CallNode, step: StepState, scope: Scope) -> Command | None:
    if node.callback_ms is None:
        return None
    if not step.awaits_callback:
        return CallbackAwaited(step.path, scope.now_ms + node.callback_ms)
    if step.callback is not None:
        answer = step.output if isinstance(step.output, dict) else {}
        output: dict[str, Json] = {**answer, "callback": step.callback.data}
        return StepCompleted(step.path, output)
    if step.is_due:
        return StepFailed(step.path, f"nobody called back within {node.callback_ms} ms")
    return None


def _after_verdict(node: CallNode, step: StepState, last: Attempt) -> Command | None:
    if step.resolved is None:
        return None
    match step.resolved.verdict:
        case Verdict.DONE:
            return StepCompleted(step.path, step.resolved.output)
        case Verdict.RETRY:
            return _next_attempt(node, step)
        case Verdict.FAIL:
            return StepFailed(step.path, last.error or "")


def _after_failure(node: CallNode, step: StepState, last: Attempt, scope: Scope) -> Command:
    is_over = last.is_permanent or (
        last.status is AttemptStatus.IN_DOUBT and node.on_unknown is OnUnknown.FAIL
    )
    seed = f"{scope.state.start.execution_id}/{step.path}/{last.attempt}"
    delay = None if is_over else node.retry.delay_after(last.attempt, seed)
    if delay is None:
        return StepFailed(step.path, last.error or "")
    if last.by_crash:
        return _repeat(node, step, scope)
    # What the vendor asks for outweighs our own ceiling.
    wait = delay if last.retry_after_ms is None else max(delay, last.retry_after_ms)
    return RetryScheduled(step.path, scope.now_ms + wait)
