"""
The process in which a backtest over the log is folded.

It is told parts and answers each: the question first, then records, at last the
instant up to which the clock runs on. A part is four bytes of length and
MessagePack, or JSON where a number has more than 64 bits, which MessagePack has not;
the one who asks ends the process by killing it.
"""

import sys
from collections.abc import Sequence
from typing import IO, Final, TypeAlias

import msgspec

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest, Found, Wanted
from oncue.core.pattern.records import LogRecord, Passed


class Question(msgspec.Struct, frozen=True, tag="question"):
    """Patterns to be folded from an instant on, and which of their matches count."""

    documents: Sequence[Json]
    began_ms: int
    wanted: Wanted


class Answer(msgspec.Struct, frozen=True):
    """What a part came to."""

    found: list[Found] = []
    globs: tuple[str, ...] = ()
    scanned: int = 0
    failures: int = 0
    left_out: list[dict[str, int]] = []


class _Records(msgspec.Struct, frozen=True, tag="records"):
    """Records in the order of the log: those without an event moved time only."""

    records: list[tuple[int, int, int, Event | None]]


class _End(msgspec.Struct, frozen=True, tag="end"):
    """The instant up to which the clock runs on."""

    until_ms: int


_Part: TypeAlias = Question | _Records | _End
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_part: Final = msgspec.msgpack.Decoder(_Part).decode
_decode_json_part: Final = msgspec.json.Decoder(_Part).decode
_decode_answer: Final = msgspec.msgpack.Decoder(Answer).decode
# No message begins so: it would be the number 123.
_JSON: Final = b"{"


def write_frame(part: object) -> bytes:
    """Return a part as it is written: a question, records, or the instant at which it ends."""
    if isinstance(part, list):
        part = _Records([_row(record) for record in part])
    elif isinstance(part, int):
        part = _End(part)
    try:
        content = _encode(part)
    except OverflowError:
        content = msgspec.json.encode(part)
    return len(content).to_bytes(4) + content


def read_frame(content: bytes) -> Answer:
    """Return an answer as it was written."""
    if content.startswith(_JSON):
        return msgspec.json.decode(content, type=Answer)
    return _decode_answer(content)


def _read_part(content: bytes) -> _Part:
    is_json = content.startswith(_JSON)
    part: _Part = _decode_json_part(content) if is_json else _decode_part(content)
    return part


def _row(record: LogRecord) -> tuple[int, int, int, Event | None]:
    if isinstance(record, Event):
        return record.offset, record.received_at_ms, record.time_ms, record
    assert isinstance(record, Passed)
    return record.offset, record.received_at_ms, record.time_ms, None


def answer_parts(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer parts until there are none."""
    backtest: Backtest | None = None
    scanned = 0
    while header := source.read(4):
        part = _read_part(source.read(int.from_bytes(header)))
        found: list[Found] = []
        if isinstance(part, Question):
            patterns = [
                parse_pattern(document).named(f"pattern-{place}", 1, 1, None)
                for place, document in enumerate(part.documents)
            ]
            backtest = Backtest(patterns, part.began_ms, part.wanted)
        assert backtest
        if isinstance(part, _Records):
            for offset, received_ms, time_ms, event in part.records:
                found += backtest.fold(event or Passed(offset, received_ms, time_ms))
            scanned += len(part.records)
        elif isinstance(part, _End):
            for more in backtest.run_on(part.until_ms):
                found += more
        answer = Answer(found, backtest.globs, scanned, backtest.failures, backtest.left_out)
        sink.write(write_frame(answer))
        sink.flush()


if __name__ == "__main__":
    answer_parts(sys.stdin.buffer, sys.stdout.buffer)
