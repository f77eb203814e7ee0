"""Reads the part of Siddhi's language that its pattern suites use, by recursive descent."""

import re
from collections.abc import Iterator

from tests.conformance.cases import Unsupported
from tests.conformance.siddhi_tree import (
    Attribute,
    Chain,
    Column,
    Event,
    Expression,
    Literal,
    Logical,
    Operation,
    Part,
    Query,
)

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)[fFdDlL]?\b|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign>->|==|!=|<=|>=|.))",
    re.DOTALL,
)
NUMBER_WITH_UNIT = re.compile(r"(\d+)\s*([a-z]+)", re.IGNORECASE)
UNITS_MS = {
    "millisecond": 1, "milliseconds": 1, "sec": 1_000, "second": 1_000, "seconds": 1_000,
    "min": 60_000, "minute": 60_000, "minutes": 60_000, "hour": 3_600_000, "hours": 3_600_000,
}  # fmt: skip
STREAM = re.compile(r"define\s+stream\s+(\w+)\s*\(([^)]*)\)", re.IGNORECASE)
PARTITION = re.compile(r"partition\s+with\s*\(\s*(\w+)\s+of\s+\w+\s*\)\s*begin", re.IGNORECASE)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def parse_query(streams: str, text: str) -> Query:
    """Return the query that `text` spells over the streams that are defined."""
    defined = {
        name: tuple(part.split()[0] for part in attributes.split(","))
        for name, attributes in STREAM.findall(streams)
    }
    partition = PARTITION.search(text)
    begin = re.search(r"\bfrom\b", text)
    if begin is None:
        raise Unsupported("a query without from")
    parser = _Parser(text[begin.end() :])
    chain = parser.chain()
    parser.expect("select")
    columns = tuple(parser.columns())
    having = parser.either() if parser.accept("having") else None
    return Query(chain, columns, having, partition[1] if partition else None, defined)


class _Tokens:
    def __init__(self, text: str) -> None:
        self._tokens = [match for match in TOKEN.finditer(text) if match[0].strip()]
        self._place = 0

    def peek(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._tokens[place][0].strip() if place < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._place += 1
        return token

    def accept(self, *tokens: str) -> bool:
        found = self.peek().lower() in tokens
        self._place += found
        return found

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise Unsupported(f"query with {self.peek()!r} in place of {token!r}")


class _Expressions(_Tokens):
    def either(self) -> Expression:
        operands = [self._both()]
        while self.accept("or"):
            operands.append(self._both())
        return operands[0] if len(operands) == 1 else Operation("or", tuple(operands))

    def _both(self) -> Expression:
        operands = [self._comparison()]
        while self.accept("and"):
            operands.append(self._comparison())
        return operands[0] if len(operands) == 1 else Operation("and", tuple(operands))

    def _comparison(self) -> Expression:
        if self.accept("not"):
            return Operation("not", (self._comparison(),))
        left = self._value()
        if self.peek() in COMPARISONS:
            return Operation(self.take(), (left, self._value()))
        if self.accept("is"):
            self.expect("null")
            return Operation("is null", (left,))
        return left

    def _value(self) -> Expression:
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        if not self.peek():
            raise Unsupported("a query that ends early")
        token = self._tokens[self._place]
        self._place += 1
        if token["text"]:
            return Literal(token["text"][1:-1])
        if token["number"]:
            return Literal(
                float(token["number"]) if "." in token["number"] else int(token["number"])
            )
        word = token["word"]
        if word is None:
            raise Unsupported(f"query with {token['sign']!r} in place of a value")
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return Operation(word, (inner,))
        return self._attribute(word)

    def _attribute(self, word: str) -> Attribute:
        index = back = None
        if self.accept("["):
            if self.accept("last"):
                back = int(self.take()) if self.accept("-") else 0
            else:
                index = int(self.take())
            self.expect("]")
        if self.accept("."):
            return Attribute(self.take(), word, index, back)
        return Attribute(word)


class _Parser(_Expressions):
    def chain(self) -> Chain:
        parts = [self._part()]
        signs = set()
        while self.peek() in ("->", ","):
            signs.add(self.take())
            parts.append(self._part())
        within_ms = self._time() if self.accept("within") else None
        return Chain(tuple(parts), "," in signs, within_ms)

    def columns(self) -> Iterator[Column]:
        while True:
            value = self.either()
            name = self.take() if self.accept("as") else ""
            yield Column(value, name)
            if not self.accept(","):
                return

    def _part(self) -> Part:
        is_every = self.accept("every")
        if self.peek() != "(":
            return Part(self._logical(), is_every)
        self.expect("(")
        inner = self.chain()
        self.expect(")")
        if self.accept("within"):
            inner = Chain(inner.parts, inner.is_strict, self._time())
        is_plain = len(inner.parts) == 1 and inner.within_ms is None
        if is_plain and not (is_every and inner.parts[0].is_every):
            only = inner.parts[0]
            return Part(only.content, is_every or only.is_every)
        return Part(inner, is_every)

    def _logical(self) -> Event | Logical:
        first = self._event()
        if self.peek().lower() not in ("and", "or"):
            return first
        operator = self.peek().lower()
        members = [first]
        while self.accept(operator):
            members.append(self._event())
        return Logical(operator, tuple(members))

    def _event(self) -> Event:
        is_absent = self.accept("not")
        name = None
        if self.peek(1) == "=":
            name = self.take()
            self.take()
        stream = self.take()
        condition = None
        if self.accept("["):
            condition = self.either()
            self.expect("]")
        least, most = self._count()
        for_ms = self._time() if self.accept("for") else None
        return Event(stream, name, condition, least, most, is_absent, for_ms)

    def _count(self) -> tuple[int, int | None]:
        for sign, count in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.accept(sign):
                return count
        if not self.accept("<"):
            return 1, 1
        least = int(self.take()) if self.peek() != ":" else 0
        most: int | None = least
        if self.accept(":"):
            most = int(self.take()) if self.peek() != ">" else None
        self.expect(">")
        return least, most

    def _time(self) -> int:
        count, unit = self.take(), ""
        if found := NUMBER_WITH_UNIT.fullmatch(count):
            count, unit = found.groups()
        unit = (unit or self.take()).lower()
        if not count.isdecimal() or unit not in UNITS_MS:
            raise Unsupported(f"time {count} {unit}")
        return int(count) * UNITS_MS[unit]
