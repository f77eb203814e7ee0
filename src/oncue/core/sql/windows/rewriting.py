"""
Windows as streams have them, in SQL for DuckDB.

A window is put beside each row that is inside of it, so that the rest is plain SQL:

    FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '1' HOUR)) AS e WHERE …
    FROM (SELECT *, … AS window_start, … FROM events AS e) AS e WHERE …

    FROM events AS e WHERE … GROUP BY TUMBLE(time, INTERVAL '1' HOUR)
    FROM (SELECT *, … AS window_start, … FROM events AS e) AS e WHERE … GROUP BY window_start, window_end

What makes a session are the rows that WHERE wants, so it is moved inside. All else stays
as the user wrote it, at its place.
"""

import re
from typing import Final

from oncue.core.errors import InvalidInput
from oncue.core.sql.select.windowing import (
    BEGINNINGS,
    BOUNDS,
    SHAPES,
    Shape,
    WindowTable,
    table_function,
)
from oncue.core.sql.text import Statement
from oncue.core.sql.windows.clauses import Core, Range, conjuncts, cores, split
from oncue.core.sql.windows.draft import Draft
from oncue.core.sql.windows.grouping import Grouping
from oncue.core.sql.windows.sources import Source, given_name, read_source, spans_beside

_MAYBE: Final = re.compile(
    rf"\b(TABLE|{'|'.join(SHAPES)})(_({'|'.join(BOUNDS)}))?\s*\(", re.IGNORECASE
)


def with_windows(sql: str) -> str:
    """
    Return `sql` with its windows in SQL that DuckDB knows.

    Raises:
        InvalidInput: a window is not spelled as one.

    >>> with_windows("SELECT count(*) FROM events")
    'SELECT count(*) FROM events'
    """
    if not _MAYBE.search(sql):
        return sql
    try:
        statement = Statement(sql, "sql")
    except InvalidInput:
        # What is no SQL of streams may still be some of DuckDB.
        return sql
    return _rewritten(Draft(statement))


class _Tables:
    """Rewrites the table functions of a statement."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def found(self) -> dict[int, WindowTable]:
        """Return the table functions by where they begin."""
        words = self._draft.words
        tables: dict[int, WindowTable] = {}
        for place, word in enumerate(words):
            if word.upper not in BEGINNINGS or place in self._draft.claimed:
                continue
            table = table_function(self._draft.statement, words[place:])
            if table:
                tables[place] = table
                self._draft.claimed |= {place, place + 2} if word.upper == "TABLE" else {place}
        return tables

    def rewrite(self, place: int, table: WindowTable, core: Core | None) -> None:
        """Put a query in the place of a table function."""
        behind = place + table.taken
        source = Source(table.source, given_name(self._draft.words, behind))
        spans = spans_beside(
            self._draft.statement, table.windowing, source, table.column, table.partition
        )
        self._draft.replace(self._draft.words[place].start, source.words[0].start, spans.before)
        end = source.end, self._draft.words[behind - 1].end
        if core:
            self._group_time(core)
        where = core.clauses.get("WHERE") if core else None
        is_alone = where is not None and behind + len(source.given) + 1 == where[0]
        if where and is_alone and table.windowing.shape is Shape.SESSION:
            self._draft.replace(*end, "")
            kept = self._taken_out(where)
            self._draft.insert(where[1], f"{spans.after}{source.named}{kept}")
        else:
            self._draft.replace(*end, spans.after + ("" if source.given else source.named))

    def _group_time(self, core: Core) -> None:
        """Let `window_time` stand beside a GROUP BY that names the end of windows."""
        parts = split(self._draft.words, core.clauses.get("GROUP", (0, 0)), ",")
        names = {
            self._draft.words[end - 1].name.lower(): (first, end)
            for first, end in parts
            if end - first in (1, 3)
        }
        end, time = BOUNDS["END"], BOUNDS["ROWTIME"]
        if end in names and time not in names:
            first, last = names[end]
            prefix = "".join(word.text for word in self._draft.words[first : last - 1])
            self._draft.insert(last, f", {prefix}{time}")

    def _taken_out(self, where: Range) -> str:
        """Take out of a WHERE what asks for bounds of windows, and return it as a WHERE of its own."""
        kept: list[str] = []
        for first, last in conjuncts(self._draft.words, where):
            if any(word.name.lower() in BOUNDS.values() for word in self._draft.words[first:last]):
                start, end = self._draft.words[first].start, self._draft.words[last - 1].end
                kept.append(self._draft.rendered(start, end))
                self._draft.replace(start, end, "TRUE")
        return f" WHERE {' AND '.join(kept)}" if kept else ""


def _rewritten(draft: Draft) -> str:
    tables = _Tables(draft)
    every, found = tables.found(), cores(draft.words)
    reading = {core.clauses["FROM"][0]: core for core in found if "FROM" in core.clauses}
    grouping = Grouping(draft, every)
    # From the inside to the outside, so that what is moved was rewritten before.
    for core in found:
        grouping.rewrite(core)
    for place, table in reversed(every.items()):
        tables.rewrite(place, table, reading.get(place))
    for place in range(len(draft.words)):
        if draft.is_window(place) and place not in draft.claimed:
            _refuse_elsewhere(draft, place)
    text = draft.statement.text
    return draft.rendered(0, len(text)) if draft.claimed else text


def _refuse_elsewhere(draft: Draft, place: int) -> None:
    """Refuse windows that stand neither in FROM nor in GROUP BY."""
    shape = draft.words[place].upper
    _, end = read_source(draft.words, (place, len(draft.words)))
    if "INTERVAL" in [word.upper for word in draft.words[place:end]]:
        raise draft.refusal(
            place, f"expected {shape} in GROUP BY, or FROM TABLE({shape}(TABLE …, …))"
        )
