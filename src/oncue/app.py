"""The composition root: the only place where ports meet adapters."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from starlette.types import ASGIApp

from oncue.actions.gating import Gating
from oncue.actions.library import ActionLibrary, stores_on
from oncue.actions.packages import available
from oncue.core.action import Ways
from oncue.core.callbacks import Callbacks
from oncue.core.errors import NotFound
from oncue.core.ids import derived_id
from oncue.core.integration import Reach
from oncue.core.json_text import Json
from oncue.core.limits.gate import Gates
from oncue.core.yaml_text import parse_yaml
from oncue.engine.archiving import Archiving
from oncue.engine.connected import Connected, Operators
from oncue.engine.engine import Engine, World
from oncue.engine.kept_secrets import KeptSecrets
from oncue.engine.key_sweep import KeySweep
from oncue.engine.poll_loop import POLLS_AT_ONCE
from oncue.engine.retention import DAY_MS, FinishedRetention, Retention
from oncue.outgoing.client import OutgoingClient
from oncue.outgoing.postgres import PostgresClient
from oncue.outgoing.smtp import SmtpClient
from oncue.ports import Account, ApiKey
from oncue.settings import Settings
from oncue.store.account_files import AccountFiles
from oncue.store.archive.bucket import BucketPlace, bucket_place
from oncue.store.archive.places import FolderPlace
from oncue.store.checkpoints import FileCheckpoints
from oncue.store.disk import FolderDisk
from oncue.store.query.pool import Bounds, QueryPool
from oncue.store.query.turns import AT_ONCE
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
from oncue.store.sqlite.finished import SqliteFinished
from oncue.store.sqlite.history import SqliteHistory
from oncue.store.sqlite.journal import SqliteJournal
from oncue.store.sqlite.kv import SqliteKeyValues
from oncue.store.sqlite.letters import SqliteLetters
from oncue.store.sqlite.log import SqliteEventLog, archive_beside
from oncue.store.sqlite.pauses import SqlitePauses
from oncue.store.sqlite.redrives import SqliteRedrives
from oncue.store.vault import AesVault
from oncue.system import SystemClock, fresh_id, fresh_key, kept_secret
from oncue.vault_keys import vault_keys
from oncue.web.api import create_app
from oncue.web.auth import hash_key
from oncue.web.context import Limits

_log = logging.getLogger(__name__)

OPERATOR = frozenset(("operator",))
FIRST_ACCOUNT = "default"


@dataclass(frozen=True, slots=True)
class Installation:
    """OnCue, running on a data folder."""

    app: ASGIApp
    engine: Engine
    account: str


@dataclass(slots=True)
class Lent:
    """
    Vendors that serve one account beside the operator's own: those of the demo.

    `endpoints` are their addresses and ports, which outgoing calls may reach
    though private. The account is known from the start, or once it is opened.
    """

    account_name: str
    settings: Settings
    endpoints: frozenset[tuple[str, int]]
    account: str | None = None


@asynccontextmanager
async def run(
    settings: Settings, api_key: str, lent: Lent | None = None
) -> AsyncIterator[Installation]:
    """Run on the folder `settings.data` until the block ends."""
    offered = available()
    for refused in offered.refused:
        _log.warning("a package of actions is left out: %s", refused)
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        log = SqliteEventLog(
            settings.data / "log",
            clock,
            dedupe_window_ms=settings.dedupe_window,
            archive=archive_beside(settings.data / "log", place=_archive_place(settings)),
        )
        stack.push_async_callback(log.close)
        clock.raise_to(log.last_arrival_ms())
        journal = SqliteJournal(settings.data / "journal.db")
        stack.push_async_callback(journal.close)
        keys = SqliteKeyValues(settings.data / "kv.db", clock)
        stack.push_async_callback(keys.close)
        database = SqlDatabase.on_sqlite(settings.data / "catalog.db")
        stack.push_async_callback(database.close)
        await database.migrate()
        accounts = SqlAccounts(database)
        account = await _first_account(accounts, clock, api_key)
        if lent:
            lent.account = await _id_of(accounts, lent.account_name)
        client = await stack.enter_async_context(
            OutgoingClient(
                allowed_networks=settings.allow_networks,
                allowed_endpoints=lent.endpoints if lent else frozenset(),
            )
        )

        files = AccountFiles(settings.data / "accounts")
        postgres, smtp = PostgresClient(client.guard), SmtpClient(client.guard)
        ways = Ways(client.send, postgres.query, smtp.deliver)
        vault = AesVault(vault_keys(settings))
        secrets = KeptSecrets(SqlSecrets(database), vault)
        connected = Connected(
            SqlConnections(database),
            vault,
            {integration.name: integration for integration in offered.integrations},
            _operators(settings, lent, account),
            Reach(client.send, postgres.query, smtp.greet, clock.now_ms),
            clock,
        )
        questions = await stack.enter_async_context(_questions(settings, log, accounts))
        gates = Gates()
        actions = ActionLibrary(
            offered.actions,
            connected,
            ways,
            clock,
            stores_on(keys, log, files, questions),
            Gating(gates, clock),
            secrets,
        )
        checkpoints = FileCheckpoints(settings.data / "checkpoints")
        world = World(
            clock=clock,
            disk=FolderDisk(settings.data),
            log=log,
            archiving=_archiving(log, clock, settings.event_retention_days),
            journal=journal,
            checkpoints=checkpoints,
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
            library=actions.by_name,
            fresh_id=fresh_id,
            fresh_secret=fresh_key,
            callbacks=Callbacks(settings.public_url, kept_secret(settings.data / "signing.key")),
            connected=connected,
            gates=gates,
            questions=questions,
            polls=await stack.enter_async_context(
                _questions(settings, log, accounts, POLLS_AT_ONCE)
            ),
            secrets=secrets,
            variables=SqlVariables(database),
            shelf=SqlShelf(database),
            built_in=built_in_workflows(),
        )
        engine = Engine(
            world,
            max_steps=settings.max_workflow_steps,
            max_keys=settings.max_keys_per_account,
        )
        await engine.start()
        stack.push_async_callback(engine.stop)
        for loop in (
            Retention(
                log.segments.drop, journal, checkpoints, clock, settings.event_retention_days
            ),
            FinishedRetention(
                SqliteFinished(journal.file), accounts, clock, settings.execution_retention_days
            ),
            world.archiving,
            KeySweep(keys, accounts, clock),
        ):
            loop.start()
            stack.push_async_callback(loop.stop)
        app = create_app(engine, world, Limits(settings.max_event_bytes, settings.max_batch_events))
        yield Installation(app, engine, account)


def _archive_place(settings: Settings) -> FolderPlace | BucketPlace | None:
    url = settings.archive_url
    if not url.startswith("s3://"):
        return FolderPlace(Path(url)) if url else None
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket_place(bucket, prefix, settings.credentials("r2"), settings.data / "archive-cache")


def _archiving(log: SqliteEventLog, clock: SystemClock, retention_days: int) -> Archiving:
    # What is in one file is deleted together: a tenth of its time later, at most.
    span_ms = max(retention_days * DAY_MS // 10, DAY_MS)
    return Archiving(LogArchive(log.segments, clock, span_ms), clock)


def _questions(
    settings: Settings, log: SqliteEventLog, accounts: SqlAccounts, at_once: int = AT_ONCE
) -> QueryPool:
    bounds = Bounds(settings.query_timeout, settings.query_memory_mb, settings.query_max_bytes)
    folder = settings.data / "queries"
    return QueryPool(log.past.all_rows, folder, bounds, accounts.query_bounds, at_once)


def _operators(settings: Settings, lent: Lent | None, first: str) -> Operators:
    def endpoints(account: str, integration: str) -> Mapping[str, str]:
        is_lent = lent is not None and account == lent.account
        return (lent.settings if lent and is_lent else settings).credentials(integration)

    def credentials(account: str, integration: str) -> Mapping[str, str]:
        # The vendor variables are the operator's own: they serve the first account only.
        is_served = account in (first, lent and lent.account) or settings.shared_connections
        return endpoints(account, integration) if is_served else {}

    return Operators(credentials, endpoints)


def built_in_workflows() -> list[Json]:
    """Return the documents that every account is given."""
    folder = resources.files("oncue") / "built_in"
    return [parse_yaml(file.read_text("utf-8")) for file in folder.iterdir()]


async def _id_of(accounts: SqlAccounts, name: str) -> str | None:
    try:
        return (await accounts.account(name)).id
    except NotFound:
        return None


async def _first_account(accounts: SqlAccounts, clock: SystemClock, api_key: str) -> str:
    known = await accounts.ids()
    if known:
        account = known[0]
    else:
        account = fresh_id("acc")
        await accounts.add(Account(account, FIRST_ACCOUNT, clock.now_ms()))
    key = ApiKey(
        # Always the same, so that a new value takes the place of the old one.
        id=derived_id("key", 0, [account, "first"]),
        account=account,
        hash=hash_key(api_key),
        scopes=OPERATOR,
        created_at_ms=clock.now_ms(),
        name="first",
        hint=api_key[-4:],
    )
    await accounts.put_api_key(account, key)
    return account
