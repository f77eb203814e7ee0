"""A row pattern gives the same rows over the stored events as in a backtest over the log."""

from collections import Counter
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json, encode_json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from tests.core.pattern.rows.driving import LONG, Driver
from tests.core.pattern.rows.naive import DEFINITIONS
from tests.core.pattern.rows.test_enumeration import NAMES, SKIPS, patterns
from tests.make import make_event
from tests.querying import Asked

ROWS = (
    "ONE ROW PER MATCH",
    "ALL ROWS PER MATCH",
    "ALL ROWS PER MATCH OMIT EMPTY MATCHES",
    "ALL ROWS PER MATCH WITH UNMATCHED ROWS",
)
SOURCES = (
    "events",
    "(SELECT * FROM events WHERE type = 'row')",
    "(SELECT time, id, type, data, extensions, subject FROM events WHERE subject <> 'z') AS s",
)
MEASURES = ", ".join(
    (
        "MATCH_NUMBER() AS number",
        "CLASSIFIER() AS label",
        "LAST(A.data.v) AS a",
        "SUM(data.v) AS total",
        "AVG(B.data.v) AS mean",
        "FINAL COUNT(*) AS n",
        "MAX(data.v) AS most",
        "FIRST(time) AS began",
        "LAST(time) - FIRST(time) AS took",
        "data.deep.places[1] AS listed",
        "A.data.v > 1 AS above",
        "data.deep AS deep",
    )
)

values = st.sampled_from([0, 1, 2, 3, None, 1.5, "text", True])
events_of = st.lists(
    st.tuples(values, st.sampled_from(["x", "y", None, 1, 1.0]), st.sampled_from(["row", "other"])),
    max_size=9,
)


@settings(max_examples=25, deadline=None)
@given(
    inner=patterns,
    definitions=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(DEFINITIONS))),
    given_=events_of,
    shape=st.tuples(
        st.sampled_from(ROWS), st.sampled_from(sorted(SKIPS)), st.sampled_from(SOURCES)
    ),
    within_s=st.sampled_from([1, 2, 3, 5, 100]),
)
def test_a_query_gives_the_rows_of_a_backtest(
    inner: str,
    definitions: Mapping[str, str],
    given_: list[tuple[Json, Json, str]],
    shape: tuple[str, str, str],
    within_s: int,
) -> None:
    rows, skip, source = shape
    define = ", ".join(
        f"{name} AS {of.replace('X.', f'{name}.')}" for name, of in definitions.items()
    )
    query = (
        f"SELECT * FROM {source} MATCH_RECOGNIZE (PARTITION BY data.key ORDER BY time, data.v DESC"
        f" MEASURES {MEASURES} {rows} {skip} PATTERN ({inner} | A B C)"
        f" WITHIN INTERVAL '{within_s}' SECOND SUBSET U = (A, B)"
        f"{f' DEFINE {define}' if define else ''})"
    )
    events = [
        make_event(
            offset=place,
            id=f"e-{place}",
            type=type_,
            subject="s",
            # Two and two have the same time.
            time_ms=place // 2 * 1_000,
            received_at_ms=place // 2 * 1_000,
            data={"v": value, "key": key, "deep": {"places": [key, place]}},
        )
        for place, (value, key, type_) in enumerate(given_, 1)
    ]

    told = _backtest(query, events)
    try:
        asked = Asked(events).ask(query).documents()
    except InvalidInput as exc:
        assert "where the search goes on" in str(exc)  # noqa: PT017 it may be answered, too
        assert _missed(query, events)
        return
    assert not _missed(query, events)
    assert _counted(asked) == _counted(told)


def _backtest(query: str, events: list[Event]) -> list[Mapping[str, Json]]:
    document: Json = {"type": "sql", "query": query, "on_missing_key": "null_key"}
    parsed = parse_pattern({"name": "rows", "pattern": document})
    backtest = Backtest([parsed.named("pat_rows", 1, 1, None)], 0)
    found = [each for event in events for each in backtest.fold(event)]
    for more in backtest.run_on(LONG):
        found += more
    assert backtest.failures == 0
    return [each.hit.values for each in found]


def _missed(query: str, events: list[Event]) -> int:
    driver = Driver(query, on_missing_key="null_key")
    for event in events:
        if event.type == "row" or "type = 'row'" not in query:
            driver.admit(event)
    driver.advance()
    return driver.operator.counts.get("skip_targets_missed", 0)


def _counted(rows: Sequence[Mapping[str, Json]]) -> Counter[bytes]:
    return Counter(
        encode_json({name: _plain(value) for name, value in row.items()}) for row in rows
    )


def _plain(value: Json) -> Json:
    """Return a value with whole numbers alike: 2 is 2.0, but true is not 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in sorted(value.items())}
    return value
