"""One action tried by itself, over real HTTP, against a simulated vendor."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from yarl import URL

from oncue.actions.library import ActionLibrary, GivenCredentials, Stores, stores_on
from oncue.core.action import AnyAction, Ways
from oncue.core.json_text import Json
from oncue.outgoing.client import OutgoingClient
from oncue.outgoing.postgres import PostgresClient
from oncue.outgoing.smtp import SmtpClient
from oncue.store.account_files import AccountFiles
from oncue.store.query.pool import QueryPool
from oncue.store.sqlite.kv import SqliteKeyValues
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock
from oncue.testing.vendors.simulator import Simulator

ACCOUNT = "acc_trial"


async def try_action(
    action: AnyAction,
    given: Json,
    credentials: Mapping[str, str],
    *vendors: Simulator,
    key: str = "key-1",
    is_repeat: bool = False,
) -> Json:
    """
    Return what one attempt of an action gives; of private addresses it reaches only `vendors`.

    Raises:
        ActionError: as in a workflow.
    """
    urls = [URL(vendor.base_url) for vendor in vendors]
    endpoints = {(str(url.host), url.port or 0) for url in urls}
    async with OutgoingClient(allowed_endpoints=endpoints) as client, fresh_stores() as stores:
        library = ActionLibrary(
            [action],
            GivenCredentials(lambda *_: credentials),
            ways_of(client),
            VirtualClock(),
            stores,
        )
        return await library.perform(ACCOUNT, action.name, given, key, is_repeat=is_repeat)


def ways_of(client: OutgoingClient) -> Ways:
    """Return all ways out, guarded as the client is."""
    guard = client.guard
    return Ways(client.send, PostgresClient(guard).query, SmtpClient(guard).deliver)


@asynccontextmanager
async def fresh_stores() -> AsyncIterator[Stores]:
    """Give what accounts keep, in a folder of its own, until the block ends."""
    clock = VirtualClock()
    with TemporaryDirectory() as folder:
        keys = SqliteKeyValues(Path(folder) / "kv.db", clock)
        log = SqliteEventLog(Path(folder) / "log", clock)
        try:
            async with QueryPool(log.past.all_rows, Path(folder) / "queries") as questions:
                yield stores_on(keys, log, AccountFiles(Path(folder) / "accounts"), questions)
        finally:
            await keys.close()
            await log.close()
