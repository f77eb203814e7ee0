"""
Cases of SQL engines: row patterns and windows.

A case's rows are events whose data has its columns, and its table is a query over them. Its
order is that of their time. Each is asked of the stored events too, where the answer must be the
same; what a stream cannot have, such as the anchors, is asked of them alone.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Final

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest
from oncue.core.sql import values
from tests.conformance.cases import (
    Result,
    Verdict,
    Way,
    list_of,
    number_of,
    object_of,
    text_of,
)
from tests.conformance.driving import FOREVER
from tests.querying import Asked

ROW_PATTERNS: Final = "match-recognize-cases/1"
_STEP_MS: Final = 1_000
_ORDER: Final = re.compile(
    r"ORDER BY (.*?)\s+(?=MEASURES|ONE ROW|ALL ROWS|AFTER|PATTERN)", re.DOTALL
)
_TIMES: Final = ("rowtime", "proctime")
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.(\d+))?Z?")


def judge_row_pattern(case: Mapping[str, Json], _: Mapping[str, Json] | None) -> Result:
    """Return what a case comes to; where engines differ, the standard's reading is expected."""
    id_ = text_of(case["id"])
    run = _Run.of(case)
    if case.get("expected_error") is not None:
        return _judged_error(id_, run)
    try:
        asked = run.asked()
        streamed = run.streamed()
    except InvalidInput as exc:
        return Result(id_, Verdict.UNSUPPORTED, str(exc))
    if streamed is not None and not _same(streamed, asked, in_order=False):
        reason = f"the stream gives {streamed}, a query {asked}"
        return Result(id_, Verdict.FAILED, reason, asked, Way.OPERATOR)
    rows, way = (asked, Way.OPERATOR) if streamed is None else (streamed, Way.PUBLIC)
    actual: Json = [_csv(row) for row in rows] if "expected_rows_csv" in case else rows
    expected = case.get("expected_standard_rows_csv", case.get("expected_rows_csv"))
    if expected is None:
        expected = case.get("expected")
    if expected is None:
        return Result(id_, Verdict.UNJUDGED, "", actual, way)
    if _same(list_of(actual), list_of(expected), in_order=case.get("order_insensitive") is False):
        return Result(id_, Verdict.PASSED, "", actual, way)
    return Result(id_, Verdict.FAILED, f"expected {expected}, got {actual}", actual, way)


def _judged_error(id_: str, run: "_Run") -> Result:
    """A query stops at a place to skip to that is missing; a stream counts it and goes on."""
    try:
        actual: Json = run.asked()
    except InvalidInput as exc:
        is_missed = "where the search goes on" in str(exc)
        verdict = Verdict.PASSED if is_missed else Verdict.FAILED
        return Result(id_, verdict, str(exc), {"error": str(exc)}, Way.OPERATOR)
    return Result(id_, Verdict.FAILED, "expected an error", actual, Way.OPERATOR)


@dataclass(frozen=True)
class _Run:
    """A statement over events, and how late these come at most."""

    sql: str
    events: Sequence[Event]
    delay_ms: int

    @classmethod
    def of(cls, case: Mapping[str, Json]) -> "_Run":
        columns = case["columns"]
        assert isinstance(columns, Sequence | Mapping)
        names = [str(name) for name in columns]
        written = (
            str(case["sql"])
            if "match_recognize" not in case
            else (
                f"SELECT {case['select']} FROM source MATCH_RECOGNIZE ({case['match_recognize']}) AS m"
            )
        )
        written = _with_functions(written, object_of(case.get("udfs") or {}))
        found = _ORDER.search(written)
        order = [each.strip() for each in found.group(1).split(",")] if found else []
        rows = [dict(zip(names, list_of(row), strict=True)) for row in list_of(case["rows"])]
        times = case.get("rowtime_ms")
        if times is None:
            rows.sort(key=cmp_to_key(_ranks([each for each in order if each not in _TIMES])))
            times = [_STEP_MS * place for place in range(1, len(rows) + 1)]
        events: list[Event] = []
        latest_ms = delay_ms = 0
        for offset, (row, time) in enumerate(zip(rows, list_of(times), strict=True), 1):
            time_ms = number_of(time)
            latest_ms = max(latest_ms, time_ms)
            delay_ms = max(delay_ms, latest_ms - time_ms)
            events.append(
                Event(offset, latest_ms, str(offset), "case", "row", None, time_ms, row, {})
            )
        return cls(_over_events(written, names, order), events, delay_ms)

    def streamed(self) -> list[Json] | None:
        """Return the rows of the result by the stream; None, if it cannot be streamed."""
        document: Json = {
            "type": "sql",
            "query": self.sql,
            "watermark": {"delay": f"{self.delay_ms}ms"},
            "on_missing_key": "null_key",
        }
        try:
            parsed = parse_pattern({"name": "case", "pattern": document})
        except InvalidInput:
            return None
        backtest = Backtest([parsed.named("pat_case", 1, 1, None)], 0)
        found = [hit for event in self.events for hit in backtest.fold(event)]
        for more in backtest.run_on(FOREVER):
            found += more
        assert backtest.failures == 0
        return [_row(each.hit.values) for each in found]

    def asked(self) -> list[Json]:
        """Return the rows of the result by a query over the stored events."""
        return [_row(found) for found in Asked(self.events).ask(self.sql).documents()]


def _ranks(order: Sequence[str]):  # type: ignore[no-untyped-def]  # a comparison of dicts
    names = [each.split() for each in order]

    def compare(left: Mapping[str, Json], right: Mapping[str, Json]) -> int:
        for name, *direction in names:
            column = next(each for each in left if each.lower() == name.lower())
            placed = values.order(left[column], right[column]) or 0
            if placed:
                return -placed if direction == ["DESC"] else placed
        return 0

    return compare


def _over_events(sql: str, names: Sequence[str], order: Sequence[str]) -> str:
    """Return a statement whose table is a query over events, in the order of their time."""
    columns = ", ".join(f'data."{name}" AS "{name}"' for name in names)
    source = f"(SELECT time, {columns} FROM events)"
    sql = re.sub(r"FROM \w+(?=\s+MATCH_RECOGNIZE)", lambda _: f"FROM {source}", sql, count=1)
    further = [each for each in order if each not in _TIMES]
    ordered = f"ORDER BY {', '.join(['time', *further])} "
    if _ORDER.search(sql):
        sql = _ORDER.sub(lambda _: ordered, sql, count=1)
    else:
        sql = sql.replace("MEASURES", f"{ordered} MEASURES", 1)
    # What follows orders the whole result, which comes in that order.
    return re.sub(r"\)( AS M) ORDER BY [\w.]+$", r")\1", sql)


def _with_functions(sql: str, functions: Mapping[str, Json]) -> str:
    """Return a statement with the case's own functions written out."""
    for signature, body in functions.items():
        name, _, parameters = signature.rstrip(")").partition("(")
        spelled, _, remark = text_of(body).partition(", integer")
        if remark:
            spelled = spelled.replace("/", "//")
        words = [parameter.split()[0] for parameter in parameters.split(",")]

        def written(
            found: re.Match[str], spelled: str = spelled, words: Sequence[str] = words
        ) -> str:
            given = dict(zip(words, found.group(1).split(","), strict=True))
            inner = re.sub(r"\w+", lambda word: given.get(word.group(), word.group()), spelled)
            return f"({inner})"

        sql = re.sub(rf"\b{name}\(([^()]*)\)", written, sql)
    return sql


def _row(found: Mapping[str, Json]) -> list[Json]:
    """Return a row without the time that the case does not know of."""
    return [value for name, value in found.items() if name != "time"]


def _csv(row: Json) -> str:
    return ",".join(values.spelled(value) or "null" for value in list_of(row))


def _same(actual: Sequence[Json], expected: Sequence[Json], *, in_order: bool) -> bool:
    left, right = [_rounded(row) for row in actual], [_rounded(row) for row in expected]
    return left == right if in_order else Counter(left) == Counter(right)


def _rounded(row: Json) -> str:
    """Return a row as text; the same sum is another in its last digits by another way."""
    cells = row.split(",") if isinstance(row, str) else [repr(cell) for cell in list_of(row)]
    return "|".join(_cell(cell) for cell in cells)


def _cell(text: str) -> str:
    try:
        return f"{float(text):.9g}"
    except ValueError:
        pass
    found = _INSTANT.fullmatch(text)
    if found is None:
        return text
    # Java leaves out what is zero at the end, and the zone, which is UTC.
    minute, second, fraction = found.groups()
    return f"{minute}{second or ':00'}.{(fraction or '').rstrip('0') or '0'}"
