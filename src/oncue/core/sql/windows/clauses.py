"""
Where the clauses of each SELECT of a statement are, by its words: no SQL is refused here.

    WITH w AS (SELECT … FROM events WHERE …) SELECT … FROM w GROUP BY …
               └──────── one core ─────────┘ └──────── another ────────┘
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.sql.text import Word

Range: TypeAlias = tuple[int, int]
"""The places of words from the first one up to one that is no longer in it."""

_CLAUSES: Final = (
    ("SELECT",),
    ("FROM",),
    ("WHERE",),
    ("GROUP", "BY"),
    ("HAVING",),
    ("WINDOW",),
    ("QUALIFY",),
    ("ORDER", "BY"),
    ("LIMIT",),
    ("OFFSET",),
    ("USING", "SAMPLE"),
)
_SETS: Final = ("UNION", "INTERSECT", "EXCEPT", ";")


@dataclass(frozen=True, slots=True)
class Core:
    """
    One SELECT without those around it.

    `clauses` are the words of each clause behind its keyword, by the first word of that;
    `outside` are the places of all of its words that stand in no parentheses.
    """

    clauses: Mapping[str, Range]
    outside: Sequence[int]


def cores(words: Sequence[Word]) -> list[Core]:
    """Return each SELECT of a statement, in the order in which they end."""
    return [core for inside, outside in _groups(words) for core in _cores(words, inside, outside)]


def split(words: Sequence[Word], inside: Range, *separators: str) -> list[Range]:
    """Return the parts of a range of words between separators that stand in no parentheses."""
    parts: list[Range] = []
    begin, depth = inside[0], 0
    for place in range(*inside):
        depth += words[place].nesting
        if not depth and words[place].upper in separators:
            parts.append((begin, place))
            begin = place + 1
    parts.append((begin, inside[1]))
    return [part for part in parts if part[0] < part[1]]


def conjuncts(words: Sequence[Word], where: Range) -> list[Range]:
    """Return the conditions of a WHERE that all have to hold."""
    if len(split(words, where, "OR")) > 1:
        return [where]
    parts: list[Range] = []
    is_between = False
    for part in split(words, where, "AND"):
        if is_between:
            # This AND joins no conditions.
            parts[-1] = parts[-1][0], part[1]
        else:
            parts.append(part)
        is_between = len(split(words, part, "BETWEEN")) > 1
    return parts


def _groups(words: Sequence[Word]) -> Iterator[tuple[Range, list[int]]]:
    """Yield what is inside of each pair of parentheses, then the whole; with the places outside of inner ones."""
    opened: list[tuple[int, list[int]]] = [(0, [])]
    for place, word in enumerate(words):
        if word.nesting < 0 and len(opened) > 1:
            begin, outside = opened.pop()
            yield (begin, place), outside
        opened[-1][1].append(place)
        if word.nesting > 0:
            opened.append((place + 1, []))
    while opened:
        begin, outside = opened.pop()
        yield (begin, len(words)), outside


def _cores(words: Sequence[Word], inside: Range, outside: Sequence[int]) -> Iterator[Core]:
    places: list[int] = []
    for place in [*outside, inside[1]]:
        if place < inside[1] and words[place].upper not in _SETS:
            places.append(place)
            continue
        clauses = _clauses(words, places, place)
        if "FROM" in clauses or "SELECT" in clauses:
            yield Core(clauses, places)
        places = []


def _clauses(words: Sequence[Word], places: Sequence[int], end: int) -> dict[str, Range]:
    begins: dict[str, Range] = {}
    for place in places:
        keyword = _keyword(words, place)
        if keyword and keyword[0] not in begins:
            begins[keyword[0]] = place, place + len(keyword)
    ends = [*(begin for begin, _ in begins.values()), end][1:]
    return {
        name: (behind, last) for (name, (_, behind)), last in zip(begins.items(), ends, strict=True)
    }


def _keyword(words: Sequence[Word], place: int) -> tuple[str, ...]:
    """Return the keyword of a clause that begins at a place; nothing, if none does."""
    before = words[place - 1].upper if place else ""
    # `a.offset` is a column, and `IS DISTINCT FROM` compares.
    if before == "." or (before, words[place].upper) == ("DISTINCT", "FROM"):
        return ()
    following = tuple(word.upper for word in words[place : place + 2])
    return next((each for each in _CLAUSES if following[: len(each)] == each), ())
