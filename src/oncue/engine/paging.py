"""Lists that go by pages, read to their ends."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from oncue.ports import PatternVersion, Schedule, WorkflowVersion

Row = TypeVar("Row", WorkflowVersion, PatternVersion, Schedule)

_PAGE: Final = 500


async def everything(
    page: Callable[[int, tuple[int, str] | None], Awaitable[list[Row]]],
) -> list[Row]:
    """Return all rows, newest first; `page` gives some of them from below a place."""
    found: list[Row] = []
    before: tuple[int, str] | None = None
    while rows := await page(_PAGE, before):
        found += rows
        before = (rows[-1].created_at_ms, rows[-1].id)
    return found
