"""The order of rows of one instant, by further columns of ORDER BY."""

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

from oncue.core.json_text import Json
from oncue.core.pattern.rows.row import Row
from oncue.core.sql import values


def ranked(keys: Sequence[tuple[int, bool]]) -> Callable[[Row], Any]:
    """Return what orders rows by places of theirs; the truth value says that the order is descending."""

    def compare(left: Row, right: Row) -> int:
        for place, is_descending in keys:
            first, second = left.values[place], right.values[place]
            placed = _order(first, second)
            if placed:
                return -placed if is_descending else placed
        return 0

    return cmp_to_key(compare)


def _order(left: Json, right: Json) -> int:
    """Numbers before texts before all else, so that the order is total; NULL is last."""
    placed = values.order(left, right)
    return placed if placed is not None else _kind(left) - _kind(right)


def _kind(value: Json) -> int:
    match value:
        case bool():
            return 0
        case int() | float():
            return 1
        case str():
            return 2
        case None:
            return 4
        case _:
            return 3
