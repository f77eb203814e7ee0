"""
The matcher of an account: folds its log over the patterns, a run of records at a time.

Committed together: how far it decided, the matches it found, and the executions
they start. After a crash it reads on from there; what it decides again has the
ids that it had before.

When the log is quiet and something is due, it writes a tick: a record that says
what time it is. Nothing but a record moves time for patterns, so that reading
the log again decides the same.
"""

from oncue.core.pattern.watch import Watch
from oncue.engine.alarm import Alarm
from oncue.engine.decisions import Decisions
from oncue.engine.loop import Loop
from oncue.engine.pauses import PauseBook
from oncue.engine.reached import Reached
from oncue.engine.reading import Reading, Readings
from oncue.engine.saving import Saving
from oncue.ports import Clock, EventLog


class MatchLoop(Loop):
    """Matches the log of one account."""

    def __init__(
        self,
        account: str,
        log: EventLog,
        readings: Readings,
        decisions: Decisions,
        clock: Clock,
        pauses: PauseBook,
    ) -> None:
        super().__init__(f"matcher of {account}", clock)
        self._account = account
        self._log = log
        self._readings = readings
        self._decisions = decisions
        self._pauses = pauses
        self._saving = Saving(account, readings)
        self._alarm = Alarm(clock, self.wake, "tick")
        self._reading: Reading | None = None
        self._in_view: Reading | None = None
        """The same to look at, also while it changes."""
        self.matches = 0
        self.reached = Reached()
        self.read = Reached()
        """How far it was read since the start, what was decided before included."""

    async def recover(self) -> None:
        """Take up the account where it was left."""
        self._reading = self._in_view = await self._readings.take_up(self._account)

    async def stop(self) -> None:
        """End, and write down what is remembered, so that the next start finds it."""
        self._alarm.stop()
        await super().stop()
        await self._saving.finish(self._reading)

    def watch(self, pattern_id: str) -> Watch | None:
        """Return a pattern as it is being matched, to look at."""
        return self._in_view.matcher.watches.get(pattern_id) if self._in_view else None

    def where_errors(self, pattern_id: str) -> int:
        """Return how often a `where` met a value that it cannot take, since the start."""
        return self._in_view.matcher.index.errors[pattern_id] if self._in_view else 0

    def next_tick_ms(self) -> int | None:
        """Return the instant at which something will be due though nothing comes."""
        return self._reading.matcher.agenda.next_tick_ms() if self._reading else None

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is due now."""
        due_ms = self.next_tick_ms()
        return super().is_asleep and (due_ms is None or due_ms > self._clock.now_ms())

    @property
    def unmatched(self) -> int:
        """How many records of the log were not read yet."""
        return self._log.head(self._account) - self._reading.cursor if self._reading else 0

    async def _turn(self) -> bool:
        # Nobody's while it changes: what was decided and not written is forgotten, and
        # decided again from the journal.
        reading, self._reading = self._reading, None
        if reading is None:
            reading = await self._readings.take_up(self._account)
        self._in_view = reading
        if reading.cursor < self._log.head(self._account):
            await self._read_on(reading)
        self._reading = reading
        self.reached.tell(reading.committed)
        self.read.tell(reading.cursor)
        self._saving.consider(reading)
        if reading.cursor < self._log.head(self._account):
            return True
        await self._tick(reading)
        return reading.cursor < self._log.head(self._account)

    async def _read_on(self, reading: Reading) -> None:
        before = reading.committed
        decided = await self._readings.read_on(self._account, reading)
        if reading.cursor > before:
            self.matches += await self._decisions.commit(self._account, reading, decided)
            reading.committed = reading.cursor
            if decided.failures:
                await self._pauses.consider(self._account, decided.failures)

    async def _tick(self, reading: Reading) -> None:
        """Say what time it is if something is due; else wait for that."""
        due_ms = reading.matcher.agenda.next_tick_ms()
        if due_ms is not None and due_ms <= self._clock.now_ms():
            await self._log.append_tick(self._account)
        else:
            self._alarm.set(due_ms)
