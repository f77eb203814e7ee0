"""
What names and functions mean in DEFINE and MEASURES.

    A.price                  of the last row of A
    price                    of the last row of the match: in DEFINE the current one
    FIRST(A.price, 1)        of the second row of A
    PREV(LAST(A.price), 2)   of the row two before the last row of A
    SUM(A.price)             over all rows of A, up to the current one unless FINAL
    CLASSIFIER(), MATCH_NUMBER(), MATCH_ROWTIME()
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.pattern.rows.aggregates import compile_aggregate
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.registers import Memory
from oncue.core.pattern.rows.row import Here, Spot
from oncue.core.pattern.rows.rowtime import ROWTIMES, match_rowtime
from oncue.core.problems import nearest
from oncue.core.sql.columns import reference
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Compiler, Scalar, Scope, Sort, constant_of, spelled
from oncue.core.sql.text import Piece, Statement, Word, spelled_name

_PREFIX: Final = "row_"
_NAVIGATIONS: Final = ("FIRST", "LAST", "PREV", "NEXT")
_SEMANTICS: Final = ("RUNNING", "FINAL")
_FUNCTIONS: Final = (
    "first",
    "last",
    "prev",
    "next",
    "classifier",
    "match_number",
    "match_rowtime",
    "count",
    "sum",
    "avg",
)
MAX_OFFSET: Final = 1_000

C = TypeVar("C")

Position: TypeAlias = Callable[[Spot], int | None]


def row_piece(statement: Statement, words: list[Word], at: int) -> Piece:
    """Return words with the functions of row patterns spelled so that sqlglot takes them for no others."""
    piece = Piece(statement, at)
    closes: list[int] = []
    depth = 0
    for place, word in enumerate(words):
        ahead = [each.upper for each in words[place + 1 : place + 3]]
        if word.upper in _SEMANTICS and len(ahead) == 2 and ahead[1] == "(":
            piece.add(f"{_PREFIX}{word.upper.lower()}(", word.start)
            closes.append(depth)
            continue
        is_call = ahead[:1] == ["("] and word.upper in _NAVIGATIONS
        piece.add(f"{_PREFIX}{word.upper.lower()}" if is_call else spelled_name(word), word.start)
        depth += (word.upper == "(") - (word.upper == ")")
        if word.upper == ")" and closes and closes[-1] == depth:
            closes.pop()
            piece.add(")", word.start)
    return piece


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a pattern by number, and the bits that each name stands for."""

    names: tuple[str, ...]
    masks: Mapping[str, int]

    @property
    def universal(self) -> int:
        """The bits of all variables."""
        return (1 << len(self.names)) - 1

    def mask(self, name: exp.Identifier) -> int | None:
        """Return the bits of a variable or a subset; None, if it is neither."""
        return self.masks.get(name.name if name.args.get("quoted") else name.name.upper())


@dataclass(slots=True)
class Reach:
    """
    What the expressions of a pattern look at beyond their current row.

    `before` and `after` are how many rows beyond the match; `reads_labels` says that they ask
    to which variables other rows went.
    """

    before: int = 0
    after: int = 0
    reads_labels: bool = False


class HereScope(Scope[Here]):
    """Names inside of a navigation or an aggregate: columns of one row, of one variable."""

    def __init__(self, source: Input, variables: Variables) -> None:
        self._input = source
        self._variables = variables
        self.masks: set[int] = set()
        self.reads_label = False
        self.reads_number = False

    def column(self, node: exp.Expr, compiler: Compiler[Here]) -> Scalar[Here] | None:
        """Return what a name or a path stands for."""
        found = reference(node)
        if found is None:
            return None
        mask = self._variables.universal
        if len(found.names) + len(found.steps) > 1:
            named = self._variables.mask(found.names[0])
            if named is not None and len(found.names) > 1:
                mask, found = named, found.without_first()
            elif len(found.names) > 1 and self._is_source(found.names[0].name):
                found = found.without_first()
        self.masks.add(mask)
        name, sort = self._input.find(found, node, compiler)
        place = self._input.place(name, found.path)
        return Scalar(sort, lambda here: here.row.values[place])

    def _is_source(self, name: str) -> bool:
        return name.lower() == self._input.alias.lower() and self._input.named(name) is None

    def call(self, node: exp.Expr, compiler: Compiler[Here]) -> Scalar[Here] | None:
        """Return what a function of row patterns gives."""
        name = call_name(node)
        if name == "classifier":
            self.masks.add(classified(node, self._variables, compiler))
            self.reads_label = True
            names = self._variables.names
            return Scalar(Sort.TEXT, lambda here: None if here.label is None else names[here.label])
        if name == "match_number":
            self.reads_number = True
            return Scalar(Sort.NUMBER, lambda here: here.number)
        if name.startswith(_PREFIX) or isinstance(node, exp.AggFunc):
            got = spelled(node).removeprefix(_PREFIX).partition("(")[0].upper().removeprefix("ROW_")
            raise compiler.refusal(
                node, f"expected columns of one row here, got {got} inside of another function"
            )
        return None


def call_name(node: exp.Expr) -> str:
    """Return the name of a function that sqlglot does not know, in lower case."""
    return node.name.lower() if isinstance(node, exp.Anonymous) else ""


def classified(node: exp.Expr, variables: Variables, compiler: Compiler[C]) -> int:
    """Return the bits of the variables that CLASSIFIER is asked of."""
    if not node.expressions:
        return variables.universal
    found = reference(node.expressions[0])
    mask = variables.mask(found.names[0]) if found and not found.path else None
    if mask is None:
        got = spelled(node.expressions[0])
        raise compiler.refusal(
            node,
            f"expected a variable of the pattern in CLASSIFIER, got {got!r}"
            f"{nearest(got, variables.masks)}",
        )
    return mask


@dataclass(frozen=True, slots=True)
class _Navigation:
    """How a row is found: `depth` rows from the first or the last, then `offset` rows on."""

    is_first: bool = False
    depth: int = 0
    offset: int = 0
    is_final: bool = False


class RowScope(Scope[Spot]):
    """
    Names in DEFINE, where `current` is the variable that is defined, or in MEASURES.

    What is kept of the rows goes to `memory`, what is looked at beyond them to `reach`.
    `is_local` stays true while nothing but the current row and its neighbours is looked at.
    """

    functions = _FUNCTIONS

    def __init__(
        self,
        source: Input,
        variables: Variables,
        memory: Memory,
        reach: Reach,
        current: int | None = None,
    ) -> None:
        self._input = source
        self._variables = variables
        self._memory = memory
        self._reach = reach
        self._current = current
        self.is_local = True

    def column(self, node: exp.Expr, compiler: Compiler[Spot]) -> Scalar[Spot] | None:
        """Return what a name or a path stands for."""
        return None if reference(node) is None else self._at(node, _Navigation(), compiler)

    def call(self, node: exp.Expr, compiler: Compiler[Spot]) -> Scalar[Spot] | None:
        """Return what a function of row patterns gives."""
        name = call_name(node)
        if name == "match_number":
            self.is_local = False
            return Scalar(Sort.NUMBER, lambda spot: spot.number)
        if name in ROWTIMES:
            is_measure = self._current is None
            return match_rowtime(node, compiler, self._input.times, is_measure=is_measure)
        if name == "classifier":
            return self._at(node, _Navigation(), compiler)
        if isinstance(node, exp.AggFunc | exp.Filter):
            return self._aggregate(node, compiler, is_final=False)
        if not name.startswith(_PREFIX):
            return None
        inner, is_final = self._semantics(node, compiler)
        if isinstance(inner, exp.AggFunc | exp.Filter):
            return self._aggregate(inner, compiler, is_final=is_final)
        return self._navigated(node, compiler)

    def _semantics(self, node: exp.Expr, compiler: Compiler[Spot]) -> tuple[exp.Expr, bool]:
        """Return what RUNNING or FINAL stands before, and whether it is FINAL."""
        name = call_name(node).removeprefix(_PREFIX).upper()
        if name not in _SEMANTICS:
            return node, False
        if name == "FINAL" and self._current is not None:
            raise compiler.refusal(
                node, "expected RUNNING in DEFINE: a match has no end yet, got FINAL"
            )
        return node.expressions[0], name == "FINAL"

    def _navigated(self, node: exp.Expr, compiler: Compiler[Spot]) -> Scalar[Spot]:
        found = _Navigation()
        name = call_name(node)
        if name in ("row_prev", "row_next"):
            offset = self._offset(node, 1, compiler)
            found = replace(found, offset=-offset if name == "row_prev" else offset)
            node = node.expressions[0]
        node, is_final = self._semantics(node, compiler)
        found = replace(found, is_final=is_final)
        name = call_name(node)
        if name in ("row_first", "row_last"):
            depth = self._offset(node, 0, compiler)
            found = replace(found, is_first=name == "row_first", depth=depth)
            node = node.expressions[0]
        return self._at(node, found, compiler)

    def _offset(self, node: exp.Expr, default: int, compiler: Compiler[Spot]) -> int:
        name = call_name(node).removeprefix(_PREFIX).upper()
        if not 1 <= len(node.expressions) <= 2:
            raise compiler.refusal(node, f"expected {name}(expression, number of rows)")
        if len(node.expressions) == 1:
            return default
        given = compiler.compile(node.expressions[1]).constant
        if not isinstance(given, int) or not 0 <= given <= MAX_OFFSET:
            raise compiler.refusal(
                node, f"expected a number of rows from 0 to {MAX_OFFSET} in {name}"
            )
        return given

    def _at(self, node: exp.Expr, found: _Navigation, compiler: Compiler[Spot]) -> Scalar[Spot]:
        inner = HereScope(self._input, self._variables)
        scalar = Expressions(compiler.piece, inner).compile(node)
        mask = self._mask(inner, node, compiler)
        reach = self._reach
        reach.before = max(reach.before, -found.offset)
        reach.after = max(reach.after, found.offset)
        position = self._position(mask, found)
        is_current = not found.offset and self._is_current(mask, found)
        if inner.reads_label or inner.reads_number:
            self.is_local = False
        if inner.reads_label and not is_current:
            reach.reads_labels = True
        if scalar.constant is not None:
            return constant_of(scalar.constant, scalar.sort)
        if is_current and not inner.reads_label:
            return _of_current_row(scalar)
        of, offset, reads_label = scalar.of, found.offset, inner.reads_label

        def evaluate(spot: Spot) -> Json:
            at = position(spot)
            if at is None:
                return None
            row = spot.row(at + offset)
            if row is None:
                return None
            label = spot.label(at + offset) if reads_label else None
            return of(Here(row, at + offset, label, spot.number))

        return Scalar(scalar.sort, evaluate)

    def _mask(self, inner: HereScope, node: exp.Expr, compiler: Compiler[Spot]) -> int:
        if len(inner.masks) > 1:
            raise compiler.refusal(
                node,
                f"expected columns of one variable inside of a function, got {spelled(node)!r}",
            )
        return next(iter(inner.masks), self._variables.universal)

    def _is_current(self, mask: int, found: _Navigation) -> bool:
        """Return whether it is the current row that is looked at."""
        if found.is_first or found.depth or found.is_final:
            return False
        if self._current is not None:
            return bool(mask >> self._current & 1)
        return mask == self._variables.universal

    def _position(self, mask: int, found: _Navigation) -> Position:
        if self._is_current(mask, found):
            return _current_row
        self.is_local = False
        depth = found.depth
        is_universal = mask == self._variables.universal
        if found.is_first:
            if is_universal:
                return _nth_row(depth)
            # Where rows are numbered from the first, the current row bounds the first alone.
            return _nth_of(
                self._memory.first(mask, depth + 1), depth, is_final=found.is_final or depth > 0
            )
        if is_universal:
            return _nth_last_row(depth, is_final=found.is_final)
        return _nth_last_of(self._memory.last(mask, depth + 1), depth, is_final=found.is_final)

    def _aggregate(
        self, node: exp.Expr, compiler: Compiler[Spot], *, is_final: bool
    ) -> Scalar[Spot]:
        self.is_local = False
        inner = HereScope(self._input, self._variables)
        register, sort = compile_aggregate(
            node, Expressions(compiler.piece, inner), self._variables.mask
        )
        register.mask = self._mask(inner, node, compiler) if inner.masks else register.mask
        place = self._memory.aggregate(register)
        if is_final:
            return Scalar(sort, lambda spot: register.result(spot.final[place]))
        return Scalar(sort, lambda spot: register.result(spot.registers[place]))


def _current_row(spot: Spot) -> int | None:
    return spot.at if spot.at >= spot.start else None


def _of_current_row(scalar: Scalar[Here]) -> Scalar[Spot]:
    of = scalar.of

    def evaluate(spot: Spot) -> Json:
        at = spot.at
        if at < spot.start:
            return None
        return of(Here(spot.rows[at - spot.first_at], at, None, spot.number))

    return Scalar(scalar.sort, evaluate)


def _nth_row(depth: int) -> Position:
    def position(spot: Spot) -> int | None:
        at = spot.start + depth
        return at if at <= spot.end else None

    return position


def _nth_last_row(depth: int, *, is_final: bool) -> Position:
    def position(spot: Spot) -> int | None:
        at = (spot.end if is_final else spot.at) - depth
        return at if at >= spot.start else None

    return position


def _nth_of(place: int, depth: int, *, is_final: bool) -> Position:
    def position(spot: Spot) -> int | None:
        rows = (spot.final if is_final else spot.registers)[place]
        assert isinstance(rows, tuple)
        return rows[depth] if depth < len(rows) else None

    return position


def _nth_last_of(place: int, depth: int, *, is_final: bool) -> Position:
    def position(spot: Spot) -> int | None:
        rows = (spot.final if is_final else spot.registers)[place]
        assert isinstance(rows, tuple)
        return rows[-1 - depth] if depth < len(rows) else None

    return position
