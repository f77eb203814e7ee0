"""The engine inside another program: real SQLite in a folder, and a clock that obeys."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

from oncue.actions.library import Stores, stores_on
from oncue.actions.packages import available
from oncue.core.callbacks import Callbacks
from oncue.core.encryption_keys import EncryptionKey
from oncue.core.errors import PermanentError
from oncue.core.integration import Reach
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.core.workflow.compile import Library
from oncue.engine.archiving import Archiving
from oncue.engine.connected import Connected, Operators
from oncue.engine.engine import Engine, World
from oncue.engine.kept_secrets import KeptSecrets
from oncue.ports import Account, Actions
from oncue.store.account_files import AccountFiles
from oncue.store.checkpoints import FileCheckpoints
from oncue.store.disk import FolderDisk
from oncue.store.query.pool import Bounds, QueryPool
from oncue.store.sql.accounts import SqlAccounts
from oncue.store.sql.answers import SqlAnswers
from oncue.store.sql.catalog import SqlCatalog
from oncue.store.sql.connections import SqlConnections
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.hooks import SqlHooks
from oncue.store.sql.named_values import SqlSecrets, SqlVariables
from oncue.store.sql.patterns import SqlPatterns
from oncue.store.sql.schedules import SqlSchedules
from oncue.store.sql.shelf import SqlShelf
from oncue.store.sqlite.archived import LogArchive
from oncue.store.sqlite.file import Commit
from oncue.store.sqlite.history import SqliteHistory
from oncue.store.sqlite.journal import SqliteJournal
from oncue.store.sqlite.kv import SqliteKeyValues
from oncue.store.sqlite.letters import SqliteLetters
from oncue.store.sqlite.log import SqliteEventLog
from oncue.store.sqlite.pauses import SqlitePauses
from oncue.store.sqlite.redrives import SqliteRedrives
from oncue.store.vault import AesVault
from oncue.testing.clock import VirtualClock

ACCOUNT = "acc_test"
PUBLIC_URL = "http://oncue.example"
_SPAN_MS = 9 * 86_400_000

Build: TypeAlias = Callable[[Stores], tuple[Actions, Library]]
"""From what accounts keep to the actions, and what they declare."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running engine and what it stands on."""

    engine: Engine
    clock: VirtualClock
    log: SqliteEventLog
    journal: SqliteJournal
    world: World

    async def go_to(self, instant_ms: int) -> None:
        """Let time pass up to an instant; each timer on the way is told at its own."""
        await self.engine.settled()
        while (due_ms := await self._next_due_ms(instant_ms)) is not None:
            self.clock.advance(due_ms - self.clock.now_ms())
            await self.engine.settled()
        self.clock.advance(max(0, instant_ms - self.clock.now_ms()))
        await self.engine.settled()

    async def _next_due_ms(self, until_ms: int) -> int | None:
        timers = await self.journal.timers_before(until_ms + 1)
        now = self.clock.now_ms()
        instants = [timer.due_ms for timer in timers]
        engine = self.engine
        own = (
            engine.matching.next_tick_ms(),
            engine.firing.next_due_ms,
            engine.parking.next_at_ms(),
            engine.redriving.next_due_ms(),
        )
        instants += [instant for instant in own if instant is not None]
        return min((instant for instant in instants if now < instant <= until_ms), default=None)


@asynccontextmanager
async def embedded(  # noqa: PLR0913 what programs and tests choose
    folder: Path,
    build: Build,
    *,
    clock: VirtualClock,
    commit: Commit = sqlite3.Connection.commit,
    checks_connections: bool = False,
    gates: Gates | None = None,
    built_in: Sequence[Json] = (),
) -> AsyncIterator[Embedded]:
    """
    Run an engine with one account on `folder` until the block ends; `commit` may die.

    Vendors are whatever `build` makes of them: connections lead nowhere, and
    without `checks_connections` steps may name any. `gates` are those that the
    calls go through, if they go through any.
    """
    async with AsyncExitStack() as stack:
        log = SqliteEventLog(folder / "log", clock, commit)
        stack.push_async_callback(log.close)
        journal = SqliteJournal(folder / "journal.db", commit)
        stack.push_async_callback(journal.close)
        keys = SqliteKeyValues(folder / "kv.db", clock, commit)
        stack.push_async_callback(keys.close)
        database = SqlDatabase.on_sqlite(folder / "catalog.db")
        stack.push_async_callback(database.close)
        await database.migrate()
        accounts = SqlAccounts(database)
        files = AccountFiles(folder / "accounts")
        questions = await stack.enter_async_context(
            QueryPool(log.past.all_rows, folder / "queries", Bounds(), accounts.query_bounds)
        )
        actions, library = build(stores_on(keys, log, files, questions))
        vault = AesVault([EncryptionKey.of(b"an encryption key of this test..")])
        numbers = itertools.count(clock.now_ms())
        world = World(
            clock=clock,
            disk=FolderDisk(folder),
            log=log,
            archiving=Archiving(LogArchive(log.segments, clock, _SPAN_MS), clock),
            journal=journal,
            checkpoints=FileCheckpoints(folder / "checkpoints"),
            history=SqliteHistory(journal.file),
            letters=SqliteLetters(journal.file),
            redrives=SqliteRedrives(journal.file),
            pauses=SqlitePauses(journal.file),
            accounts=accounts,
            catalog=SqlCatalog(database),
            patterns=SqlPatterns(database),
            hooks=SqlHooks(database),
            schedules=SqlSchedules(database),
            keys=keys,
            answers=SqlAnswers(database),
            actions=actions,
            library=library,
            fresh_id=lambda kind: f"{kind}_{next(numbers)}",
            fresh_secret=lambda: f"secret_{next(numbers)}",
            callbacks=Callbacks(PUBLIC_URL, b"a secret of this test"),
            connected=_connected(database, vault, clock),
            gates=Gates() if gates is None else gates,
            questions=questions,
            polls=questions,
            secrets=KeptSecrets(SqlSecrets(database), vault),
            variables=SqlVariables(database),
            shelf=SqlShelf(database),
            built_in=built_in,
        )
        engine = Engine(world, checks_connections=checks_connections)
        stack.push_async_callback(engine.stop)
        if ACCOUNT not in await accounts.ids():
            await accounts.add(Account(ACCOUNT, "test", 0))
        await engine.start()
        yield Embedded(engine, clock, log, journal, world)


def _connected(database: SqlDatabase, vault: AesVault, clock: VirtualClock) -> Connected:
    async def refuse(*_: object) -> NoReturn:
        raise PermanentError("there is no world outside of a test")

    def nothing(_: str, __: str) -> Mapping[str, str]:
        return {}

    return Connected(
        SqlConnections(database),
        vault,
        {integration.name: integration for integration in available().integrations},
        Operators(nothing, nothing),
        Reach(refuse, refuse, refuse, clock.now_ms),
        clock,
    )
