"""Windows of matches are those that plain Python makes of all matches, whenever these are decided."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.operator import Hit
from oncue.core.pattern.records import Tick

BEGIN_MS: Final = 1_000_000
PATTERNS: Final = (
    "A",
    "A B",
    "A B+",
    "A B+?",
    "A X* B",
    "A B* C?",
    "A (B X C | B)",
    "(A B | A X X+ C)",
    "(A | B)+ C{2}",
    "A* B",
    "X{3}",
    "A?",
)
SKIPS: Final = (
    "",
    "AFTER MATCH SKIP TO NEXT ROW",
    "AFTER MATCH SKIP TO LAST Y",
)
Span = tuple[int, int]
Found = tuple[int, str, float]
"""A match: its time, its key, and a value."""


def tumble(found: Sequence[Found]) -> Iterator[tuple[Span, Found]]:
    for match in found:
        start = match[0] // 4_000 * 4_000
        yield (start, start + 4_000), match


def hop(found: Sequence[Found]) -> Iterator[tuple[Span, Found]]:
    for match in found:
        last = match[0] // 2_000 * 2_000
        for start in range(last, match[0] - 5_000, -2_000):
            yield (start, start + 5_000), match


def cumulate(found: Sequence[Found]) -> Iterator[tuple[Span, Found]]:
    for match in found:
        start = match[0] // 6_000 * 6_000
        for end in range(start + 2_000, start + 6_001, 2_000):
            if match[0] < end:
                yield (start, end), match


def session(found: Sequence[Found]) -> Iterator[tuple[Span, Found]]:
    open_: list[Found] = []
    for match in [*sorted(found), None]:
        if open_ and (match is None or match[0] - open_[-1][0] >= 3_000):
            yield from (((open_[0][0], open_[-1][0] + 3_000), each) for each in open_)
            open_ = []
        open_ += [match] if match else []


SHAPES: Final[Mapping[str, Callable[[Sequence[Found]], Iterator[tuple[Span, Found]]]]] = {
    "TUMBLE(t, INTERVAL '4' SECOND)": tumble,
    "HOP(t, INTERVAL '2' SECOND, INTERVAL '5' SECOND)": hop,
    "CUMULATE(t, INTERVAL '2' SECOND, INTERVAL '6' SECOND)": cumulate,
    "SESSION(t, INTERVAL '3' SECOND)": session,
}
EVENTS: Final = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 400, 999, 1_000, 1_001, 2_500, 7_000]),
        st.sampled_from([0, 0, 0, 0, 700, 2_000, 9_000, -4_000]),
        st.sampled_from(["x", "y"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


def events_of(given: Sequence[tuple[int, int, str, int]]) -> list[Event]:
    now, events = BEGIN_MS, []
    for offset, (later_ms, behind_ms, key, value) in enumerate(given, 1):
        now += later_ms
        data: Json = {"k": key, "v": value}
        events.append(
            Event(offset, now, f"e{offset}", "case", "row", None, now - behind_ms, data, {})
        )
    return events


def streamed(
    query: str, events: Sequence[Event], delay_ms: int
) -> tuple[list[Hit], Mapping[str, Json]]:
    """Return what a statement gives over a stream, and what it counted."""
    document: Json = {
        "type": "sql",
        "query": query,
        "watermark": {"delay": f"{delay_ms}ms"},
    }
    parsed = parse_pattern({"name": "case", "pattern": document})
    matcher = Matcher()
    watch = matcher.put(parsed.named("pat_case", 1, 1, None), BEGIN_MS)
    found = [one for event in events for one in matcher.fold(event)]
    while (tick_ms := matcher.agenda.next_tick_ms()) is not None:
        found += matcher.fold(Tick(len(events), tick_ms))
    assert matcher.take_failures() == []
    return [one.hit for one in found], watch.stats()


def source(pattern: str, skip: str, within_s: int, rows: str = "") -> str:
    subset = f"SUBSET Y = ({', '.join(name for name in 'AB' if name in pattern) or 'X'})"
    defined = ("A AS v < 3", "B AS v > PREV(v)", "C AS v <> 4", "X AS true")
    define = ", ".join(each for each in defined if each[0] in pattern)
    return (
        "(SELECT time, data.k AS k, data.v AS v FROM events) MATCH_RECOGNIZE (PARTITION BY k"
        " ORDER BY time MEASURES MATCH_ROWTIME() AS t, FIRST(v) + COUNT(*) AS w"
        f" {rows} {skip} PATTERN ({pattern}) WITHIN INTERVAL '{within_s}' SECOND"
        f" {subset} DEFINE {define})"
    )


def expected(
    matches: Sequence[Hit], shape: str, *, grouped: bool
) -> list[tuple[Span, tuple[Json, ...]]]:
    """Return windows of matches as plain Python makes them."""
    by_key: defaultdict[str, list[Found]] = defaultdict(list)
    for hit in matches:
        if hit.values["t"] is not None:
            key, value = str(hit.values["k"]), hit.values["w"]
            assert isinstance(value, int)
            by_key[key if grouped else ""].append((parse_instant(str(hit.values["t"])), key, value))
    windows: defaultdict[tuple[Span, str], list[float]] = defaultdict(list)
    for key, found in by_key.items():
        for span, match in SHAPES[shape](found):
            windows[span, key].append(match[2])
    return [
        (span, (key, len(values), sum(values), max(values), len(set(values))))
        for (span, key), values in windows.items()
        if span[0] >= BEGIN_MS
    ]


@pytest.mark.parametrize("shape", sorted(SHAPES))
@settings(max_examples=120, deadline=None)
@given(
    pattern=st.sampled_from(PATTERNS),
    skip=st.sampled_from(SKIPS),
    within_s=st.sampled_from([1, 3, 8, 60]),
    rows=st.sampled_from(["", "", "ALL ROWS PER MATCH"]),
    delay_ms=st.sampled_from([0, 0, 3_000]),
    grouped=st.booleans(),
    given_=EVENTS,
)
def test_windows_have_all_matches_in_them(
    *,
    shape: str,
    pattern: str,
    skip: str,
    within_s: int,
    rows: str,
    delay_ms: int,
    grouped: bool,
    given_: Sequence[tuple[int, int, str, int]],
) -> None:
    events, read = events_of(given_), source(pattern, skip, within_s, rows)
    matches, alone = streamed(f"SELECT k, t, w FROM {read}", events, delay_ms)
    key, by = ("k", "k, ") if grouped else ("''", "")
    query = (
        f"SELECT {key} AS k, COUNT(*) AS n, SUM(w) AS s, MAX(w) AS high, COUNT(DISTINCT w) AS d"
        f" FROM {read} AS m GROUP BY {by}{shape}"
    )

    hits, counted = streamed(query, events, delay_ms)

    assert counted["late"] == alone["late"]
    assert sorted((hit.window, tuple(hit.values.values())) for hit in hits if hit.window) == sorted(
        expected(matches, shape, grouped=grouped)
    )
    assert [hit.time_ms for hit in hits] == sorted(hit.time_ms for hit in hits)
