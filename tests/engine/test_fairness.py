"""What one account does holds up nobody else."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from oncue.core.json_text import Json
from oncue.engine.engine import Engine
from oncue.engine.execute import STARTS_PER_TURN
from oncue.ports import (
    Account,
    ExecutionFilter,
    ExecutionSummary,
    Followed,
    MatchedRun,
)
from oncue.store.sqlite.history import SqliteHistory
from oncue.store.sqlite.journal import SqliteJournal
from tests.installation import ACCOUNT, installed
from tests.make import make_call, make_document

OTHER = "acc_other"
EVENT: Json = {"type": "user.signup"}
PATIENCE_S = 30


class HoldingJournal(SqliteJournal):
    """Takes in no matches of the other account, and does not say so."""

    async def commit_matches(self, account: str, run: MatchedRun) -> Followed:
        if account == OTHER:
            await asyncio.Event().wait()
        return await super().commit_matches(account, run)


def test_a_turn_of_the_matcher_that_takes_long_is_waited_for_by_its_account_only(
    tmp_path: Path,
) -> None:
    async def main() -> list[str]:
        async with installed(tmp_path) as world:
            await world.engine.stop()
            journal = HoldingJournal(tmp_path / "holding.db")
            history = SqliteHistory(journal.file)
            engine = Engine(replace(world.parts, journal=journal, history=history))
            await engine.start()
            await world.parts.accounts.add(Account(OTHER, "other", 0))
            for account in (OTHER, ACCOUNT):
                await engine.definitions.create_workflow(account, make_document())
            for account in (OTHER, ACCOUNT):
                await engine.ingest.accept(account, EVENT)
            async with asyncio.timeout(PATIENCE_S):
                rows: list[ExecutionSummary] = []
                while not rows:
                    rows = [*await history.executions(ACCOUNT, ExecutionFilter(), 10)]
            others = await history.executions(OTHER, ExecutionFilter(), 10)
            await engine.stop()
            await journal.close()
            return [row.workflow for row in (*rows, *others)]

    assert len(asyncio.run(main())) == 1


def test_many_executions_that_begin_at_once_leave_room_between_them(tmp_path: Path) -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        loop = asyncio.get_running_loop()
        async with installed(tmp_path) as world:

            def look() -> None:
                seen.append(world.engine.numbers().live)
                loop.call_soon(look)

            document = make_document(steps=[make_call("a")])
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            look()
            await world.engine.ingest.accept_all(ACCOUNT, [EVENT] * 60)
            await world.engine.settled()
        return seen

    seen = asyncio.run(main())

    assert 0 < max(later - earlier for earlier, later in pairwise(seen)) <= STARTS_PER_TURN
