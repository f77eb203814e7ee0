"""
What processes beside the server are told, and what they say, as it is sent.

A message is four bytes of length, and its content.
"""

from collections.abc import Callable
from typing import IO, Final

LENGTH_BYTES: Final = 4


def framed(content: bytes) -> bytes:
    """Return a message as it is sent."""
    return len(content).to_bytes(LENGTH_BYTES) + content


def answer_frames(source: IO[bytes], sink: IO[bytes], answered: Callable[[bytes], bytes]) -> None:
    """Answer messages until there are none."""
    while header := source.read(LENGTH_BYTES):
        sink.write(framed(answered(source.read(int.from_bytes(header)))))
        sink.flush()
