"""A question over a few events, answered as in the process of `/events/query`, but in this one."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.json_text import Json, encode_json
from oncue.store.query.child import Session
from oncue.store.query.messages import JSON_ROWS, Question, Refusal, Rows


@dataclass(frozen=True)
class Found:
    """The answer: columns by name with their types, and rows."""

    types: Mapping[str, str]
    rows: list[list[Json]]

    def documents(self) -> list[dict[str, Json]]:
        """The rows as objects."""
        return [dict(zip(self.types, row, strict=True)) for row in self.rows]


class Asked:
    """Events that can be asked."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self._session = Session()
        with tempfile.TemporaryDirectory() as folder:
            lines = Path(folder) / "events.ndjson"
            lines.write_text("".join(json.dumps(_line(event)) + "\n" for event in events))
            self._session.read(Rows("acc", str(lines), folder, [], 512))

    def ask(self, sql: str, params: list[Json] | dict[str, Json] | None = None) -> Found:
        """
        Return what a question gives.

        Raises:
            InvalidInput: it is refused.
        """
        question = Question(sql, encode_json(params or []), 10_000, 1 << 24, JSON_ROWS)
        answer = self._session.answer(question)
        if isinstance(answer, Refusal):
            raise InvalidInput([Problem("sql", each) for each in (answer.message, *answer.further)])
        return Found(dict(answer.columns), json.loads(answer.body))


def _line(event: Event) -> Json:
    return {
        "i": event.id,
        "s": event.source,
        "t": event.type,
        "u": event.subject,
        "m": event.time_ms,
        "r": event.received_at_ms,
        "o": event.offset,
        "b": {"data": event.data, "attributes": event.attributes},
    }
