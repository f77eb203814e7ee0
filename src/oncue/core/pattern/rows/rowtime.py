"""
MATCH_ROWTIME(): the time of a match, which is that of its last row.

It is event time: a measure that is nothing else may be what windows over matches are of.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.pattern.rows.row import NEVER_MS, Spot
from oncue.core.sql.columns import Reference, reference
from oncue.core.sql.scalars import Compiler, Scalar, Sort
from oncue.core.sql.text import Word

NAME: Final = "match_rowtime"
ROWTIMES: Final = (NAME, "match_proctime")


def is_rowtime(words: Sequence[Word]) -> bool:
    """Return whether a measure is MATCH_ROWTIME() and nothing else."""
    spelled = [word.upper for word in words]
    return spelled[:2] == [NAME.upper(), "("] and spelled.index(")") == len(spelled) - 1


def match_rowtime(
    node: exp.Expr, compiler: Compiler[Spot], times: Collection[str], *, is_measure: bool
) -> Scalar[Spot]:
    """
    Return the time of a match; `times` are the names of the time of its rows.

    Raises:
        InvalidInput: it stands where a match has no end yet, or is asked of something else.
    """
    if node.name.lower() != NAME:
        raise compiler.refusal(
            node, "expected MATCH_ROWTIME(): event time alone decides, got MATCH_PROCTIME()"
        )
    if not is_measure:
        raise compiler.refusal(
            node,
            "expected MATCH_ROWTIME() in MEASURES: in DEFINE a match has no end yet;"
            " time is that of the current row",
        )
    lower = {name.lower() for name in times}
    if not lower:
        raise compiler.refusal(
            node, "expected ORDER BY a column of instants, ascending, beside MATCH_ROWTIME()"
        )
    if [each for each in map(reference, node.expressions) if _last_name(each) not in lower]:
        raise compiler.refusal(node, "expected the column of ORDER BY in MATCH_ROWTIME, or nothing")
    return Scalar(Sort.INSTANT, _time_of_end)


def _last_name(found: Reference | None) -> str:
    return str(found.path[-1] if found.path else found.names[0].name).lower() if found else ""


def _time_of_end(spot: Spot) -> Json:
    row = spot.row(spot.end) if spot.end >= spot.start else None
    return None if row is None or row.time_ms == NEVER_MS else row.time_ms
