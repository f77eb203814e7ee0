"""
How many events arrived when, counted without reading them.

`received_at` never goes back along the offsets, so the offset at which an
instant begins is found by halving; what lies between two offsets is counted by
subtracting. Counts by type walk the index of types alone.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from oncue.core.own_events import OWN_TYPES
from oncue.ports import EventUsage, Span
from oncue.store.sqlite import record

# A change has no type, and what tells of an execution or a match counts as that, not as an event.
_UNCOUNTED = ("", *sorted(OWN_TYPES))
_MARKS = ", ".join("?" * len(_UNCOUNTED))
_BY_TYPE = f"""
SELECT type, count(*) FROM record
WHERE account = ? AND type NOT IN ({_MARKS}) AND "offset" >= ? AND "offset" < ? GROUP BY type
"""  # noqa: S608 question marks alone
_OTHERS = f"""
SELECT count(*) FROM record
WHERE account = ? AND type IN ({_MARKS}) AND "offset" >= ? AND "offset" < ?
"""  # noqa: S608 question marks alone
_ARCHIVED = f"""
SELECT type, (received_at - ?) // ?, count(*) FROM record
WHERE account = ? AND type NOT IN ({_MARKS}) AND received_at >= ? AND received_at < ? GROUP BY 1, 2
"""  # noqa: S608 question marks alone
_ARRIVAL = 'SELECT received_at FROM record WHERE account = ? AND "offset" = ?'


def usage_in(connection: sqlite3.Connection, number: int, span: Span) -> EventUsage:
    """Return what arrived in a span, as one segment has it."""
    first, last = connection.execute(record.BOUNDS, (number,)).fetchone()
    steps = range(span.from_ms, span.to_ms, span.step_ms)
    if last is None:
        return EventUsage({}, [0] * len(steps))
    places = []
    place = first
    for instant in (*steps, span.to_ms):
        place = _first_since(connection, number, instant, (place, last + 1))
        places.append(place)
    bounds = (number, *_UNCOUNTED, places[0], places[-1])
    types = connection.execute(_BY_TYPE, bounds).fetchall()
    series = [
        end - begin - connection.execute(_OTHERS, (number, *_UNCOUNTED, begin, end)).fetchone()[0]
        if end > begin
        else 0
        for begin, end in pairwise(places)
    ]
    return EventUsage(dict(types), series)


def usage_statement(number: int, span: Span) -> tuple[str, Sequence[int | str]]:
    """Return the statement, and its values, by which the archive counts."""
    return _ARCHIVED, [span.from_ms, span.step_ms, number, *_UNCOUNTED, span.from_ms, span.to_ms]


def usage_of(rows: Iterable[tuple[str, int, int]], span: Span) -> EventUsage:
    """Return what that statement found."""
    types: Counter[str] = Counter()
    series = [0] * len(range(span.from_ms, span.to_ms, span.step_ms))
    for event_type, step, count in rows:
        types[event_type] += count
        series[step] += count
    return EventUsage(dict(types), series)


def sum_of(parts: Iterable[EventUsage]) -> EventUsage:
    """Return what several segments have together."""
    types: Counter[str] = Counter()
    series: list[int] = []
    for part in parts:
        types.update(part.by_type)
        series = (
            [a + b for a, b in zip(series, part.series, strict=True)] if series else [*part.series]
        )
    return EventUsage(dict(types), series)


def _first_since(
    connection: sqlite3.Connection, number: int, instant_ms: int, bounds: tuple[int, int]
) -> int:
    """Return the first offset within `bounds` that arrived at `instant_ms` or later; else its end."""
    low, high = bounds
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_ARRIVAL, (number, middle)).fetchone()
        if row[0] < instant_ms:
            low = middle + 1
        else:
            high = middle
    return low
