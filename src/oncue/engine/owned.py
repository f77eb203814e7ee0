"""What a workflow brings belongs to it."""

from oncue.core.errors import Conflict
from oncue.ports import Hook, PatternVersion, Schedule


def check_is_free(kind: str, row: Hook | PatternVersion | Schedule) -> None:
    """
    Return if people may change what is a `kind` of its own.

    Raises:
        Conflict: a workflow owns it.
    """
    if row.owner_id is not None:
        raise Conflict(
            f"expected a {kind} of its own, got {row.name!r}, which belongs to a workflow:"
            " change the workflow's `on`"
        )
