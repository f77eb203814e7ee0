"""What requests with an `Idempotency-Key` were answered."""

import sqlalchemy as sa

from oncue.ports import KeptAnswer
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase


class SqlAnswers:
    """The kept answers of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find(self, account: str, key: str, since_ms: int) -> KeptAnswer | None:
        """Return what a request with that key was answered, if that was after an instant."""
        select = sa.select(tables.answer).where(
            tables.answer.c.account == account,
            tables.answer.c.key == key,
            tables.answer.c.created_at > since_ms,
        )
        for row in await self._database.rows(select):
            return KeptAnswer(row.digest, row.status, row.headers, row.body, row.created_at)
        return None

    async def keep(self, account: str, key: str, answer: KeptAnswer, since_ms: int) -> None:
        """Keep an answer; those of the account from before an instant are forgotten."""
        of_account = tables.answer.c.account == account
        is_gone = sa.or_(tables.answer.c.created_at <= since_ms, tables.answer.c.key == key)
        add = sa.insert(tables.answer).values(
            account=account,
            key=key,
            digest=answer.digest,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            created_at=answer.created_at_ms,
        )
        forget = sa.delete(tables.answer).where(of_account, is_gone)
        await self._database.write("answer", forget, add)
