"""
Which files of the archive may have an event of an id, without opening them.

Ids need not grow with time, so the bounds of a file leave none out: each has a filter
of those that are in it. (Measured: without, one event among ten million is looked
for in a hundred files, and in a bucket all of them would have to be fetched.)
"""

import operator
from hashlib import blake2b
from typing import Final

from rbloom import Bloom

STRANGERS_LET_IN: Final = 0.01


def id_hash(id_: str) -> int:
    """Return what stands for an id in a filter; the same in every process."""
    text = id_.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=15).digest())


def may_have(found: tuple[bytes] | None, id_: str) -> bool:
    """Return whether a file may have an id, by the row with its filter; files of old have none."""
    return found is None or id_hash(id_) in Bloom.load_bytes(found[0], operator.index)
