"""
Moves what stands in the write-ahead log into the file itself, beside the commits.

Left to SQLite, the commit that makes the log long enough does it, and all that wait
for that commit wait for it too: measured, 10 to 20 ms where a commit takes one, and
hundreds where the disk is busy.

    commits ──▶ the log is long ──▶ move most of it, while commits go on
                                 ──▶ a pause: move the rest ──▶ the log begins anew

Without the pause the log would never begin anew under load, since something is
always added while the rest is moved. A crash at any moment costs nothing: what
was not moved is still in the log.
"""

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

LONG: Final = 4_000
"""Pages, by estimate, after which the log is moved: 16 MB."""
_TOO_LONG: Final = 8
# Measured with the tables of the event log: a commit of one row writes 4 pages, one of
# a hundred rows 22 where ids ascend, and 129 where they are random.
_PAGES_OF_A_COMMIT: Final = 4
_ROWS_OF_A_PAGE: Final = 4
_PAGE_BYTES: Final = 4_096
_PATIENCE_MS: Final = 200


class Checkpoints:
    """The checkpoints of one file; all but the moving itself happens in the writer's thread."""

    def __init__(self, path: Path, long: int) -> None:
        self._long = long
        self._thread = ThreadPoolExecutor(1, f"checkpoint-{path.stem}")
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        self._pages = 0
        self._length = 0
        self._is_moving = False
        self._is_closed = False
        self.wants_pause = False
        """Whether the log could begin anew if nobody wrote for a moment."""

    def count(self, rows: int, size: int) -> bool:
        """Return whether it is time to `move`, now that a commit has written so many rows and bytes."""
        self._pages += _PAGES_OF_A_COMMIT + rows // _ROWS_OF_A_PAGE + size // _PAGE_BYTES
        return self._pages >= self._long and not (self._is_moving or self.wants_pause)

    def move(self, then: Callable[[], object]) -> None:
        """Begin to move the log while commits go on; `then` is called in another thread."""
        self._pages = 0
        self._is_moving = True
        self._begin("PASSIVE", then)

    def moved(self) -> None:
        """Take note that most was moved."""
        self._is_moving = False
        self.wants_pause = not self._is_closed

    def finish(self, then: Callable[[], object]) -> None:
        """Begin to move the rest; nobody may write before `then` is called in another thread."""
        self.wants_pause = False
        # Whoever still reads old pages keeps the log from beginning anew. Readers are
        # short: they are waited for only if they have done so several times.
        self._begin("RESTART" if self._length > _TOO_LONG * self._long else "PASSIVE", then)

    def close(self) -> None:
        """Let go of the file, once nothing is moved any more."""
        self._is_closed = True
        self._thread.shutdown()
        self._connection.close()

    def _begin(self, mode: str, then: Callable[[], object]) -> None:
        self._thread.submit(self._checkpoint, mode).add_done_callback(lambda _: then())

    def _checkpoint(self, mode: str) -> None:
        try:
            found = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.OperationalError as exc:
            _log.warning("the write-ahead log stays as it is: %s", exc)
        else:
            self._length = found[1]
