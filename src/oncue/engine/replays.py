"""Executions that go on from others: replayed by hand, or redriven from dead letters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

from oncue.core.errors import Conflict
from oncue.core.ids import derived_id
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.records import Record
from oncue.core.workflow.replay import replayed, resumed
from oncue.engine.quotas import QuotaGuard
from oncue.engine.starts import Starts
from oncue.ports import (
    DeadLetter,
    Journal,
    NewExecution,
    Replay,
    StoredExecution,
)


class VersionChoice(StrEnum):
    """Which version of its workflow another execution runs."""

    PINNED = "pinned"
    """The one that the first ran."""
    LATEST = "latest"
    """The current one."""


class Replays:
    """Starts executions that take over what others came to."""

    def __init__(
        self,
        journal: Journal,
        starts: Starts,
        quotas: QuotaGuard,
        fresh_id: Callable[[str], str],
        on_started: Callable[[str, NewExecution], None],
    ) -> None:
        self._journal = journal
        self._definitions = starts.definitions
        self._starts = starts
        self._quotas = quotas
        self._fresh_id = fresh_id
        self._on_started = on_started

    async def replay(
        self, account: str, execution_id: str, begin: str, version: VersionChoice
    ) -> str:
        """
        Return the id of an execution that begins anew at a step of another.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it has not ended.
            InvalidInput: it cannot begin there.
            QuotaExceeded: the account had as many as it may.
        """
        stored = await self._journal.load(account, execution_id)
        if not stored.state.final:
            raise Conflict(f"expected an execution that has ended, got {execution_id!r}")
        wanted, before, plan = await self._plans(account, stored, version)
        records = replayed(before, plan, stored.state, begin)
        like = _like(stored, "replay", wanted)
        new = await self._again(account, like, self._fresh_id("exe"), records)
        return await self._begin(account, Replay(new, records, is_anew=True))

    async def redrive(self, account: str, letter: DeadLetter, version: VersionChoice) -> None:
        """
        Go on with the execution of an open dead letter, from where it failed.

        Raises:
            Conflict: it is not open any more.
            QuotaExceeded: the account had as many as it may.
        """
        assert letter.execution_id is not None
        stored = await self._journal.load(account, letter.execution_id)
        wanted, before, plan = await self._plans(account, stored, version)
        records = resumed(before, plan, stored.state)
        like = _like(stored, "redrive", wanted)
        begun_id = derived_id("exe", letter.created_at_ms, [letter.id])
        new = await self._again(account, like, begun_id, records)
        await self._begin(account, Replay(new, records, letter_id=letter.id))

    async def _plans(
        self, account: str, stored: StoredExecution, version: VersionChoice
    ) -> tuple[int, Plan, Plan]:
        """Return the version to run, and the plans of the one before and of that one."""
        new, wanted = stored.new, stored.new.version
        if version is VersionChoice.LATEST:
            wanted = (await self._definitions.current(account, new.workflow_id)).version
        before = await self._definitions.plan(account, new.workflow_id, new.version)
        return wanted, before, await self._definitions.plan(account, new.workflow_id, wanted)

    async def _again(
        self, account: str, new: NewExecution, execution_id: str, records: Sequence[Record]
    ) -> NewExecution:
        workflow = (new.workflow_id, new.version)
        start = await self._starts.again(account, execution_id, workflow, new.start)
        return replace(new, start=replace(start, reused=len(records)))

    async def _begin(self, account: str, replay: Replay) -> str:
        await self._quotas.admit_execution(account)
        begun = await self._journal.start_replay(account, replay)
        self._on_started(account, begun)
        return begun.start.execution_id


def _like(stored: StoredExecution, kind: str, version: int) -> NewExecution:
    """Return an execution of the same occasion, which says of which it is a repeat."""
    new = stored.new
    trigger = replace(new.trigger, kind=kind, execution_id=new.start.execution_id)
    return replace(new, version=version, trigger=trigger)
