"""
The events that OnCue emits about itself: their types, and which selectors see them.

A pattern over everything is meant for what comes from outside. If `*` saw what its own
matches and executions emit, each event would start a chain of them; and that it is
noon says a schedule to those who ask for it.
"""

from collections.abc import Callable
from typing import Final

from oncue.core.globs import compile_glob

EXECUTION_COMPLETED: Final = "execution.completed"
EXECUTION_FAILED: Final = "execution.failed"
PATTERN_MATCHED: Final = "pattern.matched"
QUERY_FAILED: Final = "query.failed"
QUERY_POLLED: Final = "query.polled"
SCHEDULE_FIRED: Final = "schedule.fired"
OWN_TYPES: Final = frozenset(
    (
        EXECUTION_COMPLETED,
        EXECUTION_FAILED,
        PATTERN_MATCHED,
        QUERY_FAILED,
        QUERY_POLLED,
        SCHEDULE_FIRED,
    )
)


def compile_watched(glob: str) -> Callable[[str], bool]:
    """
    Return what says whether a selector of `glob` sees events of a type.

    >>> sees = compile_watched("*")
    >>> sees("user.signup"), sees("execution.failed"), compile_watched("execution.*")("execution.failed")
    (True, False, True)
    """
    fits = compile_glob(glob)
    if not glob.startswith("*"):
        return fits
    return lambda event_type: event_type not in OWN_TYPES and fits(event_type)
