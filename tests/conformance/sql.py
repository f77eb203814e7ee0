"""Cases of SQL engines: row patterns and windows, which are run once patterns are written in SQL."""

from collections.abc import Mapping
from typing import Final

from oncue.core.json_text import Json
from tests.conformance.cases import Result, Verdict, text_of

ROW_PATTERNS: Final = "match-recognize-cases/1"
WINDOWS: Final = "flink-window-cases/1"


def judge_row_pattern(case: Mapping[str, Json], _: Mapping[str, Json] | None) -> Result:
    """Return that the engine reads no row patterns."""
    return Result(text_of(case["id"]), Verdict.UNSUPPORTED, "MATCH_RECOGNIZE")


def judge_window(case: Mapping[str, Json], _: Mapping[str, Json] | None) -> Result:
    """Return that the engine reads no windows in SQL."""
    return Result(text_of(case["id"]), Verdict.UNSUPPORTED, "windows in SQL")
