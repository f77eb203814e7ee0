"""
What OnCue tells of its own decisions, as events: an execution ended, a pattern matched.

Each has an id that comes of the decision, so that the log takes it once however often it is
told. Its time is that of its cause and what it took since: events of old days that are sent
today are followed by events of old days, and no pattern's time leaps to today.
"""

from collections.abc import Mapping
from typing import Final

from oncue.core.action import Origin
from oncue.core.event import DEPTH, MAX_DATA_BYTES, OWN_SOURCE, IncomingEvent, depth_of
from oncue.core.ids import derived_id
from oncue.core.instants import format_instant, parse_instant
from oncue.core.json_text import Json, encode_json
from oncue.core.own_events import EXECUTION_COMPLETED, EXECUTION_FAILED, PATTERN_MATCHED
from oncue.core.pattern.match import Match
from oncue.core.workflow.plan import id_of
from oncue.core.workflow.records import FinalStatus
from oncue.core.workflow.state import ExecutionState, Start, StepStatus
from oncue.ports import NewExecution

TOLD_OF_ENDS: Final[Mapping[FinalStatus, str]] = {
    FinalStatus.COMPLETED: EXECUTION_COMPLETED,
    FinalStatus.FAILED: EXECUTION_FAILED,
}
"""The type by how an execution ended; somebody who cancels one knows."""
_MAX_ERROR: Final = 16_384


def execution_ended(new: NewExecution, state: ExecutionState) -> IncomingEvent:
    """Return the event that says how an execution ended."""
    assert state.final
    start, finished_ms = new.start, state.now_ms
    began_ms = start.created_at_ms if state.started_at_ms is None else state.started_at_ms
    data: dict[str, Json] = {
        "execution_id": start.execution_id,
        "workflow": new.workflow,
        "workflow_id": new.workflow_id,
        "version": new.version,
        "status": state.final.value,
        "error": state.error and state.error[:_MAX_ERROR],
        "step": _failed_step(state),
        "output": state.output,
        "trigger": new.trigger.view(),
        "created_at": format_instant(start.created_at_ms),
        "started_at": format_instant(began_ms),
        "finished_at": format_instant(finished_ms),
        "duration_ms": finished_ms - began_ms,
    }
    return _event(
        TOLD_OF_ENDS[state.final],
        start.execution_id,
        _time_of(start) + finished_ms - start.created_at_ms,
        _bounded(data, {"output": None}),
        origin_of(start).depth + 1,
    )


def pattern_matched(match: Match, outcome: Mapping[str, Json] | None) -> IncomingEvent:
    """Return the event that says that a pattern matched."""
    data: dict[str, Json] = {**match.view(), "outcome": outcome}
    named: Json = [
        {"id": event.id, "source": event.source, "offset": event.offset} for event in match.events
    ]
    bounded = _bounded(data, {"events": named}, {"events": [], "bindings": {}})
    return _event(PATTERN_MATCHED, match.id, match.time_ms, bounded, match.depth + 1)


def origin_of(start: Start) -> Origin:
    """Return an execution as what it does outside is known by."""
    # Of the events of a match, the one with the longest chain before it counts.
    events = start.match.get("events") if isinstance(start.match, Mapping) else None
    contributing = events if isinstance(events, list) else []
    depth = max(map(depth_of, (start.event, *contributing)))
    return Origin(start.execution_id, depth)


def _event(
    event_type: str, subject: str, time_ms: int, data: Mapping[str, Json], depth: int
) -> IncomingEvent:
    return IncomingEvent(
        id=derived_id("evt", time_ms, [event_type, subject]),
        source=OWN_SOURCE,
        type=event_type,
        subject=subject,
        time_ms=time_ms,
        data=data,
        attributes={DEPTH: depth},
    )


def _bounded(data: Mapping[str, Json], *smaller: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return `data`; of what is too large the first form that fits, or the last."""
    shown = data
    for change in smaller:
        if len(encode_json(shown)) <= MAX_DATA_BYTES:
            break
        shown = {**data, **change, "truncated": True}
    return shown


def _failed_step(state: ExecutionState) -> str | None:
    """Return the path of the step whose failure ended an execution, the innermost one."""
    if state.final is not FinalStatus.FAILED or state.error is None:
        return None
    # Whatever holds a step that fails says what that one said.
    failed = [
        (len(step.error), path)
        for path, step in state.steps.items()
        if step.status is StepStatus.FAILED
        and step.error is not None
        and state.error.endswith(f"step {id_of(path)!r}: {step.error}")
    ]
    return min(failed)[1] if failed else None


def _time_of(start: Start) -> int:
    time = start.event.get("time") if isinstance(start.event, Mapping) else None
    return parse_instant(time) if isinstance(time, str) else start.created_at_ms
