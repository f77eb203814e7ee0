"""Conversions, sizes and types."""

from oncue.core.expression import arithmetic, conversions, encoding, moments
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import either, free, function, sized

ROWS: tuple[Function, ...] = (
    either(
        "size",
        "How many characters, bytes, members or keys.",
        "size('four') == 4 && [1, 2].size() == 2",
        free("string -> int", len),
        free("bytes -> int", len),
        free("list -> int", len),
        free("map -> int", len),
    ),
    function("dyn", "The value itself.", "dyn(1) == 1.0", free("any -> any", lambda value: value)),
    function(
        "type",
        "The type of a value.",
        "type(1) == int && type('a') == string",
        free("any -> type", conversions.type_of),
    ),
    function(
        "bool",
        "A bool from text such as 'true' or 'false'.",
        "bool('true')",
        free("bool -> bool", lambda flag: flag),
        free("string -> bool", conversions.bool_of_string),
    ),
    function(
        "int",
        "A whole number from a number (cut toward zero), from text, or seconds since 1970.",
        "int('42') == 42 && int(-1.9) == -1",
        free("int -> int", lambda number: number),
        free("uint -> int", lambda number: arithmetic.to_int(int(number))),
        free("double -> int", conversions.int_of_double),
        free("string -> int", conversions.int_of_string),
        free("timestamp -> int", moments.seconds_of_timestamp),
    ),
    function(
        "uint",
        "An unsigned whole number.",
        "uint('42') == 42u",
        free("uint -> uint", lambda number: number),
        free("int -> uint", arithmetic.to_uint),
        free("double -> uint", conversions.uint_of_double),
        free("string -> uint", conversions.uint_of_string),
    ),
    function(
        "double",
        "A number with a fraction.",
        "double('1.5') == 1.5",
        free("double -> double", lambda number: number),
        free("int -> double", arithmetic.to_double),
        free("uint -> double", arithmetic.to_double),
        sized("string -> double", conversions.double_of_string),
    ),
    function(
        "string",
        "The text of a number, bool, moment, duration, or of bytes in UTF-8.",
        "string(1.5) == '1.5'",
        free("string -> string", lambda text: text),
        free("bool -> string", conversions.string_of_bool),
        free("int -> string", conversions.string_of_int),
        free("uint -> string", conversions.string_of_uint),
        free("double -> string", conversions.format_double),
        sized("bytes -> string", conversions.string_of_bytes),
        free("timestamp -> string", moments.format_timestamp),
        free("duration -> string", moments.format_duration),
    ),
    function(
        "bytes",
        "The UTF-8 of a text.",
        "bytes('é') == b'\\xc3\\xa9'",
        free("bytes -> bytes", lambda octets: octets),
        sized("string -> bytes", str.encode),
    ),
    function(
        "base64.encode",
        "Bytes as base64.",
        "base64.encode(b'hello') == 'aGVsbG8='",
        sized("bytes -> string", encoding.encode_base64),
    ),
    function(
        "base64.decode",
        "The bytes that base64 encodes; missing padding is accepted.",
        "base64.decode('aGVsbG8') == b'hello'",
        sized("string -> bytes", encoding.decode_base64),
    ),
)
