"""
What is said to the process that answers a question, and what it says.

A message is MessagePack.
"""

from typing import Final

import msgspec

from oncue.core.json_text import Json

JSON_ROWS: Final = "application/json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"
OVER_MEMORY: Final = "over memory: the query wants more than it may have"
"""What is told where a process wanted too much, whether it says so itself or is no more."""


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """
    Where the rows of an account are: the older ones in files of Parquet.

    These have names in a folder, so that neither problems nor the view tell where they are.
    """

    account: str
    lines: str
    folder: str
    archived: list[str]
    memory_mb: int


class Question(msgspec.Struct, frozen=True, tag="question"):
    """What somebody asks of them, with values as JSON, and how the answer is to be written."""

    sql: str
    params: bytes
    limit: int
    max_bytes: int
    media_type: str

    @property
    def values(self) -> list[Json] | dict[str, Json]:
        """The values; a message may have no whole number beyond 64 bits, JSON may."""
        values: list[Json] | dict[str, Json] = msgspec.json.decode(self.params)
        return values


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The rows are read, and nothing else can be."""


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The rows as they are sent, of columns with a name and a type; for JSON `body` is their list."""

    columns: list[tuple[str, str]]
    body: bytes
    row_count: int
    is_truncated: bool


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why there is no answer; `further` are problems beside the first one."""

    message: str
    further: list[str] = []


Part = Rows | Question
Reply = Ready | Answer | Refusal
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_part: Final = msgspec.msgpack.Decoder(Part).decode
_decode_reply: Final = msgspec.msgpack.Decoder(Reply).decode


def write_message(message: Part | Reply) -> bytes:
    """Return a message as it is written."""
    return _encode(message)


def read_part(content: bytes) -> Part:
    """Return what is said to the process."""
    part: Part = _decode_part(content)
    return part


def read_reply(content: bytes) -> Reply:
    """Return what the process says."""
    reply: Reply = _decode_reply(content)
    return reply
