"""How many definitions of a kind an account may have: all of them are read at once."""

from collections.abc import Mapping
from typing import Final

from oncue.core.errors import Conflict

MOST: Final[Mapping[str, int]] = {"connection": 200, "secret": 500, "variable": 500}


def check_count(kind: str, count: int) -> None:
    """
    Return if an account that has `count` of a kind may have one more.

    Raises:
        Conflict: it may not.
    """
    most = MOST.get(kind)
    if most is not None and count >= most:
        raise Conflict(
            f"expected at most {most} {kind}s in an account, got one more:"
            " delete one that nothing names"
        )
