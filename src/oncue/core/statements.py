"""One statement of SQL for a database that is not ours, and what it gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.json_text import Json

MAX_RESULT_BYTES: Final = 4 << 20
"""Of all rows together, as JSON; an execution keeps them in its history."""


@dataclass(frozen=True, slots=True)
class Statement:
    """
    SQL and the values bound to it.

    With `limit` rows it is cut off. `once` names what must be done at most once:
    a database that can remember it answers a repeat as it answered the first time.
    """

    sql: str
    params: Sequence[Json] | Mapping[str, Json] = ()
    limit: int = 1_000
    is_read_only: bool = True
    timeout_ms: int = 30_000
    once: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as JSON; `count` is that of the rows written where there are none to read."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Json]]
    count: int
    is_truncated: bool = False
