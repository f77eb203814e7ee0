"""Versions of whatever there is, kept together."""

from collections.abc import Iterator, Sequence

from oncue.ports import (
    Connection,
    Hook,
    Keepable,
    PatternVersion,
    Schedule,
    Secret,
    Variable,
    WorkflowVersion,
)
from oncue.store.sql.catalog import keep_workflow
from oncue.store.sql.connections import keep_connection
from oncue.store.sql.database import SqlDatabase, Write
from oncue.store.sql.hooks import keep_hook
from oncue.store.sql.named_values import keep_secret, keep_variable
from oncue.store.sql.patterns import add_version
from oncue.store.sql.schedules import keep_schedule


class SqlShelf:
    """The definitions of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def save_all(self, account: str, kept: Sequence[Keepable]) -> None:
        """
        Keep versions, all or none.

        Raises:
            Conflict: a name is taken, or somebody saved one of them meanwhile.
        """
        await self._database.write_exactly([w for one in kept for w in _writes(account, one)])


def _writes(account: str, kept: Keepable) -> Iterator[Write]:
    match kept:
        case WorkflowVersion():
            what = f"workflow {kept.name!r}"
            yield from (Write(what, each) for each in keep_workflow(account, kept))
        case PatternVersion():
            what = f"pattern {kept.name!r}"
            yield from (Write(what, each) for each in add_version(account, kept))
        case Connection():
            yield from keep_connection(account, kept)
        case Hook():
            yield Write(f"hook {kept.name!r}", keep_hook(account, kept))
        case Schedule():
            yield Write(f"schedule {kept.name!r}", keep_schedule(account, kept))
        case Secret():
            yield Write(f"secret {kept.name!r}", keep_secret(account, kept))
        case Variable():
            yield Write(f"variable {kept.name!r}", keep_variable(account, kept))
