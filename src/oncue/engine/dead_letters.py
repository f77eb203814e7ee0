"""Dead letters tried again: an execution goes on, or a pattern sees an event once more."""

from collections import Counter

from oncue.core.dead_letters import LetterState, Queue
from oncue.core.errors import Conflict, NotFound
from oncue.engine.replays import Replays, VersionChoice
from oncue.ports import Clock, DeadLetter, EventLog, Letters, Patterns


class DeadLetters:
    """The dead letters of all accounts."""

    def __init__(
        self,
        letters: Letters,
        log: EventLog,
        patterns: Patterns,
        replays: Replays,
        clock: Clock,
    ) -> None:
        self._letters = letters
        self._log = log
        self._patterns = patterns
        self._replays = replays
        self._clock = clock
        self.redriven: Counter[str] = Counter()
        """How many were tried again since the start, by queue."""

    async def redrive(
        self, account: str, letter_id: str, version: VersionChoice = VersionChoice.PINNED
    ) -> DeadLetter:
        """
        Return a dead letter that is tried again.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it is not open, is of no event, or its pattern sees none now.
            QuotaExceeded: the account had as many executions as it may.
        """
        letter = await self._letters.letter(account, letter_id)
        if letter.state is not LetterState.OPEN:
            state = letter.state.value
            raise Conflict(f"expected an open dead letter, got {letter_id!r}, which is {state}")
        if letter.queue is Queue.WORKFLOWS:
            await self._replays.redrive(account, letter, version)
        else:
            await self._show_again(account, letter)
        self.redriven[letter.queue.value] += 1
        return await self._letters.letter(account, letter_id)

    async def _show_again(self, account: str, letter: DeadLetter) -> None:
        event = await self._letters.event(account, letter.id)
        if event is None:
            raise Conflict(
                f"expected a dead letter with an event, got {letter.id!r}: time alone made the"
                " pattern fail, so there is nothing to show to it again"
            )
        await self._check_sees(account, letter)
        # Told twice, after a crash in between, it is one record.
        await self._log.append_redriven(account, letter.id, letter.origin_id, event)
        await self._letters.shown_again(account, letter.id, self._clock.now_ms())

    async def _check_sees(self, account: str, letter: DeadLetter) -> None:
        try:
            pattern = await self._patterns.current(account, letter.origin_id)
        except NotFound as exc:
            raise Conflict(
                f"expected pattern {letter.origin!r} to see it, which was deleted"
            ) from exc
        if not pattern.is_active:
            raise Conflict(
                f"expected pattern {pattern.name!r} to see it, which is paused or disabled:"
                " resume it first"
            )
