"""
From text to tree (cel-spec, langdef.md, "Syntax").

Recursive descent; every level of the source's own nesting is counted, and
chains such as `1 + 1 + …` are loops, so no input can exhaust the stack. The
height of the finished tree is bounded too, because all that comes after the
parser walks it recursively.
"""

from collections.abc import Iterator

from oncue.core.expression.budget import (
    MAX_BULK,
    MAX_DEPTH,
    MAX_NESTING,
    MAX_SOURCE_CHARS,
    MAX_TOKENS,
)
from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.literals import parse_number, parse_string
from oncue.core.expression.macros import expand
from oncue.core.expression.tokens import Sort, Token, read_tokens
from oncue.core.expression.tree import (
    Call,
    Conditional,
    Element,
    Field,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Node,
    bulk,
    height,
)

_CONSTANTS = {"true": True, "false": False, "null": None}
_TIGHTNESS = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
}
RESERVED = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "namespace",
        "package",
        "return",
        "var",
        "void",
        "while",
    }
)


def parse(source: str) -> Node:
    """
    Return the tree of `source`.

    Raises:
        SourceError: not an expression, or one too long, too deep or with too many parts.
    """
    if len(source) > MAX_SOURCE_CHARS:
        raise SourceError(
            f"expected at most {MAX_SOURCE_CHARS} characters, got {len(source)}", MAX_SOURCE_CHARS
        )
    cursor = _Cursor(source)
    tree = _expression(cursor)
    if cursor.token.sort is not Sort.END:
        raise cursor.unexpected("an operator or the end")
    # A tree is no higher than it has tokens, and none of them weighs more than five.
    if cursor.taken > MAX_DEPTH and height(tree) > MAX_DEPTH:
        raise SourceError(f"expected a tree at most {MAX_DEPTH} levels high, got a higher one", 0)
    if cursor.taken * 5 > MAX_BULK and bulk(tree) > MAX_BULK:
        raise SourceError(
            f"expected parts that weigh at most {MAX_BULK} together, got more: split it", 0
        )
    return tree


class _Cursor:
    """The next token, and how deep in brackets it is."""

    def __init__(self, source: str) -> None:
        self._tokens: Iterator[Token] = read_tokens(source)
        self.taken = 0
        self.depth = 0
        self.token = next(self._tokens)

    def take(self) -> Token:
        self.taken += 1
        if self.taken > MAX_TOKENS:
            raise SourceError(f"expected at most {MAX_TOKENS} words and marks, got more", 0)
        token = self.token
        self.token = next(self._tokens, token)
        return token

    def accept(self, *symbols: str) -> Token | None:
        return self.take() if self.token.text in symbols else None

    def at(self, *symbols: str) -> bool:
        # Strings and quoted names keep their quotes, so their text is no symbol.
        return self.token.text in symbols

    def expect(self, symbol: str) -> Token:
        if self.at(symbol):
            return self.take()
        raise self.unexpected(repr(symbol))

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise SourceError(
                f"expected at most {MAX_NESTING} levels of nesting, got more", self.token.start
            )

    def leave(self) -> None:
        self.depth -= 1

    def unexpected(self, wanted: str) -> SourceError:
        token = self.token
        if token.sort is Sort.END:
            return SourceError(f"expected {wanted}, got the end", token.start)
        shown = token.text if len(token.text) <= 40 else token.text[:40] + "…"
        return SourceError(f"expected {wanted}, got {shown!r}", token.start)


def _expression(cursor: _Cursor) -> Node:
    cursor.enter()
    chain: list[tuple[int, Node, Node]] = []
    node = _operators(cursor)
    # `a ? b : c ? d : e` is a loop here and becomes a tree from its right end.
    while mark := cursor.accept("?"):
        then = _operators(cursor)
        cursor.expect(":")
        chain.append((mark.start, node, then))
        node = _operators(cursor)
    for position, condition, then in reversed(chain):
        node = Conditional(position, condition, then, node)
    cursor.leave()
    return node


def _operators(cursor: _Cursor) -> Node:
    """Operands and operators wait on two stacks until a looser operator comes by."""
    operands = [_unary(cursor)]
    waiting: list[Token] = []
    while cursor.token.text in _TIGHTNESS:
        operator = cursor.take()
        _reduce(operands, waiting, _TIGHTNESS[operator.text])
        waiting.append(operator)
        operands.append(_unary(cursor))
    _reduce(operands, waiting, 0)
    return operands[0]


def _reduce(operands: list[Node], waiting: list[Token], tightness: int) -> None:
    while waiting and _TIGHTNESS[waiting[-1].text] >= tightness:
        operator = waiting[-1]
        if operator.text in ("&&", "||"):
            # All of a run of `&&` become one node, once something looser ends the run.
            if _TIGHTNESS[operator.text] == tightness:
                return
            _reduce_logic(operands, waiting, operator.text)
        else:
            waiting.pop()
            right = operands.pop()
            name = "@in" if operator.text == "in" else f"_{operator.text}_"
            operands[-1] = Call(operator.start, name, None, (operands[-1], right))


def _reduce_logic(operands: list[Node], waiting: list[Token], symbol: str) -> None:
    run = 1
    while waiting and waiting[-1].text == symbol:
        position = waiting.pop().start
        run += 1
    operands[-run:] = [Logic(position, symbol == "&&", tuple(operands[-run:]))]


def _unary(cursor: _Cursor) -> Node:
    if not (first := cursor.accept("-", "!")):
        return _member(cursor)
    marks = [first]
    while mark := cursor.accept(first.text):
        marks.append(mark)
    if first.text == "-" and cursor.token.sort is Sort.NUMBER:
        node = _member_of(cursor, _number(cursor, marks.pop()))
    else:
        node = _member(cursor)
    for mark in reversed(marks):
        node = Call(mark.start, f"{first.text}_", None, (node,))
    return node


def _member(cursor: _Cursor) -> Node:
    return _member_of(cursor, _primary(cursor))


def _member_of(cursor: _Cursor, node: Node) -> Node:
    while mark := cursor.accept(".", "["):
        node = _select(cursor, mark, node) if mark.text == "." else _index(cursor, mark, node)
    return node


def _select(cursor: _Cursor, mark: Token, operand: Node) -> Node:
    is_optional = cursor.accept("?") is not None
    token = cursor.token
    if token.sort is Sort.QUOTED:
        cursor.take()
        return Field(mark.start, operand, token.text[1:-1], is_optional)
    if token.sort is not Sort.NAME or token.text in ("in", *_CONSTANTS):
        raise cursor.unexpected("a field name")
    cursor.take()
    if not is_optional and cursor.accept("("):
        return expand(Call(token.start, token.text, operand, _list(cursor, ")")))
    return Field(mark.start, operand, token.text, is_optional)


def _index(cursor: _Cursor, mark: Token, operand: Node) -> Node:
    is_optional = cursor.accept("?") is not None
    index = _expression(cursor)
    cursor.expect("]")
    return Element(mark.start, operand, index, is_optional)


def _primary(cursor: _Cursor) -> Node:
    token = cursor.token
    if token.sort is Sort.NUMBER:
        return _number(cursor)
    if token.sort is Sort.STRING:
        return _literal(cursor.take())
    if token.sort is Sort.NAME or token.text == ".":
        return _name(cursor)
    if cursor.accept("("):
        node = _expression(cursor)
        cursor.expect(")")
        return node
    if cursor.accept("["):
        return _list_literal(cursor, token)
    if cursor.accept("{"):
        return _map_literal(cursor, token)
    raise cursor.unexpected("a value")


def _name(cursor: _Cursor) -> Node:
    is_absolute = cursor.accept(".") is not None
    token = cursor.token
    if token.text in _CONSTANTS and not is_absolute:
        return Literal(cursor.take().start, _CONSTANTS[token.text])
    if token.sort is not Sort.NAME or token.text in ("in", *_CONSTANTS):
        raise cursor.unexpected("a name")
    if token.text in RESERVED:
        raise SourceError(f"expected a name, got the reserved word {token.text!r}", token.start)
    cursor.take()
    if cursor.accept("("):
        call = Call(token.start, token.text, None, _list(cursor, ")"), is_absolute)
        return expand(call)
    if cursor.at("{"):
        raise SourceError("expected an operator, got a message: there are none here", token.start)
    return Name(token.start, token.text, is_absolute)


def _list(cursor: _Cursor, end: str) -> tuple[Node, ...]:
    nodes: list[Node] = []
    while not cursor.accept(end):
        if nodes:
            cursor.expect(",")
        nodes.append(_expression(cursor))
    return tuple(nodes)


def _list_literal(cursor: _Cursor, start: Token) -> Node:
    items: list[Node] = []
    optional: set[int] = set()
    while not cursor.accept("]"):
        if cursor.accept("?"):
            optional.add(len(items))
        items.append(_expression(cursor))
        if not cursor.accept(","):
            cursor.expect("]")
            break
    return ListOf(start.start, tuple(items), frozenset(optional))


def _map_literal(cursor: _Cursor, start: Token) -> Node:
    keys: list[Node] = []
    values: list[Node] = []
    optional: set[int] = set()
    while not cursor.accept("}"):
        if cursor.accept("?"):
            optional.add(len(keys))
        keys.append(_expression(cursor))
        cursor.expect(":")
        values.append(_expression(cursor))
        if not cursor.accept(","):
            cursor.expect("}")
            break
    return MapOf(start.start, tuple(keys), tuple(values), frozenset(optional))


def _number(cursor: _Cursor, minus: Token | None = None) -> Node:
    token = cursor.take()
    try:
        if minus and token.text[-1] in "uU":
            raise ValueError(f"expected a number without a minus before 'u', got -{token.text}")
        return Literal(token.start, parse_number(f"-{token.text}" if minus else token.text))
    except ValueError as exc:
        raise SourceError(str(exc), token.start) from exc


def _literal(token: Token) -> Node:
    try:
        return Literal(token.start, parse_string(token.text))
    except ValueError as exc:
        raise SourceError(str(exc), token.start) from exc
