"""An event that a request names: by its id, or by `@` and its offset."""

from oncue.core.errors import NotFound
from oncue.core.event import Event
from oncue.ports import Past

MAX_DIGITS = 19
"""Fewer than those of 2**63, so that each such number is one that the stores take."""


async def find_event(past: Past, account: str, reference: str, source: str | None) -> Event:
    """
    Return the event that is meant, without `source` the newest of that id.

    Raises:
        NotFound: there is none.
    """
    found: Event | None = None
    if not reference.startswith("@"):
        found = await past.find(account, reference, source)
    elif reference[1:].isdecimal() and reference.isascii() and len(reference) < MAX_DIGITS:
        found = next(iter(await past.at(account, [int(reference[1:])])), None)
    if found is None:
        raise NotFound(f"no event {reference!r}")
    return found
