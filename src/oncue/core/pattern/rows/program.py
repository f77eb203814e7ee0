"""
From a row pattern to a program whose threads are tried in the order of preference.

    take X      the next row meets X, and goes to X
    fork a, b   both, a rather than b
    first       only before the first row of the partition
    last        only after its last row
    enter n     a repetition begins that need not be
    leave n     it ends; only if a row was taken since it began
    accept      a match

The construction is Thompson's, with the priorities of Pike: what `*` prefers stands
first in its fork. Beyond the least number a repetition without a row is none (ISO/IEC
19075-5 §7.2.8).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, TypeAlias

from oncue.core.sql.row_pattern.pattern import (
    Anchor,
    Choice,
    Exclusion,
    Node,
    Permutation,
    Repetition,
    Variable,
)
from oncue.core.sql.row_pattern.pattern import (
    Sequence as Parts,
)

MAX_SIZE: Final = 10_000
MAX_PLAIN: Final = 1_000


@dataclass(frozen=True, slots=True)
class Take:
    """The next row goes to a variable; `next_` is where it goes on."""

    label: int
    is_excluded: bool
    next_: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Both ways, the first one preferred."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Border:
    """Only at the begin of the partition, or only at its end."""

    is_start: bool
    next_: int


@dataclass(frozen=True, slots=True)
class Enter:
    """A repetition begins."""

    repetition: int
    next_: int


@dataclass(frozen=True, slots=True)
class Leave:
    """A repetition ends, which must have taken a row."""

    repetition: int
    next_: int


@dataclass(frozen=True, slots=True)
class Accept:
    """What was taken is a match."""


Instruction: TypeAlias = Take | Fork | Border | Enter | Leave | Accept


class TooLarge(Exception):
    """A pattern whose repetitions make more of it than is sensible."""


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions, and where they begin."""

    code: tuple[Instruction, ...]
    start: int


Onward: TypeAlias = Mapping[int, tuple[tuple[int, ...], bool]]
"""From a place without a row: where rows are taken, the preferred first, and whether it then accepts."""


def onward_of(program: Program) -> Onward | None:
    """Return where threads go on; None, where that depends on the row, or is much to know."""
    code = program.code
    if len(code) > MAX_PLAIN or any(isinstance(each, Border) for each in code):
        return None
    begins = {program.start} | {each.next_ for each in code if isinstance(each, Take)}
    return {begin: _closure(code, begin) for begin in begins}


def _closure(code: Sequence[Instruction], begin: int) -> tuple[tuple[int, ...], bool]:
    taking: dict[int, None] = {}
    seen: set[tuple[int, frozenset[int]]] = set()
    pending: list[tuple[int, frozenset[int]]] = [(begin, frozenset())]
    while pending:
        mark = pending.pop()
        if mark in seen:
            continue
        seen.add(mark)
        place, empty = mark
        match code[place]:
            case Take():
                taking.setdefault(place)
            case Accept():
                return tuple(taking), True
            case passed:
                pending += onward_from(passed, empty)
    return tuple(taking), False


def onward_from(
    passed: "Fork | Border | Enter | Leave", empty: frozenset[int], *, is_at_border: bool = False
) -> list[tuple[int, frozenset[int]]]:
    """
    Return where a thread goes on without a row, the preferred place last.

    `empty` are the repetitions around it that have taken no row.
    """
    match passed:
        case Fork(first, second):
            return [(second, empty), (first, empty)]
        case Border(_, next_):
            return [(next_, empty)] if is_at_border else []
        case Enter(repetition, next_):
            return [(next_, empty | {repetition})]
        case Leave(repetition, next_):
            return [] if repetition in empty else [(next_, empty)]


def compile_program(pattern: Node, labels: Mapping[str, int]) -> Program:
    """
    Return the program of a pattern; `labels` number its variables.

    Raises:
        TooLarge: it has more than `MAX_SIZE` instructions.
    """
    builder = _Builder(labels)
    accept = builder.add(Accept())
    start = builder.before(pattern, accept, is_excluded=False)
    return Program(tuple(builder.code), start)


class _Builder:
    """Builds from the end: each part is given where it goes on, and returns where it begins."""

    def __init__(self, labels: Mapping[str, int]) -> None:
        self.code: list[Instruction] = []
        self._labels = labels
        self._repetitions = 0

    def add(self, instruction: Instruction) -> int:
        if len(self.code) >= MAX_SIZE:
            raise TooLarge
        self.code.append(instruction)
        return len(self.code) - 1

    def before(self, node: Node, next_: int, *, is_excluded: bool) -> int:
        match node:
            case Variable():
                return self.add(Take(self._labels[node.name], is_excluded, next_))
            case Anchor():
                return self.add(Border(node.is_start, next_))
            case Exclusion():
                return self.before(node.inner, next_, is_excluded=True)
            case Parts():
                return self._chain(node.parts, next_, is_excluded=is_excluded)
            case Choice():
                begins = [self.before(part, next_, is_excluded=is_excluded) for part in node.parts]
                return self._first_of(begins)
            case Permutation():
                begins = [
                    self._chain(order, next_, is_excluded=is_excluded)
                    for order in permutations(node.parts)
                ]
                return self._first_of(begins)
            case Repetition():
                return self._repeated(node, next_, is_excluded=is_excluded)

    def _chain(self, parts: Sequence[Node], next_: int, *, is_excluded: bool) -> int:
        for part in reversed(parts):
            next_ = self.before(part, next_, is_excluded=is_excluded)
        return next_

    def _first_of(self, begins: list[int]) -> int:
        begin = begins[-1]
        for each in reversed(begins[:-1]):
            begin = self.add(Fork(each, begin))
        return begin

    def _repeated(self, node: Repetition, next_: int, *, is_excluded: bool) -> int:
        if node.most is None:
            loop = self.add(Fork(next_, next_))
            begin = self._once_more(node, loop, is_excluded=is_excluded)
            self.code[loop] = self._fork(node, begin, next_)
            entry = loop
        else:
            entry = next_
            for _ in range(node.most - node.least):
                begin = self._once_more(node, entry, is_excluded=is_excluded)
                entry = self.add(self._fork(node, begin, next_))
        for _ in range(node.least):
            entry = self.before(node.inner, entry, is_excluded=is_excluded)
        return entry

    def _once_more(self, node: Repetition, next_: int, *, is_excluded: bool) -> int:
        """Return where a repetition begins that need not be."""
        if not may_be_empty(node.inner):
            return self.before(node.inner, next_, is_excluded=is_excluded)
        self._repetitions += 1
        repetition = self._repetitions
        leave = self.add(Leave(repetition, next_))
        return self.add(Enter(repetition, self.before(node.inner, leave, is_excluded=is_excluded)))

    def _fork(self, node: Repetition, again: int, next_: int) -> Fork:
        return Fork(again, next_) if node.is_greedy else Fork(next_, again)


def may_be_empty(node: Node) -> bool:
    """Return whether a pattern may match no row."""
    match node:
        case Variable():
            return False
        case Anchor():
            return True
        case Exclusion():
            return may_be_empty(node.inner)
        case Repetition():
            return not node.least or may_be_empty(node.inner)
        case Parts() | Permutation():
            return all(map(may_be_empty, node.parts))
        case Choice():
            return any(map(may_be_empty, node.parts))


def least_rows(node: Node) -> int:
    """Return how many rows a match of a pattern has at least."""
    match node:
        case Variable():
            return 1
        case Anchor():
            return 0
        case Exclusion():
            return least_rows(node.inner)
        case Repetition():
            return node.least * least_rows(node.inner)
        case Parts() | Permutation():
            return sum(map(least_rows, node.parts))
        case Choice():
            return min(map(least_rows, node.parts))


def variables_of(node: Node) -> Iterator[Variable]:
    """Yield the variables of a pattern in the order of its text."""
    match node:
        case Variable():
            yield node
        case Exclusion() | Repetition():
            yield from variables_of(node.inner)
        case Parts() | Choice() | Permutation():
            for part in node.parts:
                yield from variables_of(part)
        case Anchor():
            return


def parts_of(node: Node) -> Iterator[Node]:
    """Yield a pattern and all its parts."""
    yield node
    match node:
        case Exclusion() | Repetition():
            yield from parts_of(node.inner)
        case Parts() | Choice() | Permutation():
            for part in node.parts:
                yield from parts_of(part)
        case _:
            return
