"""Functions of text; places and sizes are counted in characters (code points)."""

from oncue.core.expression import text
from oncue.core.expression.formatting import format_text
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import either, function, method, paid, sized
from oncue.core.expression.regex import matches

ROWS: tuple[Function, ...] = (
    method(
        "contains",
        "Whether the text holds the other.",
        "'foobar'.contains('oba')",
        sized("string, string -> bool", text.contains),
    ),
    method(
        "startsWith",
        "Whether the text begins with the other.",
        "'foobar'.startsWith('foo')",
        sized("string, string -> bool", text.starts_with),
    ),
    method(
        "endsWith",
        "Whether the text ends with the other.",
        "'foobar'.endsWith('bar')",
        sized("string, string -> bool", text.ends_with),
    ),
    either(
        "matches",
        "Whether a regular expression (RE2) is found anywhere in the text.",
        "'grey'.matches('^gr(a|e)y$')",
        paid("string, string -> bool", matches),
    ),
    method(
        "charAt",
        "The character at a place; nothing at the end.",
        "'abc'.charAt(1) == 'b'",
        sized("string, int -> string", text.char_at),
    ),
    method(
        "indexOf",
        "Where the other first occurs, from a place on if one is given; -1 if nowhere.",
        "'hello'.indexOf('l') == 2 && 'hello'.indexOf('l', 3) == 3",
        sized("string, string -> int", text.index_of),
        sized("string, string, int -> int", text.index_of),
    ),
    method(
        "lastIndexOf",
        "Where the other last occurs, up to a place if one is given; -1 if nowhere.",
        "'hello'.lastIndexOf('l') == 3 && 'hello'.lastIndexOf('l', 2) == 2",
        sized("string, string -> int", text.last_index_of),
        sized("string, string, int -> int", text.last_index_before),
    ),
    method(
        "substring",
        "The part from one place on, or up to another.",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
        sized("string, int -> string", text.substring),
        sized("string, int, int -> string", text.substring_between),
    ),
    method(
        "lowerAscii",
        "A to Z in lower case.",
        "'TacoCat'.lowerAscii() == 'tacocat'",
        sized("string -> string", text.lower_ascii),
    ),
    method(
        "upperAscii",
        "a to z in upper case.",
        "'TacoCat'.upperAscii() == 'TACOCAT'",
        sized("string -> string", text.upper_ascii),
    ),
    method(
        "trim",
        "The text without the white space around it.",
        "' a '.trim() == 'a'",
        sized("string -> string", text.trim),
    ),
    method(
        "reverse",
        "The characters from last to first.",
        "'abc'.reverse() == 'cba'",
        sized("string -> string", text.reverse),
    ),
    method(
        "replace",
        "Each occurrence of one text replaced by another, or only the first so many.",
        "'aaa'.replace('a', 'b') == 'bbb' && 'aaa'.replace('a', 'b', 1) == 'baa'",
        paid("string, string, string -> string", text.replace),
        paid("string, string, string, int -> string", text.replace),
    ),
    method(
        "split",
        "The parts between separators, at most so many if a number is given.",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
        paid("string, string -> list", text.split),
        paid("string, string, int -> list", text.split),
    ),
    method(
        "join",
        "The strings of a list, with a separator between if one is given.",
        "['a', 'b'].join('-') == 'a-b'",
        paid("list -> string", text.join),
        paid("list, string -> string", text.join),
    ),
    method(
        "format",
        "The text with each %s %d %f %e %b %o %x replaced by the next member of the list.",
        "'%s: %.2f'.format(['total', 1.5]) == 'total: 1.50'",
        paid("string, list -> string", format_text),
    ),
    function(
        "strings.quote",
        "The text as a string literal.",
        "strings.quote('a\"b') == '\"a\\\\\"b\"'",
        sized("string -> string", text.quote),
    ),
)
