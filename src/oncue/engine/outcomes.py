"""What follows from a match: an execution, or the reason why there is none."""

import logging
from collections.abc import Mapping

from oncue.core.errors import EvaluationError, QuotaExceeded
from oncue.core.event import MAX_DEPTH, Event, IncomingEvent
from oncue.core.ids import derived_id
from oncue.core.json_text import Json
from oncue.core.pattern.match import Match, expanded
from oncue.core.workflow.scope import Scope
from oncue.core.workflow.state import Start, begin
from oncue.engine.definitions import CurrentWorkflow, Definitions
from oncue.engine.quotas import QuotaGuard
from oncue.engine.starts import Starts
from oncue.ports import MatchRow, NewExecution, Trigger

_log = logging.getLogger(__name__)


class Outcomes:
    """Decides what matches start."""

    def __init__(self, definitions: Definitions, starts: Starts, quotas: QuotaGuard) -> None:
        self._definitions = definitions
        self._quotas = quotas
        self._starts = starts
        self.loops = 0

    async def of(self, account: str, match: Match) -> NewExecution | str | None:
        """Return what a match starts, or why it starts nothing; None if it is to start nothing."""
        if match.depth > MAX_DEPTH:
            self.loops += 1
            _log.warning("a loop was cut at pattern %s of %s", match.pattern.name, account)
            return (
                f"a loop: more than {MAX_DEPTH} executions and matches led to it, each by an event "
                "of the one before"
            )
        if match.pattern.workflow_id is None:
            return None
        workflow = await self._definitions.current(account, match.pattern.workflow_id)
        if not workflow.is_enabled:
            return f"workflow {workflow.name!r} is disabled or was deleted"
        event = match.cause()
        shown = expanded(match.view())
        try:
            input_ = _input(match, event, shown)
        except EvaluationError as exc:
            return f"the input of pattern {match.pattern.name!r} cannot be rendered: {exc}"
        start = await self._starts.start(
            account,
            derived_id("exe", match.time_ms, [match.id, workflow.id]),
            (workflow.id, workflow.version),
            event,
            shown,
            input_,
        )
        try:
            if not await self._is_wanted(account, workflow, start):
                return "the workflow's `if` does not hold"
            await self._quotas.admit_execution(account)
        except EvaluationError as exc:
            return f"the workflow's `if` cannot be told: {exc}"
        except QuotaExceeded as exc:
            return f"the account's quota is used up: {exc}"
        return NewExecution(
            workflow_id=workflow.id,
            workflow=workflow.name,
            version=workflow.version,
            trigger=Trigger("match", event.id, event.offset, match.id, match.pattern.id),
            start=start,
        )

    async def _is_wanted(self, account: str, workflow: CurrentWorkflow, start: Start) -> bool:
        plan = await self._definitions.plan(account, workflow.id, workflow.version)
        if plan.guard is None:
            return True
        return Scope(plan, begin(start), start.created_at_ms).holds(plan.guard)


def _input(match: Match, event: Event, shown: Mapping[str, Json]) -> Json:
    if match.pattern.input is None:
        return event.data
    return match.pattern.input.render({"event": event.view(), "match": shown})


def shown_outcome(outcome: NewExecution | str | None) -> Mapping[str, Json] | None:
    """Return what followed a match, as people see it."""
    if isinstance(outcome, NewExecution):
        return {"execution_id": outcome.start.execution_id}
    return None if outcome is None else {"skipped": outcome}


def match_row(
    match: Match, outcome: Mapping[str, Json] | None, told: IncomingEvent | None
) -> MatchRow:
    """Return a match with its outcome, as it is kept."""
    return MatchRow(
        id=match.id,
        pattern_id=match.pattern.id,
        time_ms=match.time_ms,
        detected_at_ms=match.detected_at_ms,
        body=match.view(),
        outcome=outcome,
        told=told,
    )
