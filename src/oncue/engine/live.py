"""
One execution at work: turn, commit, calls, and again.

Each turn is one commit; only then are its commands carried out, so whatever
acts outside was written down before.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from oncue.core.action import Origin
from oncue.core.errors import NotNow, OutcomeUnknown, Overloaded, PermanentError, RetryableError
from oncue.core.workflow.machine import advance, evolve
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptLost,
    AttemptParked,
    AttemptStarted,
    AttemptSucceeded,
    CalledBack,
    CancelRequested,
    DoubtResolved,
    FinalStatus,
    Outcome,
    Record,
    TimerFired,
)
from oncue.core.workflow.state import AttemptStatus, ExecutionState, StepState
from oncue.engine.loop import PAUSE_AFTER_FAILURE_MS
from oncue.engine.outbox import Outbox
from oncue.engine.parking import PATIENCE_MS, Parking, asks_at_ms
from oncue.engine.step_cache import StepCache
from oncue.engine.tally import Tally
from oncue.engine.telling import origin_of
from oncue.ports import Actions, Clock, Journal, StoredExecution, Timer, Turn

_log = logging.getLogger(__name__)

_KINDS: Mapping[type, str] = {
    AttemptSucceeded: AttemptStatus.COMPLETED.value,
    AttemptFailed: AttemptStatus.FAILED.value,
    AttemptLost: AttemptStatus.IN_DOUBT.value,
    AttemptParked: "parked",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where steps that wait are handed over: their timers, and those that wait for a vendor."""

    on_timer: Callable[[Timer], None]
    parking: Parking


@dataclass(slots=True)
class Outside:
    """What executions touch. Once `is_stopping`, outcomes are written down and nothing begins."""

    journal: Journal
    actions: Actions
    cache: StepCache
    outbox: Outbox
    clock: Clock
    tally: Tally
    waiting: Waiting
    on_turn: Callable[[str], None]
    on_end: Callable[[str], None]
    is_stopping: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something for an execution from outside its calls, and whom to tell that it was taken."""

    content: Timer | CancelRequested | CalledBack | DoubtResolved
    answer: asyncio.Future[bool] | None = None

    async def taken(self) -> bool:
        """Return whether it was written down."""
        assert self.answer is not None
        return await self.answer

    def take(self, *, is_taken: bool) -> None:
        """Say whether it was written down."""
        if self.answer and not self.answer.done():
            self.answer.set_result(is_taken)

    def drop(self) -> None:
        """Say that the execution is not there to take it."""
        self.take(is_taken=False)

    def outcome_for(self, state: ExecutionState) -> Outcome | None:
        """Return what it means to an execution; nothing, if that does not wait for it."""
        match self.content:
            case Timer(path=path, due_ms=due_ms):
                # A timer may be told twice, or after its step was ended by something else.
                return TimerFired(path) if state.timers().get(path) == due_ms else None
            case CalledBack(path=path):
                step = state.waiting.get(path)
                is_awaited = step is not None and step.awaits_callback and not step.callback
                return self.content if is_awaited else None
            case DoubtResolved(path=path):
                step = state.waiting.get(path)
                is_asked = step is not None and step.asks and not step.resolved
                return self.content if is_asked else None
            case CancelRequested():
                return None if state.final else self.content


class LiveExecution:
    """An execution in memory, for as long as something of it is at work."""

    def __init__(self, account: str, plan: Plan, stored: StoredExecution, outside: Outside) -> None:
        self._account = account
        self._plan = plan
        self._new = stored.new
        self._state = stored.state
        self._outside = outside
        self._inbox: deque[Delivery] = deque()
        self._mail_came: asyncio.Future[None] | None = None
        self._gates: dict[str, str] = {}

    def deliver(self, delivery: Delivery) -> None:
        """Take something in from outside the calls; it rides in the next turn."""
        self._inbox.append(delivery)
        if self._mail_came and not self._mail_came.done():
            self._mail_came.set_result(None)

    async def carry_out(self, outcomes: list[Outcome]) -> None:
        """Return when nothing more can happen before a timer is due."""
        calls: set[asyncio.Task[Outcome]] = set()
        try:
            while True:
                for record in await self._turn_with_mail(outcomes):
                    if isinstance(record, AttemptStarted):
                        calls.add(asyncio.create_task(self._counted(record)))
                if not calls and not self._inbox:
                    return
                done, calls = await self._next_of(calls)
                outcomes = [task.result() for task in done]
        finally:
            for call in calls:
                call.cancel()

    async def _turn_with_mail(self, outcomes: list[Outcome]) -> list[Record]:
        mail = [*self._inbox]
        self._inbox.clear()
        taken: list[Delivery] = []
        for delivery in mail:
            if outcome := delivery.outcome_for(self._state):
                outcomes.append(outcome)
                taken.append(delivery)
            else:
                delivery.drop()
        records = await self._turn(outcomes)
        for delivery in taken:
            delivery.take(is_taken=True)
        return records

    async def _next_of(
        self, calls: set[asyncio.Task[Outcome]]
    ) -> tuple[set[asyncio.Task[Outcome]], set[asyncio.Task[Outcome]]]:
        """Return the calls that have ended and those that have not, once one has or mail came."""
        if self._inbox:
            return set(), calls
        self._mail_came = asyncio.get_running_loop().create_future()
        awaited: set[asyncio.Future[Any]] = {*calls, self._mail_came}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        ended = {call for call in calls if call.done()}
        return ended, calls - ended

    async def _turn(self, outcomes: list[Outcome]) -> list[Record]:
        now = self._outside.clock.now_ms()
        state = self._state
        position, timers = state.position, state.timers()
        if self._outside.is_stopping:
            records = _note(state, outcomes, now)
        else:
            records = advance(self._plan, state, outcomes, now)
        if not records:
            return []
        told = await self._outside.outbox.of_end(self._account, self._new, state)
        turn = replace(_turn_of(self._plan, state, position, records, timers), told=told)
        await self._commit(turn)
        for path, instant_ms in turn.timers_set.items():
            timer = Timer(self._account, turn.execution_id, path, instant_ms)
            self._outside.waiting.on_timer(timer)
            # Only now: whoever is let in must find the timer that it waits for.
            if gate := self._gates.pop(path, None):
                self._outside.waiting.parking.park(gate, self._plan.name, timer)
        self._outside.on_turn(turn.execution_id)
        if state.final:
            self._outside.tally.ended[state.final.value] += 1
            self._outside.tally.dead += turn.is_dead
            self._outside.on_end(turn.execution_id)
        if told:
            self._outside.outbox.send(self._account, [told])
        return records

    async def _commit(self, turn: Turn) -> None:
        is_told = False
        while True:
            try:
                await self._outside.journal.commit_turn(self._account, turn)
            except Overloaded as exc:
                # What has happened outside cannot be taken back: it waits for room.
                if not is_told:
                    _log.warning("execution %s waits: %s", turn.execution_id, exc)
                is_told = True
                clock = self._outside.clock
                await clock.sleep_until(clock.now_ms() + PAUSE_AFTER_FAILURE_MS)
            else:
                return

    async def _counted(self, record: AttemptStarted) -> Outcome:
        outcome = await self._attempt(record)
        self._outside.tally.attempts[record.action, _KINDS[type(outcome)]] += 1
        return outcome

    async def _attempt(self, record: AttemptStarted) -> Outcome:
        path, attempt = record.path, record.attempt
        step = self._state.steps[path]
        node = self._plan.call(path)
        timeout_ms = node.timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                if found := await self._outside.cache.find(self._account, step.cache_key):
                    return AttemptSucceeded(path, attempt, found.value, is_cached=True)
                output = await self._outside.actions.perform(
                    self._account,
                    record.action,
                    step.input,
                    record.idempotency_key,
                    is_repeat=_may_repeat(step) or path in self._state.inherited,
                    origin=self._origin(step),
                    connection=node.connection,
                    spots=step.spots,
                )
        except NotNow as exc:
            return self._parked(record, exc)
        except RetryableError as exc:
            return AttemptFailed(path, attempt, str(exc), retry_after_ms=exc.retry_after_ms)
        except PermanentError as exc:
            return AttemptFailed(path, attempt, str(exc), is_permanent=True)
        except OutcomeUnknown as exc:
            return AttemptLost(path, attempt, str(exc))
        except TimeoutError:
            return AttemptLost(path, attempt, f"no answer within {timeout_ms} ms")
        except Exception as exc:  # noqa: BLE001 a bug in an action fails its step, nothing else
            _log.exception("action %s has a bug", record.action)
            error = f"a bug in {record.action}: {type(exc).__name__}: {exc}"
            return AttemptFailed(path, attempt, error, is_permanent=True)
        if cache := node.cache:
            await self._outside.cache.keep(self._account, step.cache_key, output, cache.ttl_ms)
        return AttemptSucceeded(path, attempt, output)

    def _origin(self, step: StepState) -> Origin:
        waited_ms = self._state.now_ms - (step.parked_at_ms or self._state.now_ms)
        return replace(
            origin_of(self._state.start),
            path=step.path,
            waits_since_ms=step.parked_at_ms,
            is_patient=waited_ms < PATIENCE_MS,
        )

    def _parked(self, record: AttemptStarted, exc: NotNow) -> AttemptParked:
        execution_id, path = self._state.start.execution_id, record.path
        now = self._outside.clock.now_ms()
        since = self._state.steps[path].parked_at_ms
        due = asks_at_ms(exc.until_ms, since, now, f"{execution_id}/{path}")
        self._gates[path] = exc.gate
        return AttemptParked(path, record.attempt, str(exc), due)


def _note(state: ExecutionState, outcomes: Iterable[Outcome], now_ms: int) -> list[Record]:
    records: list[Record] = []
    for outcome in outcomes:
        evolve(state, outcome, now_ms)
        records.append(outcome)
    return records


def _turn_of(
    plan: Plan,
    state: ExecutionState,
    position: int,
    records: list[Record],
    timers: dict[str, int],
) -> Turn:
    left = state.timers()
    return Turn(
        execution_id=state.start.execution_id,
        position=position,
        at_ms=state.now_ms,
        records=records,
        status=state.status,
        finished_at_ms=state.finished_at_ms,
        error=state.error,
        timers_set={path: due for path, due in left.items() if timers.get(path) != due},
        timers_cleared=[path for path in timers if path not in left],
        is_dead=state.final is FinalStatus.FAILED and plan.dead_letter and not state.by_stop,
    )


def _may_repeat(step: StepState) -> bool:
    return any(attempt.status is AttemptStatus.IN_DOUBT for attempt in step.attempts)
