"""Queries over a few events of a log, to one process and to a pool of them."""

from pathlib import Path
from typing import Any

from oncue.core.errors import InvalidInput
from oncue.ports import EventQuestion
from oncue.store.query.messages import Question, Reply, Rows
from oncue.store.query.parent import QueryChild
from oncue.store.query.pool import Bounds, QueryPool, Start
from oncue.store.sqlite.log import SqliteEventLog
from tests.make import make_incoming
from tests.store.logs import archive_all, archive_in, use_log

ACCOUNT = "acc_a"
ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"


async def _filled(log: SqliteEventLog) -> None:
    for number in (1, 2, 3):
        event = make_incoming(id=f"i{number}", type="order.paid", data={"n": number})
        await log.append(ACCOUNT, [event])
        await log.append("acc_b", [make_incoming(id=f"theirs-{number}")])
        if number == 2:
            await archive_all(log, full=1)


def ask_all(folder: Path, *queries: str, start: Start = QueryChild.start) -> list[Reply]:
    """Return the replies of one process over two archived events and a recent one."""

    async def use(log: SqliteEventLog) -> list[Reply]:
        await _filled(log)
        child = await start()
        links = folder / "links"
        links.mkdir()
        lines = folder / "lines"
        try:
            async with log.past.all_rows(ACCOUNT, lines) as files:
                names = [f"{place}.parquet" for place in range(len(files))]
                for name, path in zip(names, files, strict=True):
                    (links / name).symlink_to(path)
                await child.ask(Rows(ACCOUNT, str(lines), str(links), names, 256))
                kind = "application/json"
                return [await child.ask(Question(q, b"[]", 100, 1 << 20, kind)) for q in queries]
        finally:
            await child.kill()

    replies: list[Reply] = use_log(folder, use, archive=archive_in(folder))
    return replies


def ask_pool(folder: Path, bounds: Bounds, *queries: str, start: Start = QueryChild.start) -> Any:
    """Return what each query is told, one after the other."""

    async def use(log: SqliteEventLog) -> list[str]:
        await _filled(log)
        async with QueryPool(log.past.all_rows, folder / "q", bounds, start=start) as pool:
            return [await told(pool, sql) for sql in queries]

    return use_log(folder, use, archive=archive_in(folder))


async def told(pool: QueryPool, sql: str) -> str:
    """Return the rows that a pool gives to a query, or what is wrong with it."""
    try:
        return (await pool.ask(ACCOUNT, EventQuestion(sql))).body.decode()
    except InvalidInput as exc:
        return exc.problems[0].message
