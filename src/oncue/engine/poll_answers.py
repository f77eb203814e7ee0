"""What the query of a poll gives, as far as it is read."""

from typing import Final

import msgspec

from oncue.core.json_text import Json
from oncue.core.pattern.polled.poll import MAX_ROWS, Answer, Poll
from oncue.ports import EventQuestion, EventQuestions

MAX_BYTES: Final = 1 << 20
"""Of the rows of a poll together, as JSON."""


async def answer_to(questions: EventQuestions, account: str, poll: Poll) -> Answer:
    """
    Return what a query gives now.

    Raises:
        InvalidInput: it is none, or over a bound.
        Overloaded: too many ask.
    """
    found = await questions.ask(account, EventQuestion(poll.sql, limit=MAX_ROWS))
    rows: Json = msgspec.json.decode(found.body)
    assert isinstance(rows, list)
    columns = [name for name, _ in found.columns]
    is_truncated = found.is_truncated
    while len(msgspec.json.encode(rows)) > MAX_BYTES:
        rows, is_truncated = rows[: len(rows) // 2], True
    kept = [row for row in rows if isinstance(row, list)]
    return Answer(columns, kept, is_truncated, found.elapsed_ms)
