"""What a SELECT reads, by its words: one table or query, and the name that it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.problems import nearest
from oncue.core.sql.columns import TABLE, TIME
from oncue.core.sql.select.windowing import Windowing
from oncue.core.sql.text import Statement, Word
from oncue.core.sql.windows.clauses import Range
from oncue.core.sql.windows.spans import Spans, spans_of

_INSTANTS: Final = (TIME, "received_at")
_NO_NAMES: Final = frozenset(
    (
        *("SELECT", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET"),
        *("USING", "UNION", "INTERSECT", "EXCEPT", "JOIN", "INNER", "LEFT", "RIGHT", "FULL"),
        *("CROSS", "NATURAL", "ASOF", "POSITIONAL", "SEMI", "ANTI", "ON", "TABLESAMPLE", "PIVOT"),
        *("UNPIVOT", "LATERAL", "FETCH"),
    )
)


@dataclass(frozen=True, slots=True)
class Source:
    """A table or a query, and behind it the words that give it another name."""

    words: Sequence[Word]
    given: Sequence[Word]

    @property
    def own(self) -> str:
        """The name that it has of its own; a query has none."""
        return self.words[-1].text if self.words[-1].is_name else ""

    @property
    def name(self) -> str:
        """The name by which its columns may begin, as it is spelled."""
        return self.given[-1].text if self.given else self.own

    @property
    def named(self) -> str:
        """What gives that name to something else."""
        return f" AS {self.name}" if self.name else ""

    @property
    def is_events(self) -> bool:
        """Whether it is the table of events."""
        return len(self.words) == 1 and self.words[0].name.lower() == TABLE

    @property
    def end(self) -> int:
        """Where the table or the query ends."""
        return self.words[-1].end

    def spelled(self, words: Sequence[Word]) -> str:
        """Return an expression over its columns, without the names by which these may begin."""
        known = {self.own.lower(), self.name.lower()} - {""}
        kept = [
            word.text
            for place, word in enumerate(words)
            if not _is_prefix(words, place, known)
            and not (place and word.text == "." and _is_prefix(words, place - 1, known))
        ]
        return " ".join(kept)


def _is_prefix(words: Sequence[Word], place: int, known: set[str]) -> bool:
    following = words[place + 1].text if place + 1 < len(words) else ""
    before = words[place - 1].text if place else ""
    return words[place].text.lower() in known and following == "." and before != "."


def read_source(words: Sequence[Word], inside: Range) -> tuple[Source, int]:
    """Return the first table or query of FROM, and the place behind it and its name."""
    first, last = inside
    place = first
    while place < last and words[place].upper != "(" and _continues(words, first, place):
        place += 1
    if place < last and words[place].upper == "(":
        place = _closing(words, place, last)
    given = given_name(words, place)
    return Source(words[first:place], given), place + len(given)


def given_name(words: Sequence[Word], place: int) -> Sequence[Word]:
    """Return the words that give a name to what stands before a place."""
    following = words[place : place + 2]
    if len(following) > 1 and following[0].upper == "AS" and following[1].is_name:
        return following
    is_name = bool(following) and following[0].is_name and following[0].upper not in _NO_NAMES
    return following[:1] if is_name else ()


def _continues(words: Sequence[Word], first: int, place: int) -> bool:
    """Return whether a word belongs to a name with points in it."""
    return place == first or "." in (words[place].text, words[place - 1].text)


def _closing(words: Sequence[Word], place: int, last: int) -> int:
    depth = 0
    for at in range(place, last):
        depth += (words[at].upper == "(") - (words[at].upper == ")")
        if not depth:
            return at + 1
    return last


def spans_beside(
    statement: Statement,
    windowing: Windowing,
    source: Source,
    column: Sequence[Word],
    partition: Sequence[Sequence[Word]],
) -> Spans:
    """
    Return what puts windows beside the rows of a source.

    Raises:
        InvalidInput: those of events are of a column that is no instant.
    """
    spelled = source.spelled(column)
    known = spelled.lower() if source.is_events and spelled.isidentifier() else TIME
    if known not in _INSTANTS:
        raise statement.refusal(
            column[0].start,
            f"expected an instant such as {TIME}, got {spelled!r}{nearest(known, _INSTANTS)}",
        )
    return spans_of(
        windowing,
        # In quotes, since some names are keywords beside a parenthesis.
        f'"{spelled}"' if spelled.isidentifier() else spelled,
        [source.spelled(part) for part in partition],
        may_have_windows=not source.is_events,
    )
