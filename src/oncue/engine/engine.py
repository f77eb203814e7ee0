"""The embedded engine: matcher, executor, timers and schedules over one store."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.callbacks import Callbacks
from oncue.core.dead_letters import Queue
from oncue.core.errors import Conflict
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.core.workflow.compile import Library
from oncue.core.workflow.records import CalledBack, CancelRequested
from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.alerts import Alerts
from oncue.engine.applying import Applying
from oncue.engine.archiving import Archiving
from oncue.engine.backtests import Backtests
from oncue.engine.brought import Belongings
from oncue.engine.built_ins import BuiltIns
from oncue.engine.by_hand import HandStarts
from oncue.engine.connected import Connected
from oncue.engine.connection_book import ConnectionBook
from oncue.engine.dead_letters import DeadLetters
from oncue.engine.decisions import Decisions
from oncue.engine.definitions import Checks, Definitions
from oncue.engine.execute import Executor
from oncue.engine.explanations import Explanations
from oncue.engine.hook_book import HookBook
from oncue.engine.hook_outcomes import HookOutcomes
from oncue.engine.hook_receiver import HookReceiver
from oncue.engine.hook_secrets import HookSecrets
from oncue.engine.ingest import Ingest
from oncue.engine.kept_secrets import KeptSecrets
from oncue.engine.live import Waiting
from oncue.engine.loop import Loop
from oncue.engine.match import MatchLoop
from oncue.engine.match_lanes import MatchLanes
from oncue.engine.missing import Missing
from oncue.engine.outbox import Outbox
from oncue.engine.outcomes import Outcomes
from oncue.engine.parking import Parking
from oncue.engine.patterns import PatternChecks, PatternDefinitions
from oncue.engine.pauses import PauseBook
from oncue.engine.poll_asking import PollAsking
from oncue.engine.poll_loop import PollLoop
from oncue.engine.poll_trials import PollTrials
from oncue.engine.quotas import QuotaGuard
from oncue.engine.reading import Readings
from oncue.engine.redriving import Redriving
from oncue.engine.rehearsals import Rehearsals
from oncue.engine.replays import Replays
from oncue.engine.rotation import Rotation
from oncue.engine.schedule_book import ScheduleBook
from oncue.engine.schedule_loop import ScheduleLoop
from oncue.engine.secret_book import SecretBook
from oncue.engine.signals import Signals
from oncue.engine.standing import Books
from oncue.engine.starts import Starts
from oncue.engine.tally import Numbers
from oncue.engine.timers import TimerLoop
from oncue.engine.variable_book import VariableBook
from oncue.ports import (
    Accounts,
    Actions,
    Answers,
    Catalog,
    Checkpoints,
    Clock,
    Disk,
    EventLog,
    EventQuestions,
    History,
    Hooks,
    Journal,
    KeyValues,
    Letters,
    Patterns,
    Pauses,
    Redrives,
    Schedules,
    Shelf,
    StoredExecution,
    Timer,
    Variables,
    WorkflowVersion,
)


@dataclass(frozen=True, slots=True)
class World:
    """All that the engine touches."""

    clock: Clock
    disk: Disk
    log: EventLog
    archiving: Archiving
    journal: Journal
    checkpoints: Checkpoints
    history: History
    letters: Letters
    redrives: Redrives
    pauses: Pauses
    accounts: Accounts
    catalog: Catalog
    patterns: Patterns
    hooks: Hooks
    schedules: Schedules
    keys: KeyValues
    answers: Answers
    actions: Actions
    library: Library
    fresh_id: Callable[[str], str]
    fresh_secret: Callable[[], str]
    callbacks: Callbacks
    connected: Connected
    gates: Gates
    questions: EventQuestions
    polls: EventQuestions
    """Those that nobody waits for: they take no place from the others."""
    secrets: KeptSecrets
    variables: Variables
    shelf: Shelf
    built_in: Sequence[Json] = ()
    """Workflows that every account is given."""


MAX_KEYS_PER_ACCOUNT: Final = 2_000_000


class Engine:
    """Events in, executions out."""

    def __init__(
        self,
        world: World,
        *,
        max_steps: int = 100,
        max_keys: int = MAX_KEYS_PER_ACCOUNT,
        checks_connections: bool = True,
    ) -> None:
        self._world = world
        self.quotas = QuotaGuard(world.accounts, world.log, world.history, world.clock)
        self.ingest = Ingest(world.log, self.quotas, world.fresh_id)
        self.hooks = HookBook(
            world.hooks,
            HookSecrets(world.connected, world.fresh_secret),
            world.clock,
            world.fresh_id,
            world.callbacks.public_url,
        )
        self.hook_receiver = HookReceiver(self.hooks, world.accounts, self.ingest, world.clock)
        self.active_patterns = ActivePatterns(world.patterns)
        self.patterns = PatternDefinitions(
            world.patterns,
            self.active_patterns,
            PatternChecks(
                world.catalog, PollTrials(self.active_patterns, world.log, world.questions)
            ),
            world.log,
            world.clock,
            world.fresh_id,
        )
        self.firing = ScheduleLoop(world.schedules, world.log, world.clock)
        self.schedules = ScheduleBook(
            world.schedules, world.accounts, world.clock, world.fresh_id, self.firing.wake
        )
        self.definitions = Definitions(
            world.catalog,
            Belongings(self.patterns, self.schedules, self.hooks),
            world.clock,
            world.fresh_id,
            Checks(world.library, max_steps, world.connected if checks_connections else None),
        )
        self.connections = ConnectionBook(
            world.connected, self.definitions, world.clock, world.fresh_id
        )
        self._outbox = Outbox(world.log, world.journal, self.active_patterns.audience, world.clock)
        self._timers = TimerLoop(world.journal, world.clock, self._fire)
        self.parking = Parking(world.gates, world.clock, self._fire)
        self.secrets = SecretBook(world.secrets, self.definitions, world.clock)
        self.variables = VariableBook(world.variables, self.definitions, world.clock)
        self.missing = Missing(world.actions, world.secrets, self.variables)
        books = Books(
            world.catalog,
            world.patterns,
            world.connected,
            self.variables,
            self.secrets,
            self.connections,
            self.definitions,
            self.patterns,
            self.schedules,
            self.hooks,
        )
        self.applying = Applying(books, world.shelf, self.quotas, world.fresh_id)
        self.rotation = Rotation(world.accounts, world.connected, world.secrets, self.hooks)
        self._executor = Executor(
            world.journal,
            self.definitions,
            world.actions,
            world.keys,
            self._outbox,
            world.clock,
            Waiting(self._timers.add, self.parking),
        )
        self.built_ins = BuiltIns(world.built_in, self.definitions, world.catalog)
        self.alerts = Alerts(
            self.built_ins, self.definitions, self.variables, world.actions, world.library
        )
        starts = Starts(
            self.definitions, self.variables, self.alerts.connected, world.clock, world.callbacks
        )
        self._outcomes = Outcomes(self.definitions, starts, self.quotas)
        readings = Readings(
            world.log, world.journal, world.checkpoints, self.active_patterns, max_keys
        )
        decisions = Decisions(
            world.log, world.journal, self._outcomes, self._outbox, self._executor.start
        )
        self.pauses = PauseBook(world.pauses, world.patterns, self.patterns, world.clock)
        self.matching = MatchLanes(
            lambda account: MatchLoop(
                account,
                world.log,
                readings,
                decisions,
                world.clock,
                self.pauses,
            )
        )
        self.polling = PollLoop(
            self.active_patterns,
            world.log,
            PollAsking(world.log, world.accounts, world.polls, world.clock, self.matching),
            world.clock,
        )
        self.active_patterns.subscribe(self.polling.take)
        self.backtests = Backtests(world.log)
        self.explanations = Explanations(
            self.active_patterns, world.log, world.journal, world.history
        )
        self.hook_outcomes = HookOutcomes(
            self.matching, self.explanations, self.finished, world.log, world.clock
        )
        self.signals = Signals(world.journal, self._executor)
        self.replays = Replays(
            world.journal,
            starts,
            self.quotas,
            world.fresh_id,
            self._executor.start,
        )
        self.dead_letters = DeadLetters(
            world.letters, world.log, world.patterns, self.replays, world.clock
        )
        self.redriving = Redriving(world.redrives, self.dead_letters, world.clock, world.fresh_id)
        self._hand_starts = HandStarts(
            world.journal, world.log, starts, world.clock, world.fresh_id
        )
        self.rehearsals = Rehearsals(
            self.definitions,
            self._hand_starts,
            world.journal,
            world.actions,
            world.library,
            world.clock,
        )

    @property
    def _loops(self) -> tuple[Loop | MatchLanes, ...]:
        return (
            self.firing,
            self.polling,
            self.matching,
            self._timers,
            self.parking,
            self.redriving,
            self._outbox,
        )

    def _fire(self, timer: Timer) -> None:
        self._executor.fire(timer)

    async def start(self) -> None:
        """Take up what was left, and go on."""
        self._world.log.subscribe(self.matching.notify)
        await self.patterns.announce_rest()
        await self.pauses.recover()
        await self.matching.recover(await self._world.accounts.ids())
        await self._executor.recover()
        await self._outbox.recover()
        await self.schedules.realign()
        await self.polling.recover(await self._world.accounts.ids())
        self.matching.start()
        self._timers.start()
        self._outbox.start()
        self.firing.start()
        self.polling.start()
        self.parking.start()
        self.redriving.start()
        for account in await self._world.accounts.ids():
            await self.built_ins.give(account)

    async def stop(self) -> None:
        """Begin nothing more; write down the answers that are on their way."""
        await self.firing.stop()
        await self.polling.stop()
        await self.matching.stop()
        await self._timers.stop()
        await self.parking.stop()
        await self.redriving.stop()
        await self._executor.stop()
        await self._outbox.stop()

    async def execute(
        self, account: str, workflow: WorkflowVersion, body: Json, key: str | None = None
    ) -> str:
        """
        Return the id of an execution that is begun by hand; with a `key` once only.

        Raises:
            InvalidInput: the body is none of the three forms.
            NotFound: there is no event of that id.
            Conflict: the key came with another request.
            QuotaExceeded: the account had as many as it may.
        """
        await self.quotas.admit_execution(account)
        new, is_first = await self._hand_starts.start(account, workflow, body, key)
        if is_first:
            self._executor.start(account, new)
        return new.start.execution_id

    async def finished(self, account: str, execution_id: str, timeout_ms: int) -> StoredExecution:
        """
        Return an execution once it has ended, or as it is after `timeout_ms`.

        Raises:
            NotFound: this account has none of that id.
        """
        end = self._executor.ends.of(execution_id)
        stored = await self._world.journal.load(account, execution_id)
        if not stored.state.final:
            clock = self._world.clock
            late = asyncio.create_task(clock.sleep_until(clock.now_ms() + timeout_ms))
            await asyncio.wait({end, late}, return_when=asyncio.FIRST_COMPLETED)
            late.cancel()
            stored = await self._world.journal.load(account, execution_id)
        end.cancel()
        return stored

    def moved(self, execution_id: str) -> asyncio.Future[None]:
        """Return what is done after the next turn of an execution; cancel it if nobody waits."""
        return self._executor.turns.of(execution_id)

    async def cancel(self, account: str, execution_id: str, reason: str) -> None:
        """
        Return when it is written down that an execution is cancelled.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it has ended already.
        """
        await self._world.journal.load(account, execution_id)
        if not await self._executor.tell(account, execution_id, CancelRequested(reason)):
            raise Conflict(f"expected an open execution, got {execution_id!r}, which has ended")

    async def call_back(self, account: str, execution_id: str, path: str, data: Json) -> None:
        """
        Return when it is written down that somebody called back.

        Raises:
            NotFound: this account has none of that id.
            Conflict: the step does not wait for that, or not any more.
        """
        await self._world.journal.load(account, execution_id)
        if not await self._executor.tell(account, execution_id, CalledBack(path, data)):
            raise Conflict(f"expected a step that waits for a callback, got {path!r}")

    def numbers(self) -> Numbers:
        """Return what happened since the start and is under way now."""
        tally = self._executor.tally
        return Numbers(
            events=self.ingest.accepted,
            duplicates=self.ingest.duplicates,
            matches=self.matching.matches,
            started=tally.started,
            ended=tally.ended,
            attempts=tally.attempts,
            dead=Counter(
                {Queue.EVENTS.value: self.pauses.failures, Queue.WORKFLOWS.value: tally.dead}
            ),
            paused=self.pauses.count,
            unmatched=self.matching.unmatched,
            live=len(tally.live),
            ready=len(tally.ready),
            timers=self._timers.count,
            emitted=self._outbox.emitted,
            loops=self._outcomes.loops,
            fired=self.firing.fired,
            missed=self.firing.missed,
            polls=self.polling.asking.counts,
            parked=self.parking.count,
            circuits_open=self.parking.circuits_open,
        )

    async def settled(self) -> None:
        """Return when nothing happens any more before the clock or the world moves."""
        while not self._is_settled:
            await asyncio.sleep(0)
            for loop in self._loops:
                await loop.asleep()
            await self._executor.idle()
            await self._outbox.asleep()

    @property
    def _is_settled(self) -> bool:
        return self._executor.is_idle and all(loop.is_asleep for loop in self._loops)
