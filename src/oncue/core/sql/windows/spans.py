"""
Windows as columns of DuckDB: `window_start`, `window_end` and `window_time` beside each row.

Instants are counted in microseconds, and windows begin at multiples of their length
since 1970, so both are whole numbers and a zone changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.sql.select.windowing import BOUNDS, Shape, Windowing

# No user can write a name with a blank but in quotes.
_BEGINS: Final = '"oncue begins"'
_NUMBER: Final = '"oncue number"'
_MILLISECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Spans:
    """A query in two parts, between which its rows come from; it gives them with their windows."""

    before: str
    after: str


def spans_of(
    windowing: Windowing, column: str, partition: Sequence[str], *, may_have_windows: bool
) -> Spans:
    """Return what puts windows of `column` beside rows, which may come with windows of their own."""
    taken = ", ".join(f"'{name}'" for name in BOUNDS.values())
    star = f"COLUMNS(lambda c: c NOT IN ({taken}))" if may_have_windows else "*"
    at = f"epoch_us({column})"
    size, step, offset = (
        each * _MILLISECOND for each in (windowing.size_ms, windowing.step_ms, windowing.offset_ms)
    )
    match windowing.shape:
        case Shape.TUMBLE:
            return _from_start(star, _instant(_floor(at, size, offset)), size)
        case Shape.HOP:
            first = f"{_floor(f'{at} - {size}', step, offset)} + {step}"
            last = _floor(at, step, offset)
            return _from_start(star, _instant(_each(first, last, step)), size)
        case Shape.CUMULATE:
            first = f"{_floor(at, step, offset)} + {step}"
            last = f"{_floor(at, size, offset)} + {size}"
            return _from_end(star, _instant(_each(first, last, step)), size, offset)
        case Shape.SESSION:
            return _sessions(star, at, partition, size)


def _from_start(star: str, start: str, size: int) -> Spans:
    end = f"epoch_us(window_start) + {size}"
    return Spans(
        f"(SELECT *, {_instant(end)} AS window_end, {_instant(f'{end} - {_MILLISECOND}')} AS window_time"  # noqa: S608 numbers, and what the user wrote
        f" FROM (SELECT {star}, {start} AS window_start FROM ",
        "))",
    )


def _from_end(star: str, end: str, size: int, offset: int) -> Spans:
    last = f"epoch_us(window_end) - {_MILLISECOND}"
    return Spans(
        f"(SELECT * EXCLUDE (window_end), {_instant(_floor(last, size, offset))} AS window_start,"  # noqa: S608 as above
        f" window_end, {_instant(last)} AS window_time FROM (SELECT {star}, {end} AS window_end FROM ",
        "))",
    )


def _sessions(star: str, at: str, partition: Sequence[str], gap: int) -> Spans:
    """A row begins a session that comes a gap or more after the one before; those begun count the sessions."""
    order = f"{_partition(partition)}ORDER BY {at}"
    end = f"max({at}) OVER s + {gap}"
    return Spans(
        f"(SELECT * EXCLUDE ({_BEGINS}, {_NUMBER}), {_instant(f'min({at}) OVER s')} AS window_start,"  # noqa: S608 as above
        f" {_instant(end)} AS window_end, {_instant(f'{end} - {_MILLISECOND}')} AS window_time"
        f" FROM (SELECT *, sum({_BEGINS}) OVER ({order}) AS {_NUMBER}"
        f" FROM (SELECT {star}, CASE WHEN {at} - lag({at}) OVER ({order}) < {gap} THEN 0 ELSE 1 END"
        f" AS {_BEGINS} FROM ",
        f")) WINDOW s AS ({_partition([*partition, _NUMBER])}))",
    )


def _partition(parts: Sequence[str]) -> str:
    return f"PARTITION BY {', '.join(parts)} " if parts else ""


def _floor(number: str, step: int, offset: int) -> str:
    """Return the last multiple of a step up to a number; a remainder has the sign of what is divided."""
    shifted = f"({number} - {offset})" if offset else f"({number})"
    return f"{number} - ({shifted} % {step} + {step}) % {step}"


def _each(first: str, last: str, step: int) -> str:
    return f"unnest(generate_series({first}, {last}, {step}))"


def _instant(number: str) -> str:
    return f"make_timestamptz({number})"
