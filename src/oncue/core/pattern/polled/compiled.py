"""From a pattern with `every` to what looks for its new rows."""

from collections.abc import Mapping
from typing import Final

from oncue.core.event import OWN_SOURCE, Event
from oncue.core.json_text import Json
from oncue.core.own_events import QUERY_FAILED, QUERY_POLLED
from oncue.core.pattern.conditions import parse_conditions
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.sql import SqlPattern
from oncue.core.pattern.plan import Looking
from oncue.core.pattern.polled.operator import PolledOperator
from oncue.core.pattern.polled.poll import Poll
from oncue.core.pattern.selection import Selection
from oncue.core.sql.text import Statement

_BEGINNINGS: Final = ("SELECT", "WITH", "FROM", "(")


def compile_polled(pattern: SqlPattern, statement: Statement) -> Looking:
    """
    Return how to look for rows that were not there before.

    Raises:
        InvalidInput: the statement is none that can be asked.
    """
    first = statement.words[0] if statement.words else None
    if first is None or first.upper not in _BEGINNINGS:
        raise statement.refusal(0, "expected a query, such as SELECT … FROM events")
    assert pattern.every is not None
    poll = Poll(
        pattern.query.strip().rstrip(";"),
        pattern.every,
        tuple(pattern.identity or ()),
        pattern.forget or "on_absence",
        skips_missed=pattern.misfire == "skip",
    )
    conditions = parse_conditions({"query": poll.name}, "query")
    return Looking(
        (Selection((QUERY_POLLED, QUERY_FAILED), OWN_SOURCE, conditions),),
        operator=lambda: PolledOperator(poll, pattern.limits.max_keys),
        key=KeyOf((), _no_key, told=poll.identity),
        poll=poll,
    )


def _no_key(_: Event, __: Mapping[str, Json]) -> str | None:
    """Return the key of a poll's event: its rows have keys of their own."""
    return ""
