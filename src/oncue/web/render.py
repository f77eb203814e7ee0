"""What users see of events and executions."""

from oncue.core.audit import AuditEntry, masked
from oncue.core.event import Event
from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.core.workflow.plan import CallNode, Plan, id_of
from oncue.core.workflow.state import Attempt, StepState, StepStatus
from oncue.engine.explanations import Explanation
from oncue.engine.rehearsals import ForeseenExecution
from oncue.ports import ExecutionSummary, Rehearsal, StoredExecution


def event(shown: Event) -> dict[str, Json]:
    """Return an event: CloudEvents names, and where and when it was accepted."""
    return {
        **shown.view(),
        "offset": shown.offset,
        "received_at": format_instant(shown.received_at_ms),
    }


def execution(stored: StoredExecution, plan: Plan) -> dict[str, Json]:
    """Return an execution with its steps."""
    new, state = stored.new, stored.state
    return {
        "id": new.start.execution_id,
        "workflow": new.workflow,
        "version": new.version,
        "status": state.status.value,
        "trigger": new.trigger.view(),
        "input": new.start.input,
        "output": state.output,
        "error": state.error,
        "created_at": format_instant(new.start.created_at_ms),
        "started_at": format_instant_if_any(state.started_at_ms),
        "finished_at": format_instant_if_any(state.finished_at_ms),
        "steps": [_step(step, plan) for step in state.steps.values()],
    }


def summary(row: ExecutionSummary) -> dict[str, Json]:
    """Return an execution without steps, input and output."""
    return {
        "id": row.id,
        "workflow": row.workflow,
        "version": row.version,
        "status": row.status.value,
        "trigger": row.trigger.view(),
        "error": row.error,
        "created_at": format_instant(row.created_at_ms),
        "started_at": format_instant_if_any(row.started_at_ms),
        "finished_at": format_instant_if_any(row.finished_at_ms),
    }


def foreseen(found: ForeseenExecution) -> dict[str, Json]:
    """Return an execution as it would be; `assumed` are the outputs that no call gave."""
    new, state = found.stored.new, found.stored.state
    return {
        "workflow": new.workflow,
        "version": new.version,
        "status": state.status.value,
        "input": new.start.input,
        "output": state.output,
        "error": state.error,
        "truncated": found.is_cut,
        "steps": [_foreseen_step(step, found.plan) for step in state.steps.values()],
    }


def _foreseen_step(step: StepState, plan: Plan) -> dict[str, Json]:
    node = plan.node(step.path)
    return {
        "id": node.id,
        "path": step.path,
        "type": node.type,
        "action": node.action if isinstance(node, CallNode) else None,
        "status": step.status.value,
        "input": masked(step.input),
        "output": step.output,
        "error": step.error,
        "assumed": isinstance(node, CallNode) and step.status is StepStatus.COMPLETED,
    }


def rehearsal(found: Rehearsal, duration_ms: int) -> dict[str, Json]:
    """Return how an action went that no execution asked for."""
    shown: dict[str, Json] = {
        "request": found.requests[0] if found.requests else None,
        "duration_ms": duration_ms,
    }
    if found.error is not None:
        shown["error"] = found.error
    else:
        shown["output"] = found.output
    return shown


def audit_entry(stored: StoredExecution, entry: AuditEntry) -> dict[str, Json]:
    """Return one attempt of an action: who, what, when, with what, and what came of it."""
    attempt = entry.attempt
    ended = attempt.finished_at_ms
    return {
        "execution": stored.new.start.execution_id,
        "workflow": stored.new.workflow,
        "version": stored.new.version,
        "step": entry.path,
        "action": entry.action,
        **_attempt(attempt),
        "duration_ms": None if ended is None else ended - attempt.started_at_ms,
        "idempotency_key": entry.key,
        "input": entry.input,
        "output": entry.output,
    }


def _step(step: StepState, plan: Plan) -> dict[str, Json]:
    return {
        "id": id_of(step.path),
        "path": step.path,
        "type": plan.node(step.path).type,
        "status": step.status.value,
        "attempts": [_attempt(attempt) for attempt in step.attempts],
        "input": step.input,
        "output": step.output,
        "error": step.error,
        "cached": step.is_cached,
        "reused": step.is_reused,
        "waits_until": format_instant_if_any(step.due_ms if step.status == "waiting" else None),
        "waits_for": step.parked if step.status == "waiting" else None,
    }


def _attempt(attempt: Attempt) -> dict[str, Json]:
    return {
        "attempt": attempt.attempt,
        "status": attempt.status.value,
        "started_at": format_instant(attempt.started_at_ms),
        "finished_at": format_instant_if_any(attempt.finished_at_ms),
        "error": attempt.error,
    }


def explanation(explained: Explanation) -> dict[str, Json]:
    """Return what a pattern did with an event."""
    return {
        "disposition": explained.fate.value,
        "clause": explained.clause,
        "error": explained.error,
        "match_id": explained.match_id,
        "outcome": explained.outcome,
        "key": explained.key,
        "state": explained.state,
    }
