"""
Windows as Flink SQL has them: its rows on data out of order, by watermark delay.

Flink's watermark is the last instant of which nothing more comes, ours the first of
which something may, so ours is one millisecond later.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

import pytest

from oncue.core.expression import compile_expression
from oncue.core.pattern.threshold.closing import Closing, ClosingWindows
from oncue.core.pattern.threshold.grids import grid_of
from oncue.core.pattern.threshold.keys import Bounds
from oncue.core.pattern.threshold.measures import measure_named
from oncue.core.pattern.threshold.values import Reader
from tests.architecture.rules import ROOT
from tests.core.pattern.threshold.streams import LONG_AGO, Sent, arrival

CASES: Final = ROOT.parent / "shared" / "cases" / "flink_windows_oracle.json"
UNITS: Final = r"INTERVAL '(\d+)' SECOND"
SHAPES: Final = {
    "tumbling": re.compile(rf"TUMBLE\(TABLE t, DESCRIPTOR\(ts\), {UNITS}\)"),
    "hopping": re.compile(rf"HOP\(TABLE t, DESCRIPTOR\(ts\), {UNITS}, {UNITS}\)"),
    "session": re.compile(rf"SESSION\(TABLE t PARTITION BY k, DESCRIPTOR\(ts\), {UNITS}\)"),
}
MEASURES: Final = {
    "COUNT(*)": ("count", None),
    "SUM(v)": ("sum", "event.data.v"),
    "MIN(v)": ("min", "event.data.v"),
    "MAX(v)": ("max", "event.data.v"),
    "AVG(v)": ("avg", "event.data.v"),
    "COUNT(DISTINCT k)": ("distinct", "event.data.k"),
}
HAVING: Final = {">": float.__gt__, ">=": float.__ge__}
Row = tuple[object, ...]


@dataclass(frozen=True)
class Query:
    """What a query of the file asks."""

    shape: str
    lengths: list[int]
    columns: list[str]
    is_keyed: bool
    having: tuple[str, str, float] | None

    @staticmethod
    def parse(sql: str) -> "Query | None":
        """Return the query; None if it asks more than windows of measures."""
        shapes = [(name, found) for name, form in SHAPES.items() if (found := form.search(sql))]
        selected = re.match(r"SELECT window_start, window_end, (k, )?(.*?) FROM", sql)
        if not shapes or selected is None or " WHERE " in sql or "ROW_NUMBER" in sql:
            return None
        columns = [column.split(" AS ")[0] for column in selected[2].split(", ")]
        having = re.search(r"HAVING (\S+) (>=?) (\d+)", sql)
        return Query(
            shape=shapes[0][0],
            lengths=[int(seconds) * 1_000 for seconds in shapes[0][1].groups()],
            columns=columns,
            is_keyed=selected[1] is not None,
            having=(having[1], having[2], float(having[3])) if having else None,
        )

    def windows(self, column: str) -> ClosingWindows:
        name, of = MEASURES[column]
        expression = compile_expression(of, roots=("event",)) if of else None
        grid = None
        if self.shape == "tumbling":
            grid = grid_of(self.lengths[0], None, None)
        elif self.shape == "hopping":
            grid = grid_of(self.lengths[1], self.lengths[0], None)
        return ClosingWindows(
            Closing(
                measure=measure_named(name),
                reader=Reader(expression, is_distinct=name == "distinct"),
                bounds=Bounds(max_keys=100, ttl_ms=10**9),
                grid=grid,
                gap_ms=self.lengths[0],
            )
        )


@cache
def cases() -> list[dict[str, object]]:
    return json.loads(CASES.read_text())["cases"] if CASES.exists() else []


def fitting() -> list[object]:
    return [
        pytest.param(case, id=str(case["id"]))
        for case in cases()
        if Query.parse(str(case["sql"])) is not None
    ]


def rows(query: Query, case: dict[str, object], column: str) -> list[Row]:
    """Return start, end, key and value of the windows, in the order in which they come."""
    windows = query.windows(column)
    delay, newest = int(str(case["watermark_delay_ms"])), LONG_AGO
    found = []
    stream = case["rows"]
    assert isinstance(stream, list)
    for offset, (_, key, value, time) in enumerate(stream):
        watermark = newest - delay + 1
        found += [*windows.advance(watermark)]
        sent = Sent(time, key if query.is_keyed else "", value)
        given = arrival(sent, offset, watermark)
        values = {"event": {"data": {"v": value, "k": key}}}
        windows.admit(type(given)(given.key, 1, given.event, values, watermark))
        newest = max(newest, time)
    found += [*windows.advance(2**60)]
    return [(row.span[0], row.span[1], row.key, row.value) for row in found]


def ours(query: Query, case: dict[str, object]) -> list[Row]:
    by_column = [rows(query, case, column) for column in query.columns]
    lines = []
    for same in zip(*by_column, strict=True):
        measured = [row[3] for row in same]
        if query.having:
            column, sign, limit = query.having
            value = float(str(measured[query.columns.index(column)]))
            if not HAVING[sign](value, limit):
                continue
        key = [same[0][2]] if query.is_keyed else []
        # Flink's columns are whole numbers.
        lines.append((same[0][0], same[0][1], *key, *(int(float(str(m))) for m in measured)))
    return lines


def theirs(case: dict[str, object]) -> list[Row]:
    expected = case["expected_in_emission_order"]
    assert isinstance(expected, list)
    return [(_instant(row[0]), _instant(row[1]), *row[2:]) for row in expected]


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.skipif(not CASES.exists(), reason="the cases of other engines lie beside the project")
@pytest.mark.parametrize("case", fitting())
def test_windows_are_those_of_flink(case: dict[str, object]) -> None:
    query = Query.parse(str(case["sql"]))
    assert query is not None
    found, expected = ours(query, case), theirs(case)

    # Of one window, Flink's keys come in the order of their hashes.
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert [row[1] for row in found] == [row[1] for row in expected]


@pytest.mark.skipif(not CASES.exists(), reason="the cases of other engines lie beside the project")
def test_enough_of_them_fit() -> None:
    assert len(fitting()) >= 12
