"""Operators. `&&`, `||` and `?:` are not here: they do not evaluate all their operands."""

from collections.abc import Callable

from oncue.core.expression import arithmetic, comparison, text
from oncue.core.expression.function import Function, Overload
from oncue.core.expression.library.rows import free, operator, paid

_ORDERED = ("bool", "string", "bytes", "timestamp", "duration")
_NUMBERS = ("int", "uint", "double")


def _order(call: Callable[..., object]) -> tuple[Overload, ...]:
    return (
        *(paid(f"{one}, {other} -> bool", call) for one in _NUMBERS for other in _NUMBERS),
        *(paid(f"{kind}, {kind} -> bool", call) for kind in _ORDERED),
    )


def _doubles(call: Callable[..., object]) -> tuple[Overload, ...]:
    return (
        free("double, double -> double", call),
        # Our one relaxation of the standard: JSON writes 1.0 as 1.
        free("int, double -> double", call),
        free("double, int -> double", call),
    )


ROWS: tuple[Function, ...] = (
    operator(
        "_==_", "Equal.", "1 == 1.0 && 'a' != 'A'", paid("any, any -> bool", comparison.equals)
    ),
    operator("_!=_", "Not equal.", "[1] != [2]", paid("any, any -> bool", comparison.differs)),
    operator("_<_", "Less, earlier, or before.", "'a' < 'b'", *_order(comparison.less)),
    operator("_<=_", "Less or equal.", "1 <= 1.5", *_order(comparison.less_or_equal)),
    operator("_>_", "Greater, later, or after.", "2 > 1", *_order(comparison.greater)),
    operator("_>=_", "Greater or equal.", "2 >= 2", *_order(comparison.greater_or_equal)),
    operator(
        "@in",
        "A member of a list, or a key of a map.",
        "'b' in ['a', 'b'] && 'k' in {'k': 1}",
        paid("any, list -> bool", comparison.is_in),
        paid("any, map -> bool", comparison.is_in),
    ),
    operator(
        "_+_",
        "Sum of numbers, strings, bytes or lists one after the other, a moment moved.",
        "1 + 1 == 2 && 'a' + 'b' == 'ab' && [1] + [2] == [1, 2]",
        free("int, int -> int", arithmetic.add_ints),
        free("uint, uint -> uint", arithmetic.add_uints),
        *_doubles(arithmetic.add_doubles),
        paid("string, string -> string", text.concat),
        paid("bytes, bytes -> bytes", text.concat_bytes),
        paid("list, list -> list", text.concat_lists),
        free("timestamp, duration -> timestamp", arithmetic.move_later),
        free("duration, timestamp -> timestamp", arithmetic.move_later_by),
        free("duration, duration -> duration", arithmetic.add_spans),
    ),
    operator(
        "_-_",
        "Difference of numbers, a moment moved back, or the time between two moments.",
        "3 - 1 == 2",
        free("int, int -> int", arithmetic.subtract_ints),
        free("uint, uint -> uint", arithmetic.subtract_uints),
        *_doubles(arithmetic.subtract_doubles),
        free("timestamp, duration -> timestamp", arithmetic.move_earlier),
        free("timestamp, timestamp -> duration", arithmetic.time_between),
        free("duration, duration -> duration", arithmetic.subtract_spans),
    ),
    operator(
        "_*_",
        "Product.",
        "2 * 2.5 == 5.0",
        free("int, int -> int", arithmetic.multiply_ints),
        free("uint, uint -> uint", arithmetic.multiply_uints),
        *_doubles(arithmetic.multiply_doubles),
    ),
    operator(
        "_/_",
        "Quotient; of two ints it is cut toward zero.",
        "7 / 2 == 3 && 7 / 2.0 == 3.5",
        free("int, int -> int", arithmetic.divide_ints),
        free("uint, uint -> uint", arithmetic.divide_uints),
        *_doubles(arithmetic.divide_doubles),
    ),
    operator(
        "_%_",
        "Remainder of ints, signed as the left side.",
        "-7 % 2 == -1",
        free("int, int -> int", arithmetic.remainder_of_ints),
        free("uint, uint -> uint", arithmetic.remainder_of_uints),
    ),
    operator(
        "-_",
        "The number with the other sign.",
        "-(1) == 0 - 1",
        free("int -> int", arithmetic.negate_int),
        free("double -> double", float.__neg__),
    ),
    operator("!_", "Not.", "!false", free("bool -> bool", lambda flag: not flag)),
)
