"""
The executor: carries out what the interpreter decides.

An execution is in memory only while something of it is at work. Each turn is
one commit; only then are its commands carried out, so whatever acts outside
was written down before. When nothing is in flight the execution is let go: its
history and its timers are all that is left of it.

    start / due timer ─▶ ready ─▶ turn ─▶ commit ─▶ calls ─▶ outcomes ─┐
                                    ▲                                  │
                                    └──────────────────────────────────┘
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from oncue.core.errors import (
    Conflict,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    PermanentError,
    RetryableError,
)
from oncue.core.workflow.machine import advance, evolve
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.records import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    Outcome,
    Record,
    TimerFired,
)
from oncue.core.workflow.state import (
    AttemptStatus,
    ExecutionState,
    StepState,
    begin,
)
from oncue.engine.definitions import Definitions
from oncue.ports import Actions, Clock, Journal, NewExecution, StoredExecution, Timer, Turn

_log = logging.getLogger(__name__)

MAX_LIVE = 256
"""Executions at work at once. Others wait undecided, so that a crash leaves nothing in doubt."""
GRACE_S = 5.0
"""How long a stop waits for answers that are on their way."""


@dataclass(slots=True)
class _Wake:
    """An execution that has something to do, and where to take it from."""

    account: str
    execution_id: str
    stored: StoredExecution | None = None
    timers: list[Timer] = field(default_factory=list)
    after_crash: bool = False


@dataclass(slots=True)
class _Live:
    """An execution at work."""

    account: str
    plan: Plan
    state: ExecutionState
    calls: set[asyncio.Task[Outcome]] = field(default_factory=set)


class Executor:
    """Carries out the executions of all accounts."""

    def __init__(
        self, journal: Journal, definitions: Definitions, actions: Actions, clock: Clock
    ) -> None:
        self._journal = journal
        self._definitions = definitions
        self._actions = actions
        self._clock = clock
        self._ready: deque[_Wake] = deque()
        self._live: dict[str, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.on_timer: Callable[[Timer], None] = lambda _: None

    def start(self, account: str, new: NewExecution) -> None:
        """Begin an execution that was just written."""
        stored = StoredExecution(new, begin(new.start))
        self._add(_Wake(account, new.start.execution_id, stored))

    def fire(self, timer: Timer) -> None:
        """Tell an execution that an instant it waits for has come."""
        self._add(_Wake(timer.account, timer.execution_id, timers=[timer]))

    async def recover(self) -> None:
        """Take up what was at work when we died."""
        for account, stored in await self._journal.unfinished():
            self._add(_Wake(account, stored.new.start.execution_id, stored, after_crash=True))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is at work."""
        return self._idle.is_set()

    async def idle(self) -> None:
        """Return when nothing is at work."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Begin nothing more, wait a little for answers, and write them down."""
        self._is_stopping = True
        tasks = list(self._live.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _add(self, wake: _Wake) -> None:
        self._ready.append(wake)
        self._idle.clear()
        self._fill()

    def _fill(self) -> None:
        held: list[_Wake] = []
        while self._ready and len(self._live) < MAX_LIVE and not self._is_stopping:
            wake = self._ready.popleft()
            # One at a time: a timer may come due while its execution is still at work.
            if wake.execution_id in self._live:
                held.append(wake)
                continue
            task = asyncio.create_task(self._run(wake), name=wake.execution_id)
            self._live[wake.execution_id] = task
        self._ready.extend(held)
        if not self._live and not self._ready:
            self._idle.set()

    async def _run(self, wake: _Wake) -> None:
        try:
            await self._work(wake)
        except (NotFound, Conflict):
            _log.exception("execution %s is not what it was", wake.execution_id)
        finally:
            del self._live[wake.execution_id]
            self._fill()

    async def _work(self, wake: _Wake) -> None:
        stored = wake.stored or await self._journal.load(wake.account, wake.execution_id)
        new, state = stored.new, stored.state
        plan = await self._definitions.plan(wake.account, new.workflow_id, new.version)
        live = _Live(wake.account, plan, state)
        try:
            await self._carry_out(live, _outcomes(wake, state))
        finally:
            for call in live.calls:
                call.cancel()

    async def _carry_out(self, live: _Live, outcomes: list[Outcome]) -> None:
        while True:
            for record in await self._turn(live, outcomes):
                if isinstance(record, AttemptStarted):
                    live.calls.add(asyncio.create_task(self._attempt(live, record)))
            if not live.calls:
                return
            done, live.calls = await asyncio.wait(
                live.calls, return_when=asyncio.FIRST_COMPLETED
            )
            outcomes = [task.result() for task in done]

    async def _turn(self, live: _Live, outcomes: list[Outcome]) -> list[Record]:
        now = self._clock.now_ms()
        state = live.state
        position, timers = state.position, state.timers()
        if self._is_stopping:
            records = _note(state, outcomes, now)
        else:
            records = advance(live.plan, state, outcomes, now)
        if not records:
            return []
        turn = _turn_of(state, position, records, timers)
        await self._commit(live.account, turn)
        for path, due_ms in turn.timers_set.items():
            self.on_timer(Timer(live.account, turn.execution_id, path, due_ms))
        return records

    async def _commit(self, account: str, turn: Turn) -> None:
        while True:
            try:
                await self._journal.commit_turn(account, turn)
            except Overloaded as exc:
                # What has happened outside cannot be taken back: it waits for room.
                _log.warning("execution %s waits: %s", turn.execution_id, exc)
                await self._clock.sleep_until(self._clock.now_ms() + exc.retry_after_s * 1_000)
            else:
                return

    async def _attempt(self, live: _Live, record: AttemptStarted) -> Outcome:
        path, attempt = record.path, record.attempt
        step = live.state.steps[path]
        timeout_ms = live.plan.timeout_ms(path)
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                output = await self._actions.perform(
                    live.account,
                    record.action,
                    step.input,
                    record.idempotency_key,
                    is_repeat=_may_repeat(step),
                )
        except RetryableError as exc:
            return AttemptFailed(path, attempt, str(exc), retry_after_ms=exc.retry_after_ms)
        except PermanentError as exc:
            return AttemptFailed(path, attempt, str(exc), is_permanent=True)
        except OutcomeUnknown as exc:
            return AttemptLost(path, attempt, str(exc))
        except TimeoutError:
            return AttemptLost(path, attempt, f"no answer within {timeout_ms} ms")
        except Exception as exc:
            _log.exception("action %s has a bug", record.action)
            error = f"a bug in {record.action}: {type(exc).__name__}: {exc}"
            return AttemptFailed(path, attempt, error, is_permanent=True)
        return AttemptSucceeded(path, attempt, output)


def _outcomes(wake: _Wake, state: ExecutionState) -> list[Outcome]:
    outcomes: list[Outcome] = []
    if wake.after_crash:
        error = "OnCue stopped while the attempt was in flight"
        outcomes += [
            AttemptLost(step.path, step.attempts[-1].attempt, error, by_crash=True)
            for step in state.calls()
        ]
    pending = state.timers()
    # A timer may be told twice, or after its step was ended by something else.
    outcomes += [
        TimerFired(timer.path)
        for timer in wake.timers
        if pending.get(timer.path) == timer.due_ms
    ]
    return outcomes


def _note(state: ExecutionState, outcomes: Iterable[Outcome], now_ms: int) -> list[Record]:
    records: list[Record] = []
    for outcome in outcomes:
        evolve(state, outcome, now_ms)
        records.append(outcome)
    return records


def _turn_of(
    state: ExecutionState, position: int, records: list[Record], timers: dict[str, int]
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
    )


def _may_repeat(step: StepState) -> bool:
    return any(attempt.status is AttemptStatus.IN_DOUBT for attempt in step.attempts)
