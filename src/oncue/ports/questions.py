"""Questions over the events of an account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True)
class EventQuestion:
    """A SELECT over `events`, the values bound to it, and how its rows are written."""

    sql: str
    params: Sequence[Json] | Mapping[str, Json] = ()
    limit: int = 1_000
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class EventRows:
    """Rows as they are sent, of columns with a name and a type."""

    columns: Sequence[tuple[str, str]]
    body: bytes
    count: int
    is_truncated: bool
    elapsed_ms: int


class EventQuestions(Protocol):
    """Answers questions over events; one sees its own account's alone, all up to now."""

    async def ask(self, account: str, question: EventQuestion) -> EventRows:
        """
        Return the rows that a question gives.

        Raises:
            InvalidInput: it is no question, or over a bound.
            Overloaded: too many ask.
        """
