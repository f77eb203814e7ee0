"""
What is said to the process that writes files of the archive, and what it says.

An order is a line of JSON, an answer four bytes of length and MessagePack.
"""

from collections.abc import Sequence
from typing import Final

import msgspec


class Stretch(msgspec.Struct, frozen=True, tag="stretch"):
    """
    The records (after, upto] of an account, less where they are large.

    `segments` are the files of the log that have them, in order; `number` is what
    the account is called there.
    """

    account: str
    segments: Sequence[str]
    number: int
    after: int
    upto: int
    max_bytes: int
    target: str


class Merge(msgspec.Struct, frozen=True, tag="merge"):
    """Files of an account that are to be one, in order: they have the records from `first` to `last`."""

    files: Sequence[str]
    first: int
    last: int
    target: str


class Written(msgspec.Struct, frozen=True):
    """
    What was written, and its bounds.

    `bodies` is how many bytes of `data` there are, `ids` a filter of those of the events.
    """

    offsets: tuple[int, int]
    times: tuple[int, int]
    arrivals: tuple[int, int]
    events: int
    bodies: int
    size: int
    ids: bytes


Order = Stretch | Merge
LENGTH_BYTES: Final = 4
read_order: Final = msgspec.json.Decoder(Order).decode
read_answer: Final = msgspec.msgpack.Decoder(Written).decode


def write_order(order: Order) -> bytes:
    """Return an order as it is sent."""
    return msgspec.json.encode(order) + b"\n"


def write_answer(written: Written) -> bytes:
    """Return an answer as it is sent."""
    content = msgspec.msgpack.encode(written)
    return len(content).to_bytes(LENGTH_BYTES) + content
