"""
The executor: carries out what the interpreter decides.

An execution is in memory only while something of it is at work. When nothing
is in flight it is let go: its history and its timers are all that is left of it.

    start / due timer ─▶ ready ─▶ live ─▶ turn ─▶ commit ─▶ calls ─▶ outcomes ─┐
                                           ▲                                   │
                                           └───────────────────────────────────┘
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from oncue.core.errors import Conflict, NotFound
from oncue.core.workflow.records import AttemptLost, Outcome, TimerFired
from oncue.core.workflow.state import ExecutionState, begin
from oncue.engine.definitions import Definitions
from oncue.engine.live import LiveExecution, Outside
from oncue.ports import Actions, Clock, Journal, NewExecution, StoredExecution, Timer

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


class Executor:
    """Carries out the executions of all accounts."""

    def __init__(
        self, journal: Journal, definitions: Definitions, actions: Actions, clock: Clock
    ) -> None:
        self._journal = journal
        self._definitions = definitions
        self._outside = Outside(journal, actions, clock, lambda _: None)
        self._ready: deque[_Wake] = deque()
        self._live: dict[str, asyncio.Task[None]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def tell_timers(self, on_timer: Callable[[Timer], None]) -> None:
        """Call `on_timer` with each timer that was just written."""
        self._outside.on_timer = on_timer

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
        self._outside.is_stopping = True
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
        while self._ready and len(self._live) < MAX_LIVE and not self._outside.is_stopping:
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
        live = LiveExecution(wake.account, plan, state, self._outside)
        await live.carry_out(_outcomes(wake, state))


def _outcomes(wake: _Wake, state: ExecutionState) -> list[Outcome]:
    outcomes: list[Outcome] = []
    if wake.after_crash:
        error = "OnCue stopped while the attempt was in flight"
        outcomes += [
            AttemptLost(step.path, step.attempts[-1].attempt, error, by_crash=True)
            for step in state.calling.values()
        ]
    pending = state.timers()
    # A timer may be told twice, or after its step was ended by something else.
    outcomes += [
        TimerFired(timer.path) for timer in wake.timers if pending.get(timer.path) == timer.due_ms
    ]
    return outcomes
