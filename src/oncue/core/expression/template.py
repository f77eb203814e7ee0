"""
Documents with `{{ expressions }}` in their strings.

A string that is one expression and nothing else becomes the expression's value,
of whatever type; in a longer string the values stand as text. What the values
contain is never read as an expression: a template is compiled before there is
any data.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.expression.checker import Names
from oncue.core.expression.excerpts import SourceError, point_at
from oncue.core.expression.expression import Expression, compile_source
from oncue.core.expression.json_values import to_json
from oncue.core.expression.tokens import Sort, read_tokens
from oncue.core.json_text import Json, encode_json

Render: TypeAlias = Callable[[Mapping[str, object]], Json]

_OPEN, _CLOSE = "{{", "}}"
# A literal `{{` is written with a backslash before it.
_ESCAPED = "\\{{"
_DEPTHS = {"{": 1, "}": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """
    A compiled document.

    `reads` are the paths that its expressions read. `render` takes the values of
    the roots and raises `EvaluationError` naming the place in the document.
    """

    reads: tuple[tuple[str, ...], ...]
    render: Render


def compile_template(
    document: Json, *, roots: Collection[str], lists: Collection[str] = (), path: str = ""
) -> Template:
    """
    Return `document` as a function of the values of `roots` and `lists`.

    Raises:
        InvalidInput: with everything wrong in any of its expressions, each under its own path.
    """
    compiler = _Compiler(Names(roots, lists), path)
    render = compiler.compile(document, "")
    if compiler.problems:
        raise InvalidInput(compiler.problems)
    return Template(tuple(compiler.reads), render or _constant(document))


class _Compiler:
    """Compiles every string of a document and collects what is wrong in them."""

    def __init__(self, names: Names, path: str) -> None:
        self._names = names
        self._path = path
        self.reads: dict[tuple[str, ...], None] = {}
        self.problems: list[Problem] = []

    def compile(self, document: Json, place: str) -> Render | None:
        """Return what renders `document`, or nothing where it stays as it is."""
        if isinstance(document, str):
            return self._string(document, place) if _OPEN in document else None
        if isinstance(document, list):
            return self._list(document, place)
        if isinstance(document, Mapping):
            return self._map(document, place)
        return None

    def _list(self, document: list[Json], place: str) -> Render | None:
        renders = [self.compile(item, f"{place}[{index}]") for index, item in enumerate(document)]
        if not any(renders):
            return None
        parts = [render or _constant(item) for render, item in zip(renders, document, strict=True)]
        return lambda values: [part(values) for part in parts]

    def _map(self, document: Mapping[str, Json], place: str) -> Render | None:
        renders = {
            name: self.compile(inner, f"{place}.{name}" if place else name)
            for name, inner in document.items()
        }
        if not any(renders.values()):
            return None
        parts = {name: renders[name] or _constant(inner) for name, inner in document.items()}
        return lambda values: {name: part(values) for name, part in parts.items()}

    def _string(self, text: str, place: str) -> Render | None:
        try:
            pieces = list(_pieces(text, self._names))
        except SourceError as exc:
            separator = "." if self._path and place and place[0] != "[" else ""
            message = point_at(text, exc.position, exc.message)
            self.problems.append(Problem(f"{self._path}{separator}{place}", message))
            return None
        for piece in pieces:
            if isinstance(piece, Expression):
                self.reads.update(dict.fromkeys(piece.reads))
        prefix = f"{place}: " if place else ""
        if len(pieces) == 1 and isinstance(pieces[0], Expression):
            return _placed(_value(pieces[0]), prefix)
        return _placed(_joined(pieces), prefix)


def _pieces(text: str, names: Names) -> Iterator[str | Expression]:
    """Yield the literal text and the expressions of `text` in turn; empty text is left out."""
    position = 0
    literal = ""
    while (begin := text.find(_OPEN, position)) >= 0:
        if begin > position and text[begin - 1] == "\\":
            literal += text[position : begin - 1] + _OPEN
            position = begin + len(_OPEN)
            continue
        if literal or begin > position:
            yield literal + text[position:begin]
            literal = ""
        start = begin + len(_OPEN)
        end = _end_of_expression(text, start)
        yield _compile_within(text, start, end, names)
        position = end + len(_CLOSE)
    if literal or position < len(text):
        yield literal + text[position:]


def _end_of_expression(text: str, start: int) -> int:
    """Return where the `}}` is that ends an expression, not one of its strings or maps."""
    depth = 0
    for token in read_tokens(text, start):
        if token.text == "}" and depth == 0 and text.startswith(_CLOSE, token.start):
            return token.start
        if token.sort is Sort.SYMBOL:
            depth += _DEPTHS.get(token.text, 0)
    raise SourceError("expected '}}' after the expression, got the end", len(text))


def _compile_within(text: str, start: int, end: int, names: Names) -> Expression:
    try:
        return compile_source(text[start:end], names)
    except SourceError as exc:
        raise SourceError(exc.message, start + exc.position) from exc


def _constant(document: Json) -> Render:
    return lambda _: document


def _value(expression: Expression) -> Render:
    evaluate = expression.evaluate
    if expression.is_path:
        return evaluate  # type: ignore[return-value]  # a part of JSON is JSON
    return lambda values: to_json(evaluate(values))


def _joined(pieces: list[str | Expression]) -> Render:
    parts = [_constant(piece) if isinstance(piece, str) else _value(piece) for piece in pieces]
    return lambda values: "".join([_text(part(values)) for part in parts])


def _text(value: Json) -> str:
    """Return a value as it stands in a longer text: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else encode_json(value).decode()


def _placed(render: Render, prefix: str) -> Render:
    if not prefix:
        return render

    def render_placed(values: Mapping[str, object]) -> Json:
        try:
            return render(values)
        except EvaluationError as exc:
            raise EvaluationError(f"{prefix}{exc}") from exc

    return render_placed
