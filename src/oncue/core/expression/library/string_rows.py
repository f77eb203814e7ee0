"""Functions of text; places and sizes are counted in characters (code points)."""

from oncue.core.expression import lists, regex, text
from oncue.core.expression.formatting import format_text
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import either, function, method, paid, sized

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
        paid("string, string -> bool", regex.matches),
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
        "The characters or members from last to first.",
        "'abc'.reverse() == 'cba' && [1, 2].reverse() == [2, 1]",
        sized("string -> string", text.reverse),
        sized("list -> list", lists.reverse),
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
    function(
        "regex.extract",
        "An optional of the first match of a regular expression, or of its group if it has one.",
        "regex.extract('item-A, item-B', 'item-(.)').value() == 'A'",
        paid("string, string -> optional", regex.extract),
    ),
    function(
        "regex.extractAll",
        "All matches of a regular expression, or their groups if it has one.",
        "regex.extractAll('id:1, id:23', '[0-9]+') == ['1', '23']",
        paid("string, string -> list", regex.extract_all),
    ),
    function(
        "regex.replace",
        "Each match of a regular expression replaced, or the first so many; "
        "`\\1` is its first group.",
        r"regex.replace('foo bar', '(fo)o (ba)r', r'\2 \1') == 'ba fo'",
        paid("string, string, string -> string", regex.replace),
        paid("string, string, string, int -> string", regex.replace),
    ),
)
