"""
The statements over records, over files of the archive.

They are those that the segments of the log are asked with: the files are shown to
DuckDB as the table that SQLite has.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_READERS: Final = 2
CONFIG: Final = {
    "threads": "1",
    "memory_limit": "512MB",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""What whoever reads or writes files may take, and that nothing is fetched for it."""
_VIEW: Final = """
CREATE OR REPLACE TEMP VIEW record AS
SELECT {number} AS account, "offset", kind, epoch_ms(received_at) AS received_at, source, id, type,
    subject, epoch_ms(time) AS time,
    CASE WHEN kind <> 0 THEN coalesce(data::VARCHAR, '')
        ELSE '{{"data":' || coalesce(data::VARCHAR, 'null')
            || coalesce(',"attributes":' || extensions::VARCHAR, '') || '}}' END AS body
FROM read_parquet([{files}]) WHERE "offset" < {below}
"""


class ParquetReader:
    """Reads rows from files, in threads."""

    def __init__(self) -> None:
        self._readers = ThreadPoolExecutor(_READERS, "read-archive")

    async def fetch(
        self,
        paths: Sequence[Path],
        view: tuple[int, int],
        select: str,
        values: Sequence[int | str | None],
    ) -> list[Any]:
        """Return what a statement finds in files; `view` is the account's number, and where it ends."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._fetch, paths, view, select, values)

    def close(self) -> None:
        """Let go of the threads."""
        self._readers.shutdown()
        if "_database" in self.__dict__:
            self._database.close()

    @cached_property
    def _database(self) -> "DuckDBPyConnection":
        # Imported late: it takes some 60 MB, which whoever has no archive yet need not pay.
        import duckdb

        return duckdb.connect(":memory:", config=dict(CONFIG))

    def _fetch(
        self,
        paths: Sequence[Path],
        view: tuple[int, int],
        select: str,
        values: Sequence[int | str | None],
    ) -> list[Any]:
        number, below = view
        with self._database.cursor() as connection:
            files = ", ".join(quoted(path) for path in paths)
            connection.execute(_VIEW.format(number=number, files=files, below=below))
            return connection.execute(select, list(values)).fetchall()


def quoted(path: Path | str) -> str:
    """Return a path as text of SQL."""
    return "'" + str(path).replace("'", "''") + "'"
