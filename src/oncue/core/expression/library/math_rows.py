"""The math extension."""

import math
import operator

from oncue.core.expression import numbers
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import free, function, paid

ROWS: tuple[Function, ...] = (
    function(
        "math.greatest",
        "The greatest of the numbers, or of one list of numbers.",
        "math.greatest(1, 2.5) == 2.5",
        paid("any, ... -> any", numbers.greatest),
    ),
    function(
        "math.least",
        "The least of the numbers, or of one list of numbers.",
        "math.least([3, 1, 2]) == 1",
        paid("any, ... -> any", numbers.least),
    ),
    function(
        "math.ceil",
        "The next whole number up.",
        "math.ceil(1.2) == 2.0",
        free("double -> double", numbers.whole(math.ceil)),
    ),
    function(
        "math.floor",
        "The next whole number down.",
        "math.floor(-1.2) == -2.0",
        free("double -> double", numbers.whole(math.floor)),
    ),
    function(
        "math.round",
        "The nearest whole number, a half going away from zero.",
        "math.round(2.5) == 3.0",
        free("double -> double", numbers.round_half_away),
    ),
    function(
        "math.trunc",
        "The number without its fraction.",
        "math.trunc(-1.9) == -1.0",
        free("double -> double", numbers.whole(math.trunc)),
    ),
    function(
        "math.sqrt",
        "The square root; NaN of a negative number.",
        "math.sqrt(4) == 2.0",
        free("double -> double", numbers.square_root),
        free("int -> double", numbers.square_root),
        free("uint -> double", numbers.square_root),
    ),
    function(
        "math.abs",
        "The number without its sign.",
        "math.abs(-1) == 1",
        free("int -> int", numbers.abs_of_int),
        free("uint -> uint", lambda number: number),
        free("double -> double", abs),
    ),
    function(
        "math.sign",
        "-1, 0 or 1.",
        "math.sign(-2.5) == -1.0",
        free("int -> int", numbers.sign_of_int),
        free("uint -> uint", lambda number: type(number)(number > 0)),
        free("double -> double", numbers.sign_of_double),
    ),
    function(
        "math.isNaN",
        "Whether it is NaN.",
        "math.isNaN(0.0 / 0.0)",
        free("double -> bool", math.isnan),
    ),
    function(
        "math.isInf",
        "Whether it is infinite.",
        "math.isInf(1.0 / 0.0)",
        free("double -> bool", math.isinf),
    ),
    function(
        "math.isFinite",
        "Whether it is neither infinite nor NaN.",
        "math.isFinite(1.0)",
        free("double -> bool", math.isfinite),
    ),
    function(
        "math.bitAnd",
        "The bits set in both.",
        "math.bitAnd(5, 3) == 1",
        free("int, int -> int", operator.and_),
        free("uint, uint -> uint", numbers.on_uints(operator.and_)),
    ),
    function(
        "math.bitOr",
        "The bits set in either.",
        "math.bitOr(1, 2) == 3",
        free("int, int -> int", operator.or_),
        free("uint, uint -> uint", numbers.on_uints(operator.or_)),
    ),
    function(
        "math.bitXor",
        "The bits set in one only.",
        "math.bitXor(5, 3) == 6",
        free("int, int -> int", operator.xor),
        free("uint, uint -> uint", numbers.on_uints(operator.xor)),
    ),
    function(
        "math.bitNot",
        "Every bit turned.",
        "math.bitNot(0) == -1",
        free("int -> int", operator.invert),
        free("uint -> uint", numbers.invert_uint),
    ),
    function(
        "math.bitShiftLeft",
        "The bits moved up.",
        "math.bitShiftLeft(1, 4) == 16",
        free("int, int -> int", numbers.shift_left),
        free("uint, int -> uint", numbers.shift_left_uint),
    ),
    function(
        "math.bitShiftRight",
        "The bits moved down, zeros coming in.",
        "math.bitShiftRight(16, 2) == 4",
        free("int, int -> int", numbers.shift_right),
        free("uint, int -> uint", numbers.shift_right_uint),
    ),
)
