"""
Secrets in what templates give: named where it is kept, put in when a call is made.

A template is rendered without knowing a secret. Where an expression reads one,
its own text stands in the result, and a *spot* says where:

    "Bearer {{ secrets.KEY }}"  ──render──▶  the same text, and a spot from 7 to 24

Only what stands at a spot is ever evaluated, and spots come of the template
alone: a value that spells `{{ secrets.KEY }}` stays that text. So an expression
that reads secrets reads nothing else, or it could not be evaluated later.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from oncue.core.expression.checker import Names
from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.expression import Checked, Expression, compile_source
from oncue.core.expression.json_values import to_json
from oncue.core.expression.tree import Node, Root, children
from oncue.core.json_text import Json, encode_json

SECRETS: Final = "secrets"
_NAMES: Final = Names((SECRETS,))
_REMEMBERED: Final = 256


class Spot(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    Where in a document an expression stands that reads secrets.

    It is the text from `start` to `end` of the string at `path`; where it
    `is_alone`, the string becomes its value, of whatever type.
    """

    path: list[str | int]
    start: int
    end: int
    is_alone: bool = False


class Concealed(str):
    """A text with spots in it, on its way from a template into a document."""

    spans: Sequence[tuple[int, int]] = ()
    is_alone = False

    @classmethod
    def of(cls, text: str, spans: Sequence[tuple[int, int]], *, is_alone: bool) -> "Concealed":
        """Return a text with spots from and to the places of `spans`."""
        concealed = cls(text)
        concealed.spans, concealed.is_alone = spans, is_alone
        return concealed


def secrets_of(expression: Checked) -> tuple[str, ...]:
    """
    Return the names of the secrets that an expression reads.

    Raises:
        SourceError: it reads something else as well, or does not name them.
    """
    if all(path[0] != SECRETS for path in expression.reads):
        return ()
    for root in _roots(expression.tree):
        if root.name != SECRETS:
            message = (
                f"expected nothing but secrets here, got {root.name}:"
                " write it as {{ … }} of its own beside them"
            )
            raise SourceError(message, root.position)
    for path in expression.reads:
        if len(path) != 2:
            got = ".".join(path)
            message = f"expected {SECRETS} and a name, which is text, got {got}"
            raise SourceError(message, _roots(expression.tree)[0].position)
    return tuple(path[1] for path in expression.reads)


def _roots(node: Node) -> list[Root]:
    if isinstance(node, Root):
        return [node]
    return [root for inner in children(node) for root in _roots(inner)]


def take_out(document: Json) -> tuple[Json, list[Spot]]:
    """Return what a template gave as plain JSON, and the spots in it."""
    spots: list[Spot] = []
    return _taken(document, [], spots), spots


def _taken(value: Json, path: list[str | int], spots: list[Spot]) -> Json:
    match value:
        case Concealed():
            spots += (Spot(path, start, end, value.is_alone) for start, end in value.spans)
            return str.__str__(value)
        case Mapping():
            return {name: _taken(inner, [*path, name], spots) for name, inner in value.items()}
        case list():
            return [_taken(inner, [*path, index], spots) for index, inner in enumerate(value)]
        case _:
            return value


def names_at(document: Json, spots: Sequence[Spot]) -> frozenset[str]:
    """Return the names of the secrets that stand at `spots`."""
    found = (secrets_of(_compiled(_text_at(document, spot))) for spot in spots)
    return frozenset(name for names in found for name in names)


def put_in(
    document: Json, spots: Sequence[Spot], secrets: Mapping[str, str]
) -> tuple[Json, list[str]]:
    """
    Return `document` with what its spots give, and that again by itself.

    Raises:
        EvaluationError: an expression fails; its words may tell of a secret.
    """
    given: list[str] = []
    # From behind, so that the places before stay where they are.
    for spot in reversed(spots):
        evaluate = _compiled(_text_at(document, spot)).evaluate
        value = to_json(evaluate({SECRETS: secrets}))
        text = value if isinstance(value, str) else encode_json(value).decode()
        given.append(text)
        document = _replaced(document, spot.path, spot, value if spot.is_alone else text)
    return document, given


def _replaced(document: Json, path: list[str | int], spot: Spot, value: Json) -> Json:
    match path, document:
        case [], str():
            if spot.is_alone:
                return value
            return f"{document[: spot.start]}{value}{document[spot.end :]}"
        case [str(name), *rest], Mapping():
            return {**document, name: _replaced(document[name], rest, spot, value)}
        case [int(index), *rest], list():
            changed = _replaced(document[index], rest, spot, value)
            return [*document[:index], changed, *document[index + 1 :]]
        case _:
            raise TypeError(f"expected a text at {spot.path!r}")


def _text_at(document: Json, spot: Spot) -> str:
    """Return the expression at a spot, without its braces."""
    for part in spot.path:
        document = document[part]  # type: ignore[index]  # spots lead to texts
    assert isinstance(document, str)
    return document[spot.start + 2 : spot.end - 2]


@lru_cache(_REMEMBERED)
def _compiled(text: str) -> Expression:
    return compile_source(text, _NAMES)
