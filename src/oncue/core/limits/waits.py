"""How long a vendor is left alone that does not say how long."""

from typing import Final

FIRST_MS: Final = 1_000
LONGEST_MS: Final = 60_000
# 2**6 seconds are more than the longest.
_MAX_DOUBLINGS: Final = 6


def wait_ms(before: int) -> int:
    """
    Return the wait after so many others in a row: twice the one before it, up to a minute.

    >>> [wait_ms(before) for before in (0, 1, 5, 6, 1_000)]
    [1000, 2000, 32000, 60000, 60000]
    """
    return min(FIRST_MS << min(before, _MAX_DOUBLINGS), LONGEST_MS)
