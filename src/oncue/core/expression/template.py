"""
Documents with `{{ expressions }}` in their strings.

A string that is one expression and nothing else becomes the expression's value,
of whatever type; in a longer string the values stand as text. What the values
contain is never read as an expression: a template is compiled before there is
any data.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.expression.checker import Names
from oncue.core.expression.concealed import SECRETS, Concealed, Spot, secrets_of, take_out
from oncue.core.expression.excerpts import SourceError, point_at
from oncue.core.expression.expression import Expression, compile_source
from oncue.core.expression.json_values import to_json
from oncue.core.expression.tokens import Sort, read_tokens
from oncue.core.json_text import Json, encode_json

Render: TypeAlias = Callable[[Mapping[str, object]], Json]
Conceals: TypeAlias = Callable[[str], bool]
"""From a place such as `headers.Authorization` to whether secrets may stand there."""


def nowhere(_: str) -> bool:
    """Return that secrets may not stand at a place."""
    return False


def everywhere(_: str) -> bool:
    """Return that secrets may stand at a place."""
    return True


@dataclass(frozen=True, slots=True)
class Secretive:
    """An expression that reads secrets, as written, with its braces; and which ones."""

    text: str
    names: tuple[str, ...]


Piece: TypeAlias = str | Expression | Secretive

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
    `secrets` are those that it reads, and the paths at which they stand.
    """

    reads: tuple[tuple[str, ...], ...]
    render: Render
    secrets: Mapping[str, str] = field(default_factory=dict)

    def render_concealed(self, values: Mapping[str, object]) -> tuple[Json, list[Spot]]:
        """
        Return what it gives without its secrets, and where they belong.

        Raises:
            EvaluationError: a value is missing, or not of the right kind.
        """
        rendered = self.render(values)
        return take_out(rendered) if self.secrets else (rendered, [])


def compile_template(
    document: Json,
    *,
    roots: Collection[str],
    lists: Collection[str] = (),
    path: str = "",
    conceals: Conceals = nowhere,
) -> Template:
    """
    Return `document` as a function of the values of `roots` and `lists`.

    Secrets may be read in the strings for whose places in the document `conceals` holds.

    Raises:
        InvalidInput: with everything wrong in any of its expressions, each under its own path.
    """
    compiler = _Compiler(Names(roots, lists), path, conceals)
    render = compiler.compile(document, "")
    if compiler.problems:
        raise InvalidInput(compiler.problems)
    return Template(tuple(compiler.reads), render or _constant(document), compiler.secrets)


class _Compiler:
    """Compiles every string of a document and collects what is wrong in them."""

    def __init__(self, names: Names, path: str, conceals: Conceals) -> None:
        self._names = names
        self._concealing = replace(names, roots=(*names.roots, SECRETS))
        self._conceals = conceals
        self._path = path
        self.reads: dict[tuple[str, ...], None] = {}
        self.secrets: dict[str, str] = {}
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
        separator = "." if self._path and place and place[0] != "[" else ""
        path = f"{self._path}{separator}{place}"
        names = self._concealing if self._conceals(place) else self._names
        try:
            pieces = list(_pieces(text, names))
        except SourceError as exc:
            self.problems.append(Problem(path, point_at(text, exc.position, exc.message)))
            return None
        for piece in pieces:
            if isinstance(piece, Secretive):
                self.secrets.update((name, path) for name in piece.names)
            elif isinstance(piece, Expression):
                self.reads.update(dict.fromkeys(piece.reads))
        prefix = f"{place}: " if place else ""
        if any(isinstance(piece, Secretive) for piece in pieces):
            return _placed(_concealed(pieces), prefix)
        if len(pieces) == 1 and isinstance(pieces[0], Expression):
            return _placed(_value(pieces[0]), prefix)
        return _placed(_joined(pieces), prefix)


def _pieces(text: str, names: Names) -> Iterator[Piece]:
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


def _compile_within(text: str, start: int, end: int, names: Names) -> Expression | Secretive:
    try:
        expression = compile_source(text[start:end], names)
        secrets = secrets_of(expression) if SECRETS in names.roots else ()
    except SourceError as exc:
        raise SourceError(exc.message, start + exc.position) from exc
    if secrets:
        return Secretive(text[start - len(_OPEN) : end + len(_CLOSE)], secrets)
    return expression


def _constant(document: Json) -> Render:
    return lambda _: document


def _value(expression: Expression) -> Render:
    evaluate = expression.evaluate
    if expression.is_path:
        return evaluate  # type: ignore[return-value]  # a part of JSON is JSON
    return lambda values: to_json(evaluate(values))


def _joined(pieces: list[Piece]) -> Render:
    parts = [_part(piece) for piece in pieces]
    return lambda values: "".join([_text(part(values)) for part in parts])


def _part(piece: Piece) -> Render:
    match piece:
        case str():
            return _constant(piece)
        case Secretive(text=text):
            return _constant(text)
        case _:
            return _value(piece)


def _concealed(pieces: list[Piece]) -> Render:
    """Return what renders a text in which secrets stand, for which their expressions stand."""
    parts = [(_part(piece), isinstance(piece, Secretive)) for piece in pieces]

    def render(values: Mapping[str, object]) -> Json:
        text = ""
        spans: list[tuple[int, int]] = []
        for part, is_secret in parts:
            before = len(text)
            text += _text(part(values))
            if is_secret:
                spans.append((before, len(text)))
        return Concealed.of(text, spans, is_alone=len(parts) == 1)

    return render


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
