"""
What is said to the process that writes files of the archive, and what it says.

Orders and answers are MessagePack.
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
write_message: Final = msgspec.msgpack.Encoder().encode
read_order: Final = msgspec.msgpack.Decoder(Order).decode
read_answer: Final = msgspec.msgpack.Decoder(Written).decode
