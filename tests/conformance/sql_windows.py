"""
Cases of Flink's SQL over event time: windows, OVER, Top-N, and row patterns with WITHIN.

The rows of a case are events of one type, in their order of arrival. Flink's watermark W
says that nothing at W comes any more, ours that nothing before it does: so after each row
time is moved a millisecond on. An AVG of integers is an integer in Flink, and cut off.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest, Found
from oncue.core.pattern.records import LogRecord, Tick
from tests.conformance.cases import Result, Verdict, Way, list_of, number_of, object_of, text_of
from tests.conformance.driving import FOREVER

FORMAT: Final = "flink-window-cases/1"
_IDLE_MS: Final = 1
_BEGAN_MS: Final = -(2**40)
_INTEGER_AVERAGE: Final = re.compile(r"AVG\(([^()]*)\)")
_INNERMOST: Final = re.compile(r"SELECT(?:(?!SELECT).)*\bFROM\s+(?:TABLE\(|t\b)", re.DOTALL)
_WINDOWED: Final = ("window_start", "window_end")


def judge(case: Mapping[str, Json], _: Mapping[str, Json] | None) -> Result:
    """Return whether the rows of a case come in the order of their windows, or of time."""
    id_ = text_of(case["id"])
    try:
        rows = _run(case)
    except InvalidInput as exc:
        return Result(id_, Verdict.UNSUPPORTED, str(exc))
    expected = [list_of(row) for row in list_of(case["expected_in_emission_order"])]
    actual: Json = [list(row) for row in rows]
    if _comparable(rows) == _comparable(expected):
        return Result(id_, Verdict.PASSED, "", actual, Way.PUBLIC)
    reason = f"expected {expected}, got {rows}"
    difference = _difference(text_of(case["sql"]), rows, expected)
    return Result(id_, Verdict.FAILED, reason, actual, Way.PUBLIC, difference)


def _difference(
    sql: str, rows: Sequence[Sequence[Json]], expected: Sequence[Sequence[Json]]
) -> str:
    """Return what explains that there are rows which Flink does not give, and no others."""
    ours = [repr([_plain(value) for value in row]) for row in rows]
    theirs = [repr([_plain(value) for value in row]) for row in expected]
    if [row for row in ours if row in theirs] != theirs:
        return ""
    return "a greedy loop of Flink gives nothing back" if "MATCH_RECOGNIZE" in sql else ""


def _run(case: Mapping[str, Json]) -> list[Sequence[Json]]:
    names = list(object_of(case["columns"]))
    sql = text_of(case["sql"])
    document: Json = {
        "type": "sql",
        "query": _over_events(sql, names),
        "watermark": {
            "delay": f"{number_of(case['watermark_delay_ms'])}ms",
            "idle_timeout": f"{_IDLE_MS}ms",
        },
        "on_missing_key": "null_key",
    }
    parsed = parse_pattern({"name": "case", "pattern": document})
    backtest = Backtest([parsed.named("pat_case", 1, 1, None)], _BEGAN_MS)
    found: list[Found] = []
    rows = [list_of(row) for row in list_of(case["rows"])]
    for record in _records(names, rows, skips_zero=" OVER " in sql and "TABLE(" not in sql):
        found += backtest.fold(record)
    for more in backtest.run_on(FOREVER):
        found += more
    assert backtest.failures == 0
    return [list(one.hit.values.values()) for one in found]


def _records(
    names: Sequence[str], rows: Sequence[Sequence[Json]], *, skips_zero: bool
) -> Iterator[LogRecord]:
    latest_ms = 0
    for place, row in enumerate(rows, 1):
        values = dict(zip(names, row, strict=True))
        time_ms = number_of(values.pop("ts"))
        if skips_zero and not time_ms:
            continue
        latest_ms = max(latest_ms, time_ms)
        yield Event(place, latest_ms, str(place), "case", "row", None, time_ms, values, {})
        yield Tick(place, latest_ms + 1 + _IDLE_MS)


def _over_events(sql: str, names: Sequence[str]) -> str:
    """Return a statement with the table `t` read as events, whose data has its columns."""
    columns = [name for name in names if name != "ts"]
    if "MATCH_RECOGNIZE" in sql:
        inner = ", ".join(f"data.{name} AS {name}" for name in columns)
        return sql.replace("FROM t ", f"FROM (SELECT {inner}, time AS ts FROM events) ")
    found = _INNERMOST.search(sql)
    assert found
    end = _end_of(sql, found.end())
    inner = re.sub(r"\bt\b", "events", sql[found.start() : end]).replace("ts)", "time)")
    inner = inner.replace("BY ts", "BY time")
    for name in columns:
        inner = re.sub(rf"(?<![\w.])(?<!AS ){name}\b", f"data.{name}", inner)
    inner = _INTEGER_AVERAGE.sub(r"(AVG(\1) // 1)", inner)
    return sql[: found.start()] + inner + sql[end:]


def _end_of(sql: str, at: int) -> int:
    """Return where the parentheses around a place end, or the text."""
    depth = sql.count("(", 0, at) - sql.count(")", 0, at)
    outer = depth - sql[:at].endswith("TABLE(")
    for place in range(at, len(sql)):
        depth += (sql[place] == "(") - (sql[place] == ")")
        if depth < outer:
            return place
    return len(sql)


def _comparable(rows: Sequence[Sequence[Json]]) -> list[list[str]]:
    """Return rows grouped by the windows they end with, each group in an order of its own."""
    groups: list[tuple[Json, list[str]]] = []
    for row in rows:
        values = [_plain(value) for value in row]
        end = values[1] if len(values) > 1 and str(values[1]).startswith("instant") else None
        if not groups or groups[-1][0] != end:
            groups.append((end, []))
        groups[-1][1].append(repr(values))
    return [sorted(group) for _, group in groups]


def _plain(value: Json) -> Json:
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        spelled = value if value.endswith("Z") else f"{value}Z"
        return f"instant {parse_instant(spelled)}"
    return int(value) if isinstance(value, float) and value.is_integer() else value
