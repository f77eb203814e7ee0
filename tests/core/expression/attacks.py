"""Expressions that want to stall or exhaust the process, each with an event to do it on."""

from collections.abc import Mapping
from typing import Any

NUMBERS = list(range(100_000))
TEXT = "a" * 250_000
WIDE = "é☃\U0001f600x" * 25_000


def _nested(depth: int) -> Any:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    return deep


def _doubling(start: str, times: int) -> str:
    steps = [f"cel.bind(x{n}, {f'x{n - 1} + x{n - 1}' if n else start}, " for n in range(times)]
    return "".join(steps) + f"x{times - 1}.size()" + ")" * times


def _squares(test: str) -> str:
    return f"event.map(a, event.map(b, {test}))"


REFUSED: Mapping[str, str] = {
    "100 kB of source": "1 + " * 25_000 + "1",
    "100 kB of one string": f"'{'x' * 100_000}'",
    "10 000 parentheses": "(" * 10_000 + "1" + ")" * 10_000,
    "parentheses within the source's length": "(" * 9_000 + "1" + ")" * 9_000,
    "10 000 brackets without an end": "[" * 10_000,
    "nested maps": "{'a':" * 3_000 + "1" + "}" * 3_000,
    "nested calls": "size(" * 3_000 + "1" + ")" * 3_000,
    "nested ternaries": "true ? (" * 1_000 + "1" + ") : 2" * 1_000,
    "a long chain of sums": "1" + " + 1" * 4_000,
    "a long chain of fields": "event" + ".a" * 5_000,
    "a long chain of indexes": "event" + "[0]" * 5_000,
    "a long chain of calls": "event" + ".map(x, x)" * 1_500,
    "many minus signs": "- " * 9_000 + "1",
    "many exclamation marks": "!" * 19_000 + "true",
    "nested loops": "event.map(x, " * 1_000 + "1" + ")" * 1_000,
    "an open string": "'" + "\\'" * 9_000,
    "an open triple quote": "'''" + "\\'" * 9_000,
    "spaces before what is none": " " * 19_000 + "§",
    "comments before what is none": "// \n" * 4_900 + "§",
    "lines of spaces": " \n" * 9_000 + "§",
    "many open comments": "// \n" * 4_900,
}
"""By what they are: what is refused before it is evaluated."""

STOPPED: Mapping[str, tuple[str, Any]] = {
    "seven nested loops": ("event.all(a, event.all(b, event.all(c, event.all(d, event.all(e, event.all(f, event.all(g, "
                           "a + b + c + d + e + f + g >= 0)))))))", list(range(20))),
    "seven nested maps": ("event.map(a, event.map(b, event.map(c, event.map(d, event.map(e, event.map(f, event.map(g, "
                          "[a, b, c, d, e, f, g])))))))", list(range(20))),
    "a loop over much": ("event.map(a, a)", NUMBERS),
    "a loop in a loop that does nothing": (_squares("1"), list(range(1_000))),
    "a loop with an inner that is empty": ("event.map(a, [].map(b, 1))", NUMBERS),
    "strings doubled": (_doubling("'ab'", 40), None),
    "bytes doubled": (_doubling("b'ab'", 40), None),
    "lists doubled": (_doubling("[1, 2]", 40), None),
    "maps of maps doubled": ("cel.bind(a, {'x': event, 'y': event}, cel.bind(b, {'x': a, 'y': a}, cel.bind(c, {'x': b, "
                             "'y': b}, cel.bind(d, {'x': c, 'y': c}, d == {'x': c, 'y': c}))))", list(range(10_000))),
    "large strings joined": ("event.map(x, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx').join('yyyyyyyyyyyyyyyyyyyyyyyy').size()", NUMBERS),
    "large strings added": ("event.map(x, event[0] + event[0]).size()", [TEXT] * 100),
    "a wide string added": ("[event, event, event, event].map(x, (x + x + x + x + x).reverse()).size()", WIDE),
    "replacing nothing by much": ("event.replace('', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb').size()", TEXT),
    "replacing in a loop": ("lists.range(1000).map(x, event.replace('a', 'b')).size()", TEXT),
    "splitting": ("lists.range(100).map(x, event.split('')).size()", TEXT),
    "splitting a wide string": ("lists.range(100).map(x, event.split('é')).size()", WIDE),
    "a huge range": ("lists.range(9223372036854775807)", None),
    "a large range in a loop": ("lists.range(1000).map(x, lists.range(1000)).size()", None),
    "a flat list of lists": ("lists.range(300).map(x, lists.range(300)).flatten().flatten(5).size() + "
                             "event.flatten().flatten().size()", [NUMBERS[:9_000]] * 12),
    "sorting in a loop": ("lists.range(1000).map(x, event.sort()).size()", NUMBERS[:20_000]),
    "sorting by a loop": ("event.sortBy(a, event.sortBy(b, -b)[0])", NUMBERS[:2_000]),
    "distinct lists": ("lists.range(100).map(x, event.distinct()).size()", [[n] for n in range(10_000)]),
    "distinct long strings": ("event.map(x, [x + 'a', x + 'b'].distinct()).size()", [TEXT[:30_000]] * 1_000),
    "sets": ("lists.range(100).map(x, sets.equivalent(event, event)).size()", NUMBERS[:10_000]),
    "sums": ("lists.range(100).map(x, event.sum() + event.max()).size()", NUMBERS[:10_000]),
    "membership": ("event.filter(a, a in event).size()", NUMBERS[:5_000]),
    "comparing lists": ("event.filter(a, event == event).size()", NUMBERS[:5_000]),
    "comparing long strings": ("event.filter(a, a + 'b' < a + 'c').size()", [TEXT[:40_000]] * 1_000),
    "looking in long strings": ("event.filter(a, a.contains('aaaaaaaaaaaaaaaab')).size()", [TEXT] * 1_000),
    "looking for long strings": ("event.filter(a, a.indexOf(event[0]) > 0 || a.lastIndexOf('b') > 0).size()", [TEXT] * 1_000),
    "format, much": ("lists.range(1000).map(x, '%.1000f'.format([1e300])).size()", None),
    "format of lists": ("lists.range(1000).map(x, '%s%s%s'.format([event, event, event])).size()", NUMBERS[:1_000]),
    "format of many": (f"lists.range(1000).map(x, '{'%s' * 200}'.format(event)).size()", ["x"] * 200),
    "hex of a long string": ("lists.range(1000).map(x, '%x'.format([event])).size()", TEXT),
    "base64": ("lists.range(1000).map(x, base64.decode(base64.encode(bytes(event)))).size()", TEXT),
    "quoting": ("lists.range(1000).map(x, strings.quote(event).size()).size()", "\n" * 250_000),
    "moments": ("event.map(x, timestamp('2026-01-01T00:00:00Z') + duration('1h')).size() > 0 && "
                "event.all(x, timestamp('2026-01-01T00:00:00Z').getHours('Europe/Berlin') >= 0)", NUMBERS[:30_000]),
    "many zones": ("event.all(x, timestamp('2026-01-01T00:00:00Z').getHours('+0' + string(x % 10) + ':' + string(x / 10 % 50 + 10)) >= 0)", NUMBERS),
    "numbers as text": ("event.all(x, int(string(x)) == x && double(string(x + 0.5)) > 0.0)", NUMBERS),
    "errors absorbed": ("event.exists(x, x.a.b.c == 1 || x.d)", NUMBERS),
    "errors in a loop": ("event.all(x, 1 / 0 > x || [][x] || true)", NUMBERS),
    "bindings that fail": ("event.all(x, cel.bind(y, 1 / 0, true || y == 1))", NUMBERS),
    "optionals": ("event.map(x, optional.of(x).optMap(y, y + 1).orValue(0)).size()", NUMBERS),
    "maps made": ("event.map(x, {'a': x, 'b': x, 'c': x, 'd': x, 'e': {'f': x, 'g': {}, 'h': {}}}).size()", NUMBERS),
    "maps of entries": ("event.transformMapEntry(i, x, {string(i): {string(i): x}}).size()", NUMBERS),
    "small lists": ("event.map(x, [[], [], [], [], [], [], [], []]).size()", NUMBERS),
    "keys by equality": ("event.transformMap(k, v, v.transformMap(l, w, w)).size()", {str(n): {"a": n} for n in range(50_000)}),
    "many patterns": ("event.exists(n, 'aaaaaaaa'.matches('(a{1,9}){1,9}' + string(n)))", NUMBERS),
    "a pattern that is large": (r"event.exists(n, 'aaaaaaaa'.matches('(\\pL{1,50}){1,19}' + string(n)))", NUMBERS),
    "a pattern on much": ("lists.range(1000).exists(n, event.matches('(a*)*b'))", TEXT[:100_000]),
    "a pattern of many ways": ("lists.range(1000).exists(n, event.matches('(a?){1,400}a{400}b'))", TEXT[:50_000]),
    "pieces, each found late": ("regex.extractAll(event, 'a(.*b)?').size()", TEXT[:100_000]),
    "pieces, captured": ("lists.range(100).map(n, regex.extractAll(event, '((((a))))?').size())", TEXT[:20_000]),
    "pieces replaced by much": (rf"regex.replace(event, '(a+?)', r'{chr(92)}1{'b' * 5_000}{chr(92)}1').size()", TEXT[:20_000]),
    "pieces that hold all": (r"lists.range(100).map(n, regex.replace(event, '(a*)', r'\1\1\1\1\1\1\1\1\1\1')).size()", TEXT[:100_000]),
    "deep data": ("lists.range(1000).map(n, event == event || event == [event]).size()", _nested(150)),
    "deep data as text": ("lists.range(1000).map(n, '%s'.format([event])).size()", _nested(150)),
    "deep data flattened": ("lists.range(1000).map(n, event.flatten(150)).size()", _nested(150)),
    "huge numbers": ("event.map(n, event[0] / event[1] == event[0] % event[1] || event[0] < event[1]).size()", [10**4_000, 10**2_000] * 20_000),
}  # fmt: skip
"""By what they are: an expression that is stopped, or ends, within the budget, and its event."""
