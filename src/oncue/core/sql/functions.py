"""Functions of SQL that give a value of their arguments alone."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.sql import values
from oncue.core.sql.arithmetic import remainder
from oncue.core.sql.scalars import Compiler, Scalar, Sort, alike, spelled

C = TypeVar("C")
MAX_TEXT: Final = 100_000


@dataclass(frozen=True, slots=True)
class _Function:
    """A function: what it takes, what it gives, and how many arguments may be left out."""

    takes: tuple[Sort, ...]
    gives: Sort
    of: Callable[..., Json]
    optional: int = 0


_N: Final = Sort.NUMBER
_T: Final = Sort.TEXT


def _substring(text: str, start: float, length: float | None = None) -> str:
    # SQL counts from 1, below zero from the end, and what lies before the first character
    # takes up length; a length below zero goes back.
    begin = int(start) - 1 if start >= 0 else len(text) + int(start)
    end = len(text) if length is None else begin + int(length)
    return text[max(min(begin, end), 0) : max(begin, end, 0)]


# Spaces of all kinds, but no tabs or ends of lines.
_SPACES: Final = "".join(
    map(chr, (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000))
)


def _trimmed(text: str, characters: str = _SPACES) -> str:
    return text.strip(characters)


def _left(text: str, count: float) -> str:
    return text[: int(count)]


def _right(text: str, count: float) -> str:
    return text[max(len(text) - int(count), 0) :] if count >= 0 else text[-int(count) :]


def _replace(text: str, what: str, by: str = "") -> Json:
    replaced = text.replace(what, by) if what else text
    return replaced if len(replaced) <= MAX_TEXT else None


def _round(number: float, digits: float = 0) -> Json:
    if isinstance(number, int) and digits >= 0:
        return number
    scale = 10 ** int(digits) if abs(digits) < 16 else 1
    scaled = number * scale
    whole = math.floor(abs(scaled) + 0.5)
    return (
        values.bounded((whole if scaled >= 0 else -whole) / scale)
        if digits
        else _sign(number) * whole
    )


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


_FUNCTIONS: Final[Mapping[type[exp.Expr], _Function]] = {
    exp.Abs: _Function((_N,), _N, abs),
    exp.Sign: _Function((_N,), _N, _sign),
    exp.Floor: _Function((_N,), _N, math.floor),
    exp.Ceil: _Function((_N,), _N, math.ceil),
    exp.Sqrt: _Function((_N,), _N, math.sqrt),
    exp.Round: _Function((_N, _N), _N, _round, optional=1),
    exp.Mod: _Function((_N, _N), _N, remainder),
    exp.Lower: _Function((_T,), _T, str.lower),
    exp.Upper: _Function((_T,), _T, str.upper),
    exp.Trim: _Function((_T, _T), _T, _trimmed, optional=1),
    exp.Length: _Function((_T,), _N, len),
    exp.Substring: _Function((_T, _N, _N), _T, _substring, optional=1),
    exp.Left: _Function((_T, _N), _T, _left),
    exp.Right: _Function((_T, _N), _T, _right),
    exp.Replace: _Function((_T, _T, _T), _T, _replace, optional=1),
    exp.StartsWith: _Function((_T, _T), Sort.TRUTH, str.startswith),
    exp.EndsWith: _Function((_T, _T), Sort.TRUTH, str.endswith),
    exp.Contains: _Function((_T, _T), Sort.TRUTH, str.__contains__),
}
NAMES: Final = tuple(sorted(type_.__name__.lower() for type_ in _FUNCTIONS))
CALLS: Final = tuple(_FUNCTIONS)


def _of_end(node: exp.Trim) -> Callable[..., Json]:
    match node.args.get("position"):
        case "LEADING":
            return lambda text, characters=_SPACES: text.lstrip(characters)
        case "TRAILING":
            return lambda text, characters=_SPACES: text.rstrip(characters)
        case _:
            return _trimmed


def call(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return what a function gives; NULL, where an argument is NULL."""
    function = _FUNCTIONS[type(node)]
    nodes = sorted(node.iter_expressions(), key=lambda child: child.arg_key != "this")
    most = len(function.takes)
    if not most - function.optional <= len(nodes) <= most:
        name = spelled(node).partition("(")[0]
        raise compiler.refusal(node, f"expected {most} arguments of {name}, got {len(nodes)}")
    arguments = [
        compiler.of_sort(each, sort).of for each, sort in zip(nodes, function.takes, strict=False)
    ]
    of = _of_end(node) if isinstance(node, exp.Trim) else function.of

    def evaluate(context: C) -> Json:
        given = [argument(context) for argument in arguments]
        if None in given:
            return None
        try:
            return of(*given)
        except (ArithmeticError, ValueError):
            return None

    return Scalar(function.gives, evaluate)


def concatenation(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return texts one after the other; `||` gives NULL where one is NULL, CONCAT passes over it."""
    if isinstance(node, exp.ConcatWs):
        return _joined(compiler, node)
    is_concat = isinstance(node, exp.Concat)
    nodes = node.expressions if is_concat else [node.this, node.expression]
    texts = _spelled(compiler, nodes)

    def evaluate(context: C) -> Json:
        parts = [values.spelled(text(context)) for text in texts]
        present = [part for part in parts if part is not None]
        if len(present) < len(parts) and not is_concat:
            return None
        joined = "".join(present)
        return joined if len(joined) <= MAX_TEXT else None

    return Scalar(Sort.TEXT, evaluate)


def _joined(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return texts with another between them; NULLs are passed over."""
    between_of, *texts = _spelled(compiler, node.expressions)

    def evaluate(context: C) -> Json:
        between = values.spelled(between_of(context))
        parts = [values.spelled(text(context)) for text in texts]
        if between is None:
            return None
        joined = between.join([part for part in parts if part is not None])
        return joined if len(joined) <= MAX_TEXT else None

    return Scalar(Sort.TEXT, evaluate)


def _spelled(compiler: Compiler[C], nodes: Sequence[exp.Expr]) -> list[Callable[[C], Json]]:
    scalars = [compiler.compile(each) for each in nodes]
    return [
        scalar.of
        if scalar.sort in (Sort.NUMBER, Sort.TRUTH, Sort.ANY)
        else compiler.taken_for(scalar, Sort.TEXT, each).of
        for scalar, each in zip(scalars, nodes, strict=True)
    ]


def extreme(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return the greatest or the least of several values; NULLs are passed over."""
    sort, options = alike(compiler, [node.this, *node.expressions])
    wanted = 1 if isinstance(node, exp.Greatest) else -1

    def evaluate(context: C) -> Json:
        best: Json = None
        for option in options:
            value = option(context)
            if best is None or values.order(value, best) == wanted:
                best = value
        return best

    return Scalar(sort, evaluate)


def null_if(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return the first of two values, but NULL where they are equal."""
    sort, (first_of, second_of) = alike(compiler, [node.this, node.expression])

    def evaluate(context: C) -> Json:
        first = first_of(context)
        return None if values.are_equal(first, second_of(context)) else first

    return Scalar(sort, evaluate)
