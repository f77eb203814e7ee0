"""Expressions and data by chance: most of the right kinds, some not."""

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from oncue.core.expression.function import Function, Overload, Style
from oncue.core.expression.library import FUNCTIONS
from oncue.core.expression.values import Kind

_ILL_TYPED = 0.05
_STRINGS = (
    "'abc'", "''", "'é☃'", "'a,b,c'", "'12'", "'-1.5'", "'true'", "'1h30m'", "'2020-02-29T23:59:59.5Z'",
    "'2009-02-13T23:31:30+02:00'", "'Europe/Berlin'", "'-02:30'", "'b(.)?'", "'[a-c]+'", "'%s %d'", "'%.2f|%x'",
    "'aGVsbG8='", "'\\\\1'", "'aAzZ'", "' a\\t'", r"'\"\\ud7ff'",
)  # fmt: skip
_LITERALS: Mapping[Kind, tuple[str, ...]] = {
    Kind.NULL: ("null",),
    Kind.BOOL: ("true", "false"),
    Kind.INT: ("0", "1", "-1", "2", "3", "7", "64", "-9223372036854775808", "9223372036854775807", "9007199254740993"),
    Kind.UINT: ("0u", "1u", "2u", "18446744073709551615u", "9007199254740993u"),
    Kind.DOUBLE: ("0.0", "-0.0", "1.0", "0.5", "-2.5", "1e300", "9007199254740992.0", "9223372036854775807.0", "1e-7", "1234567.0"),
    Kind.STRING: _STRINGS,
    Kind.BYTES: ("b'abc'", "b''", r"b'\xff'", "b'é'"),
    Kind.LIST: ("[]", "[1, 2, 3]", "['a', 'b']", "[1, 2.0, 'c', null]", "[[1], [2, [3]]]", "[{'a': 1}]", "[optional.of(1)]"),
    Kind.MAP: ("{}", "{'a': 1, 'b': 2}", "{1: 'x', 2u: 'y'}", "{true: 1}", "{'a': {'b': null}}"),
    Kind.TIMESTAMP: ("timestamp(0)", "timestamp('2020-02-29T23:59:59.5Z')", "timestamp('9999-12-31T23:59:59Z')", "timestamp('0001-01-01T00:00:00Z')"),
    Kind.DURATION: ("duration('0s')", "duration('1h30m')", "duration('-1.5s')", "duration('100000h')"),
    Kind.TYPE: ("int", "string", "type(1.5)", "list"),
    Kind.OPTIONAL: ("optional.of(1)", "optional.none()", "optional.of('a')", "optional.ofNonZeroValue(0)"),
}  # fmt: skip
_PATHS: Mapping[Kind, tuple[str, ...]] = {
    Kind.NULL: ("event.z",),
    Kind.BOOL: ("event.b", "event.o.b"),
    Kind.INT: ("event.n", "event.m", "event.o.n", "event.l[0]", "event['n']", "event.items[0].n"),
    Kind.DOUBLE: ("event.x", "event.y", "event.o.x"),
    Kind.STRING: ("event.s", "event.t", "event.o.s", "event.items[1].s"),
    Kind.LIST: ("event.l", "event.k", "event.items", "event.o.l"),
    Kind.MAP: ("event", "event.o", "event.o.o", "event.items[0]"),
    Kind.OPTIONAL: ("event.?n", "event.?q", "event.o.?s", "event[?'x']", "event.?o.?n", "event.l[?1]"),
}  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 2**53 + 1, 2**63 - 1, -(2**63), 0.0, -0.0, 0.5, 1.0, -2.5, 1e300, 2.0**53, "",
    "abc", "é☃", "12", "1h", "2020-01-01T00:00:00Z", [], [1, 2], ["a", "b"], [1, 2.5, "x", None], {}, {"a": 1},
    {"n": 2, "s": "b"},
)  # fmt: skip
_LOOPS: Mapping[Kind, tuple[str, ...]] = {
    Kind.BOOL: (
        "<list>.all(%, <bool>)", "<list>.exists(%, <bool>)", "<list>.exists_one(%, <bool>)", "<map>.exists(%, <bool>)",
        "<list>.all(%, %, <bool>)", "<map>.exists(%, %, <bool>)", "<map>.existsOne(%, %, <bool>)",
    ),
    Kind.INT: ("<map>.map(%, <any>).size()", "<map>.transformList(%, %, <bool>, <any>).size()"),
    Kind.LIST: (
        "<list>.map(%, <any>)", "<list>.map(%, <bool>, <any>)", "<list>.filter(%, <bool>)",
        "<list>.transformList(%, %, <any>)", "<list>.sortBy(%, <int>)",
    ),
    Kind.MAP: (
        "<list>.transformMap(%, %, <any>)", "<map>.transformMap(%, %, <bool>, <any>)",
        "<list>.transformMapEntry(%, %, <map>)",
    ),
    Kind.OPTIONAL: ("<optional>.optMap(%, <any>)", "<optional>.optFlatMap(%, <optional>)"),
}  # fmt: skip
_FORMS: Mapping[Kind, tuple[str, ...]] = {
    Kind.BOOL: ("(<bool> && <bool>)", "(<bool> || <bool>)", "(<bool> && <bool> && <bool>)", "has(event.n)", "has(<map>.a)"),
    Kind.LIST: ("[<any>, <any>]", "[<any>, ?<optional>]"),
    Kind.MAP: ("{'a': <any>, 'n': <any>}", "{<string>: <any>}", "{<int>: <any>}", "{?'a': <optional>}"),
    Kind.OPTIONAL: ("<optional>.or(<optional>)", "<map>.?a", "<map>[?<string>]", "<list>[?<int>]"),
}  # fmt: skip

_HOLE = re.compile(r"<(\w+)>")


class RandomExpressions:
    """One after the other; the same seed gives the same ones."""

    def __init__(self, seed: int, functions: Mapping[str, Function] = FUNCTIONS) -> None:
        self._random = random.Random(seed)
        self._variables: list[str] = []
        self._declared = 0
        self._calls: dict[Kind, list[tuple[Function, Overload]]] = {}
        for function in functions.values():
            for overload in function.overloads:
                self._calls.setdefault(overload.gives, []).append((function, overload))

    def draw(self) -> tuple[str, Any]:
        """Return an expression and an event."""
        self._variables, self._declared = [], 0
        kind = self._random.choice((Kind.BOOL, *_LITERALS))
        return self._expression(kind, self._random.randint(1, 4)), self._event()

    def _event(self) -> Any:
        choose = self._random.choice
        event = {
            "n": choose((0, 1, 5, -3, 2**53 + 1)), "m": choose((2, 7, 2**63 - 1)), "x": choose((0.5, -2.5, 1e300)),
            "y": choose((1.0, 3.0)), "s": choose(("abc", "", "é☃")), "t": choose(("12", "1h", "b")), "b": choose((True, False)),
            "z": None, "l": choose(([1, 2, 3], [], [3, 1, 2])), "k": choose(([1, 2.5, "x"], [[1], [2]])),
            "o": {"n": 4, "x": 1.5, "s": "b", "b": True, "l": [1], "o": {"a": 1}},
            "items": [{"n": 1, "s": "p"}, {"n": 2, "s": "q"}],
        }  # fmt: skip
        for name in list(event):
            if self._random.random() < 0.08:
                event[name] = choose(_VALUES)
            elif self._random.random() < 0.04:
                del event[name]
        return event

    def _expression(self, kind: Kind, depth: int) -> str:
        if kind is Kind.ANY or self._random.random() < _ILL_TYPED:
            kind = self._random.choice(tuple(_LITERALS))
        if depth <= 0 or self._random.random() < 0.15:
            return self._leaf(kind)
        ways: list[Callable[[Kind, int], str]] = [self._call, self._call, self._conditional]
        if kind in _LOOPS:
            ways.append(self._loop)
        if kind in _FORMS:
            ways.append(lambda kind, depth: self._fill(self._random.choice(_FORMS[kind]), depth))
        ways += [self._bind, self._or_value, self._index]
        return self._random.choice(ways)(kind, depth - 1)

    def _leaf(self, kind: Kind) -> str:
        if self._variables and self._random.random() < 0.4:
            return self._random.choice(self._variables)
        if kind in _PATHS and self._random.random() < 0.5:
            return self._random.choice(_PATHS[kind])
        return self._random.choice(_LITERALS[kind])

    def _call(self, kind: Kind, depth: int) -> str:
        calls = self._calls.get(kind) or self._calls[Kind.BOOL]
        function, overload = self._random.choice(calls)
        arguments = [self._expression(taken, depth) for taken in overload.takes]
        if function.style is Style.OPERATOR:
            symbol = f" {function.name.strip('_@')} "
            return f"({symbol.join(arguments if len(arguments) > 1 else ['', *arguments])})"
        if function.style is Style.METHOD:
            receiver, *arguments = arguments
            return f"{receiver}.{function.name}({', '.join(arguments)})"
        return f"{function.name}({', '.join(arguments)})"

    def _declare(self) -> str:
        self._declared += 1
        self._variables.append(f"v{self._declared}")
        return self._variables[-1]

    def _conditional(self, kind: Kind, depth: int) -> str:
        parts = (self._expression(part, depth) for part in (Kind.BOOL, kind, kind))
        return "({} ? {} : {})".format(*parts)

    def _loop(self, kind: Kind, depth: int) -> str:
        source, end, rest = self._random.choice(_LOOPS[kind]).partition(">")
        text = self._fill(source + end, depth)
        before = list(self._variables)
        while "%" in rest:
            rest = rest.replace("%", self._declare(), 1)
        text += self._fill(rest, min(depth, 2))
        self._variables = before
        return text

    def _fill(self, form: str, depth: int) -> str:
        return _HOLE.sub(lambda found: self._expression(Kind(found[1]), depth), form)

    def _bind(self, kind: Kind, depth: int) -> str:
        value = self._expression(Kind.ANY, depth)
        name = self._declare()
        body = self._expression(kind, depth)
        self._variables.pop()
        return f"cel.bind({name}, {value}, {body})"

    def _or_value(self, kind: Kind, depth: int) -> str:
        optional = self._expression(Kind.OPTIONAL, depth)
        return f"{optional}.orValue({self._expression(kind, depth)})"

    def _index(self, kind: Kind, depth: int) -> str:
        if self._random.random() < 0.5:
            return f"[{self._expression(kind, depth)}][{self._expression(Kind.INT, 0)}]"
        return f"{{'a': {self._expression(kind, depth)}}}.a"
