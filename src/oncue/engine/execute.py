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
from collections import Counter
from dataclasses import dataclass

from oncue.core.errors import Conflict, NotFound
from oncue.core.workflow.records import (
    AttemptLost,
    CalledBack,
    CancelRequested,
    DoubtResolved,
    Outcome,
)
from oncue.core.workflow.state import ExecutionState, begin
from oncue.engine.awaited import Awaited
from oncue.engine.definitions import Definitions
from oncue.engine.fair_queue import FairQueue
from oncue.engine.live import Delivery, LiveExecution, Outside, Waiting
from oncue.engine.outbox import Outbox
from oncue.engine.pace import Pace
from oncue.engine.step_cache import StepCache
from oncue.engine.tally import Tally
from oncue.ports import Actions, Clock, Journal, KeyValues, NewExecution, StoredExecution, Timer

_log = logging.getLogger(__name__)

MAX_LIVE = 512
"""Executions at work at once. Others wait undecided, so that a crash leaves nothing in doubt."""
MAX_SHARE = 256
"""Of these, those of one account: whoever waits for slow vendors leaves room for the others."""
STARTS_PER_TURN = 16
"""Executions taken up in one turn of the event loop: two milliseconds of it."""
GRACE_S = 5.0
"""How long a stop waits for answers that are on their way."""


@dataclass(slots=True)
class _Wake:
    """An execution that has something to do, and where to take it from."""

    account: str
    execution_id: str
    stored: StoredExecution | None = None
    delivery: Delivery | None = None
    after_crash: bool = False


class Executor:
    """Carries out the executions of all accounts."""

    def __init__(  # noqa: PLR0913 what executions touch
        self,
        journal: Journal,
        definitions: Definitions,
        actions: Actions,
        keys: KeyValues,
        outbox: Outbox,
        clock: Clock,
        waiting: Waiting,
    ) -> None:
        self._journal = journal
        self._definitions = definitions
        self.turns, self.ends = Awaited(), Awaited()
        self._ready: FairQueue[_Wake] = FairQueue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._shares: Counter[str] = Counter()
        self.tally = Tally(self._tasks, self._ready)
        self._outside = Outside(
            journal=journal,
            actions=actions,
            cache=StepCache(keys),
            outbox=outbox,
            clock=clock,
            tally=self.tally,
            waiting=waiting,
            on_turn=self.turns.tell,
            on_end=self.ends.tell,
        )
        self._live: dict[str, LiveExecution] = {}
        self._pace = Pace(STARTS_PER_TURN, self._fill)
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self, account: str, new: NewExecution) -> None:
        """Begin an execution that was just written."""
        self.tally.started += 1
        # What it takes over of another stands in the journal.
        stored = None if new.start.reused else StoredExecution(new, begin(new.start))
        self._add(_Wake(account, new.start.execution_id, stored))

    def fire(self, timer: Timer) -> None:
        """Tell an execution that an instant it waits for has come."""
        self._deliver(timer.account, timer.execution_id, Delivery(timer))

    async def tell(
        self, account: str, execution_id: str, outcome: CancelRequested | CalledBack | DoubtResolved
    ) -> bool:
        """Return whether the execution took an outcome, which is then written down."""
        delivery = Delivery(outcome, asyncio.get_running_loop().create_future())
        self._deliver(account, execution_id, delivery)
        return await delivery.taken()

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
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _deliver(self, account: str, execution_id: str, delivery: Delivery) -> None:
        if live := self._live.get(execution_id):
            live.deliver(delivery)
        else:
            self._add(_Wake(account, execution_id, delivery=delivery))

    def _add(self, wake: _Wake) -> None:
        self._ready.put(wake.account, wake)
        self._idle.clear()
        self._fill()

    def _fill(self) -> None:
        held: list[_Wake] = []
        while self._pace.has_room and len(self._tasks) < MAX_LIVE and not self._outside.is_stopping:
            wake = self._ready.take(lambda account: self._shares[account] < MAX_SHARE)
            if wake is None:
                break
            # One at a time: it may have come while its execution was being loaded.
            if wake.execution_id in self._tasks:
                held.append(wake)
                continue
            self._pace.step()
            task = asyncio.create_task(self._run(wake), name=wake.execution_id)
            self._tasks[wake.execution_id] = task
            self._shares[wake.account] += 1
        for wake in held:
            self._ready.put(wake.account, wake)
        if not self._tasks and not self._ready:
            self._idle.set()

    async def _run(self, wake: _Wake) -> None:
        try:
            await self._work(wake)
        except (NotFound, Conflict):
            _log.exception("execution %s is not what it was", wake.execution_id)
        finally:
            if wake.delivery:
                wake.delivery.drop()
            self._live.pop(wake.execution_id, None)
            del self._tasks[wake.execution_id]
            self._shares[wake.account] -= 1
            self._fill()

    async def _work(self, wake: _Wake) -> None:
        stored = wake.stored or await self._journal.load(wake.account, wake.execution_id)
        new, state = stored.new, stored.state
        plan = await self._definitions.plan(wake.account, new.workflow_id, new.version)
        live = LiveExecution(wake.account, plan, stored, self._outside)
        if wake.delivery:
            live.deliver(wake.delivery)
        self._live[wake.execution_id] = live
        await live.carry_out(_lost(state) if wake.after_crash else [])


def _lost(state: ExecutionState) -> list[Outcome]:
    """Return what a crash makes of the calls that were in flight."""
    error = "OnCue stopped while the attempt was in flight"
    return [
        AttemptLost(step.path, step.attempts[-1].attempt, error, by_crash=True)
        for step in state.calling.values()
    ]
