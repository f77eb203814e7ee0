"""
What do a hundred patterns in SQL cost beside the same ones in native kinds?

A hundred pairs of patterns watch one stream, once with their types among twenty and once with
all of them on two types, so that no index spares them an event. Both must find as many matches.
Rates are of one core without a store; each is the best of some rounds, taken in turns. What
has no native kind beside it (OVER, the first of each window, sessions by key) is told alone.

    python -m bench.match_sql [--events 30000] [--rounds 2]
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest, Found
from oncue.core.pattern.plan import ActivePattern
from oncue.system import settle_memory

START_MS: Final = 1_767_225_600_000
COUNTRIES: Final = ("DE", "AT", "CH", "FR", "US", "GB", "IT", "ES")
SUBJECTS: Final = 200

Condition: TypeAlias = dict[str, Json]
Pair: TypeAlias = tuple[str, Condition]
"""A statement, and the same in a native kind."""


def stream(count: int, types: int, chance: random.Random) -> list[Event]:
    """Return events of some types, in order, some 20 ms apart."""
    now, events = START_MS, []
    for offset in range(1, count + 1):
        now += 1 + chance.randrange(39)
        data: dict[str, Json] = {
            "amount": chance.randrange(1_000),
            "price": chance.random() * 100,
            "country": chance.choice(COUNTRIES),
        }
        subject = f"user-{chance.randrange(SUBJECTS)}"
        type_ = f"type-{chance.randrange(types)}"
        events.append(Event(offset, now, f"e-{offset}", "bench", type_, subject, now, data, {}))
    return events


def event_filter(type_: str, _: str, chance: random.Random) -> Pair:
    country, least = chance.choice(COUNTRIES), chance.randrange(500, 990)
    query = (
        f"SELECT subject, data.amount AS amount FROM events WHERE type = '{type_}'"
        f" AND data.country = '{country}' AND data.amount > {least}"
    )
    where = f"event.data.country == '{country}' && event.data.amount > {least}"
    return query, {"type": "event", "event": type_, "where": where}


def range_filter(type_: str, _: str, chance: random.Random) -> Pair:
    least = chance.randrange(950)
    query = (
        f"SELECT * FROM events WHERE type = '{type_}' AND data.price * data.amount > {least * 90}"
    )
    where = f"event.data.price * event.data.amount > {least * 90}.0"
    return query, {"type": "event", "event": type_, "where": where}


def tumbling_count(type_: str, _: str, chance: random.Random) -> Pair:
    count = chance.randrange(2, 5)
    query = (
        "SELECT subject, COUNT(*) AS n, TUMBLE_START(time, INTERVAL '1' MINUTE) AS begin"
        f" FROM events WHERE type = '{type_}'"
        f" GROUP BY TUMBLE(time, INTERVAL '1' MINUTE), subject HAVING COUNT(*) >= {count}"
    )
    return query, _threshold(type_, window_type="tumbling", window="1m", value=count)


def tumbling_sum(type_: str, _: str, chance: random.Random) -> Pair:
    least, below = chance.randrange(500, 2_000), chance.randrange(500, 990)
    query = (
        "SELECT subject, window_end, SUM(data.amount) AS total"
        " FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '1' MINUTE))"
        f" WHERE type = '{type_}' AND data.amount < {below}"
        f" GROUP BY window_start, window_end, subject HAVING SUM(data.amount) > {least}"
    )
    native = _threshold(
        type_, window_type="tumbling", window="1m", measure="sum", of="event.data.amount"
    )
    where = f"event.data.amount < {below}"
    return query, native | {"operator": ">", "value": least, "where": where}


def hopping_average(type_: str, _: str, chance: random.Random) -> Pair:
    least = chance.randrange(50, 95)
    query = (
        "SELECT subject, window_end, AVG(data.price) AS mean FROM"
        " TABLE(HOP(TABLE events, DESCRIPTOR(time), INTERVAL '1' MINUTE, INTERVAL '4' MINUTE))"
        f" WHERE type = '{type_}'"
        f" GROUP BY window_start, window_end, subject HAVING AVG(data.price) >= {least}"
    )
    hopping = {"window_type": "hopping", "window": "4m", "slide": "1m"}
    native = _threshold(type_, measure="avg", of="event.data.price", value=least)
    return query, native | hopping


def session_count(type_: str, _: str, chance: random.Random) -> Pair:
    count = chance.randrange(2, 6)
    query = (
        "SELECT subject, COUNT(*) AS n FROM events"
        f" WHERE type = '{type_}' GROUP BY SESSION(time, INTERVAL '30' SECOND), subject"
        f" HAVING COUNT(*) >= {count}"
    )
    return query, _threshold(type_, window_type="session", gap="30s", value=count)


def next_event(first: str, second: str, chance: random.Random) -> Pair:
    minutes = chance.randrange(2, 10)
    query = (
        f"SELECT * FROM (SELECT * FROM events WHERE type IN ('{first}', '{second}'))"
        " MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time"
        " MEASURES A.data.amount AS was, LAST(time) AS at"
        f" PATTERN (A B) WITHIN INTERVAL '{minutes}' MINUTE"
        f" DEFINE A AS A.type = '{first}', B AS B.type = '{second}')"
    )
    return query, _sequence(f"{minutes}m", {"event": first}, {"event": second})


def next_event_above(first: str, second: str, chance: random.Random) -> Pair:
    minutes, above = chance.randrange(2, 10), chance.randrange(100, 600)
    query = (
        f"SELECT * FROM (SELECT * FROM events WHERE type IN ('{first}', '{second}'))"
        " MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time"
        " MEASURES A.data.amount AS was, B.data.amount AS amount"
        f" PATTERN (A B) WITHIN INTERVAL '{minutes}' MINUTE"
        f" DEFINE A AS A.type = '{first}',"
        f" B AS B.type = '{second}' AND B.data.amount > A.data.amount + {above})"
    )
    where = f"event.data.amount > a.data.amount + {above}"
    return query, _sequence(f"{minutes}m", {"event": first}, {"event": second, "where": where})


def _threshold(type_: str, **fields: Json) -> Condition:
    return {"type": "threshold", "event": type_, "by": ["event.subject"], **fields}


def _sequence(within: str, first: Condition, second: Condition) -> Condition:
    return {
        "type": "sequence",
        "by": ["event.subject"],
        "within": within,
        "emit": "final",
        "steps": [{"as": "a", **first}, {"as": "b", "contiguity": "strict", **second}],
    }


KINDS: Final[Mapping[Callable[[str, str, random.Random], Pair], int]] = {
    event_filter: 20,
    range_filter: 20,
    tumbling_count: 10,
    tumbling_sum: 10,
    hopping_average: 10,
    session_count: 10,
    next_event: 10,
    next_event_above: 10,
}
"""A hundred patterns: how many of each kind."""

ALONE: Final[Mapping[str, str]] = {
    "OVER by time": (
        "SELECT subject, n, mean FROM (SELECT subject, data.amount AS amount,"
        " COUNT(*) OVER (PARTITION BY subject ORDER BY time"
        " RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW) AS n,"
        " AVG(data.amount) OVER (PARTITION BY subject ORDER BY time"
        " RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW) AS mean"
        " FROM events) WHERE amount > 2 * mean"
    ),
    "OVER by rows": (
        "SELECT subject, SUM(data.amount) OVER (PARTITION BY subject ORDER BY time"
        " ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS total FROM events"
    ),
    "first three of a window": (
        "SELECT subject, total, place FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start,"
        " window_end ORDER BY total DESC) AS place FROM (SELECT window_start, window_end, subject,"
        " SUM(data.amount) AS total FROM"
        " TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '1' MINUTE))"
        " GROUP BY window_start, window_end, subject)) WHERE place <= 3"
    ),
    "sessions of a key": (
        "SELECT subject, COUNT(*) AS n, MAX(data.amount) AS most FROM"
        " TABLE(SESSION(TABLE events PARTITION BY subject, DESCRIPTOR(time), INTERVAL '5' SECOND))"
        " GROUP BY window_start, window_end, subject"
    ),
    "row pattern of sums": (
        "SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY subject ORDER BY time"
        " MEASURES SUM(A.data.amount) AS total, COUNT(A.data.amount) AS n"
        " PATTERN (A+ B) WITHIN INTERVAL '5' MINUTE"
        " DEFINE A AS SUM(A.data.amount) < 3000, B AS B.data.amount > 900)"
    ),
}


def active(conditions: Sequence[Condition]) -> list[ActivePattern]:
    """Return the patterns, ready to match."""
    return [
        parse_pattern({"name": f"p-{place}", "pattern": condition}).named(
            f"pat_{place:03d}", 1, 1, None
        )
        for place, condition in enumerate(conditions)
    ]


def run(patterns: Sequence[ActivePattern], events: Sequence[Event]) -> tuple[Counter[int], float]:
    """Return how many matches each pattern has, and how long that took."""
    backtest, found = Backtest(patterns, START_MS), Counter[int]()
    settle_memory()
    began = time.process_time()
    for event in events:
        found.update(_counted(backtest.fold(event)))
    for more in backtest.run_on(None):
        found.update(_counted(more))
    assert not backtest.failures
    return found, time.process_time() - began


def _counted(found: Sequence[Found]) -> Iterator[int]:
    """Yield whose matches they are; windows that began before the pattern are no rows in SQL."""
    return (one.pattern for one in found if not one.hit.window or one.hit.window[0] >= START_MS)


def beside(pairs: Sequence[Pair], events: Sequence[Event], rounds: int) -> tuple[float, float, int]:
    """Return the least seconds of SQL and of native kinds, and how many matches both found."""
    statements = active([{"type": "sql", "query": query} for query, _ in pairs])
    natives = active([native for _, native in pairs])
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        (found, seconds), (expected, others) = run(statements, events), run(natives, events)
        for place, (query, native) in enumerate(pairs):
            assert found[place] == expected[place], (found[place], expected[place], query, native)
        best = [min(best[0], seconds), min(best[1], others)]
    return best[0], best[1], found.total()


def compare(types: int, given: argparse.Namespace) -> None:
    """Print each kind alone, and all of them together."""
    chance = random.Random(20261126)  # noqa: S311 a load, not a secret
    events = stream(given.events, types, chance)
    names = [f"type-{number}" for number in range(types)]
    pairs: list[Pair] = []
    _say(f"all on {types} types, {given.events:,} events", "SQL/s", "native/s", "SQL takes", "")
    for make, count in KINDS.items():
        sampled = [chance.sample(names, 2) for _ in range(count)]
        made = [make(first, second, chance) for first, second in sampled]
        _tell(f"  {count} of {make.__name__}", made, events, given.rounds)
        pairs += made
    _tell(f"  {len(pairs)} patterns together", pairs, events, given.rounds)


def _tell(name: str, pairs: Sequence[Pair], events: Sequence[Event], rounds: int) -> None:
    seconds, others, found = beside(pairs, events, rounds)
    rates = [f"{len(events) / each:,.0f}" for each in (seconds, others)]
    _say(name, *rates, f"{seconds / others:.2f} times", f"{found:,} matches each")


def _say(name: str, *columns: str) -> None:
    *figures, last = columns
    sys.stdout.write(f"{name:42}{''.join(f'{each:>13}' for each in figures)}   {last}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    for types in (20, 2):
        compare(types, given)
    events = stream(given.events, 1, random.Random(7))  # noqa: S311 a load, not a secret
    _say("one pattern alone, on all events", "SQL/s", "")
    for name, query in ALONE.items():
        found, seconds = run(active([{"type": "sql", "query": query}]), events)
        rate = f"{len(events) / seconds:,.0f}"
        _say(f"  {name}", rate, f"{found.total():,} matches")


if __name__ == "__main__":
    main()
