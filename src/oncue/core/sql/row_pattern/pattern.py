"""
The row pattern in `PATTERN (…)`: a regular expression over variables.

    A B+ (C | D)*? {- E -} F{2,3} PERMUTE(G, H) ^ $
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.sql.text import Word, Words

MAX_REPEAT: Final = 1_000
MAX_PERMUTED: Final = 5
MAX_DEPTH: Final = 100


@dataclass(frozen=True, slots=True)
class Variable:
    """One row that meets the definition of a variable."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """The first row of the partition, or the last."""

    is_start: bool
    at: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; nothing at all where it has no parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several, an earlier one rather than a later one."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Permutation:
    """All of several in any order, in that of the text rather than in another."""

    parts: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Repetition:
    """Several times: as often as may be where it is greedy, else as seldom."""

    inner: "Node"
    least: int
    most: int | None
    is_greedy: bool


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows that are matched and not shown."""

    inner: "Node"


Node: TypeAlias = Variable | Anchor | Sequence | Choice | Permutation | Repetition | Exclusion


def variable_name(word: Word) -> str:
    """Return the name of a variable: without quotes it is upper case, as SQL has it."""
    return word.name if word.kind == "quoted" else word.name.upper()


def parse_pattern(words: Words) -> Node:
    """
    Return the pattern that stands in the parentheses that follow.

    Raises:
        InvalidInput: it is none.
    """
    words.need("(")
    node = _choice(words, 0)
    words.need(")")
    return node


def _choice(words: Words, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise words.statement.refusal(words.at, "expected a pattern that is less deep")
    parts = [_sequence(words, depth)]
    while words.take("|"):
        parts.append(_sequence(words, depth))
    return parts[0] if len(parts) == 1 else Choice(tuple(parts))


def _sequence(words: Words, depth: int) -> Node:
    parts: list[Node] = []
    while (word := words.peek) and word.upper not in (")", "|", "-}", ","):
        parts.append(_repeated(words, _primary(words, depth)))
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _primary(words: Words, depth: int) -> Node:
    at = words.at
    if words.take("("):
        inner = _choice(words, depth + 1)
        words.need(")")
        return inner
    if words.take("{-"):
        inner = _choice(words, depth + 1)
        words.need("-}")
        return Exclusion(inner)
    if anchor := words.take("^", "$"):
        return Anchor(is_start=anchor.text == "^", at=at)
    if words.sequence("PERMUTE", "("):
        return _permutation(words, at, depth + 1)
    return Variable(variable_name(words.name("a variable, '(' or '{-'")), at)


def _permutation(words: Words, at: int, depth: int) -> Node:
    parts = [_choice(words, depth)]
    while words.take(","):
        parts.append(_choice(words, depth))
    words.need(")")
    if len(parts) > MAX_PERMUTED:
        raise words.statement.refusal(
            at, f"expected at most {MAX_PERMUTED} in PERMUTE, got {len(parts)}"
        )
    return Permutation(tuple(parts), at)


def _repeated(words: Words, inner: Node) -> Node:
    at = words.at
    if symbol := words.take("*", "+", "?"):
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[symbol.text]
    elif words.take("{"):
        least, most = _bounds(words, at)
    else:
        return inner
    return Repetition(inner, least, most, is_greedy=words.take("?") is None)


def _bounds(words: Words, at: int) -> tuple[int, int | None]:
    word = words.peek
    least = words.number("a number") if word and word.kind == "number" else 0
    most: int | None = least
    if words.take(","):
        word = words.peek
        most = words.number("a number") if word and word.kind == "number" else None
    elif not least:
        raise words.statement.refusal(at, "expected a number of repetitions above 0, got none")
    words.need("}")
    largest = max(least, most or 0)
    if (most is not None and most < max(least, 1)) or largest > MAX_REPEAT:
        raise words.statement.refusal(
            at,
            f"expected repetitions such as {{2,5}}, at most {MAX_REPEAT}, got {{{least},{most}}}",
        )
    return least, most
