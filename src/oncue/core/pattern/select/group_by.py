"""GROUP BY of a statement with windows: which windows there are, and what makes the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from oncue.core.pattern.select.columns import name_of
from oncue.core.pattern.select.grouping import Key, same, window_function, windowing_in
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import read
from oncue.core.sql.select.levels import Query
from oncue.core.sql.select.windowing import BOUNDS, SPAN, Shape, Windowing
from oncue.core.sql.text import Piece, Word

_UNGROUPED: Final = ("all", "cube", "rollup", "grouping_sets", "totals")


@dataclass(frozen=True, slots=True, eq=False)
class GroupBy:
    """The GROUP BY of the innermost SELECT."""

    query: Query

    def windowing(self) -> tuple[Windowing, list[Key]]:
        """
        Return the windows of the statement, and the key that GROUP BY adds to them.

        Raises:
            InvalidInput: it names no window, or more than one.
        """
        group = self.query.selects[0].args.get("group")
        if group is not None and any(group.args.get(name) for name in _UNGROUPED):
            raise self.query.refusal("GROUP", "expected GROUP BY with a list of columns")
        parts = list(group.expressions) if group is not None else []
        table = self.query.table
        if table is not None:
            return table.windowing, self._keys_of_table(parts)
        functions = [part for part in parts if window_function(part)]
        if len(functions) != 1:
            got = "none" if not functions else str(len(functions))
            raise self.query.refusal(
                "GROUP",
                f"expected one window in GROUP BY, such as {self.query.example}, got {got}:"
                " a stream has no end at which a group without one would be complete",
            )
        compiler = Expressions(self.query.piece, self.query.scope)
        shape = window_function(functions[0])
        assert shape is not None
        windowing = windowing_in(functions[0], shape, compiler, self.query)
        return windowing, self._keys([part for part in parts if part not in functions])

    def _keys_of_table(self, parts: Sequence[exp.Expr]) -> list[Key]:
        table, read = self.query.table, self.query.read
        assert table is not None
        if read.named(table.time.name) not in read.times:
            raise self.query.statement.refusal(
                table.time.start,
                f"expected the column {read.time} of event time{read.timed},"
                f" got {table.time.text!r}",
            )
        bounds = [part for part in parts if _last_name(part) in BOUNDS.values()]
        named = {_last_name(part) for part in bounds}
        if not named >= SPAN:
            raise self.query.statement.refusal(
                table.at,
                f"expected GROUP BY window_start, window_end, … beside {table.windowing.shape}:"
                " rows are those of windows",
            )
        keys = self._keys([part for part in parts if part not in bounds])
        if table.windowing.shape is Shape.SESSION:
            partition = [self._partition(words) for words in table.partition]
            self._check_session(table.at, partition, keys)
        return keys

    def _partition(self, words: Sequence[Word]) -> exp.Expr:
        piece = Piece(self.query.statement, words[0].start)
        piece.add_all(words)
        return read(piece)

    def _check_session(self, at: int, partition: Sequence[exp.Expr], keys: Sequence[Key]) -> None:
        is_same = len(partition) == len(keys) and all(
            any(same(part, key.node, self.query.aliases[0]) for key in keys) for part in partition
        )
        if not is_same:
            raise self.query.statement.refusal(
                at,
                "expected the same columns in PARTITION BY of SESSION and, beside the window,"
                " in GROUP BY: each key has sessions of its own",
            )

    def _keys(self, parts: Sequence[exp.Expr]) -> list[Key]:
        compiler = Expressions(self.query.piece, self.query.scope)
        keys: list[Key] = []
        for part in parts:
            node, name = self._named(part)
            keys.append(Key(node, name, compiler.compile(node)))
        return keys

    def _named(self, part: exp.Expr) -> tuple[exp.Expr, str]:
        """Return the expression of a part of GROUP BY, which may be the name that SELECT gave it."""
        if isinstance(part, exp.Literal):
            raise self.query.refusal("GROUP", f"expected a column in GROUP BY, got {part.name}")
        for item in self.query.selects[0].expressions:
            if not isinstance(item, exp.Alias):
                continue
            is_alias = (
                isinstance(part, exp.Column)
                and len(part.parts) == 1
                and part.name.lower() == item.alias.lower()
                and self.query.read.named(part.name) is None
            )
            if is_alias or same(part, item.this, self.query.aliases[0]):
                return item.this, item.alias
        return part, name_of(part)


def _last_name(node: exp.Expr) -> str:
    return node.name.lower() if isinstance(node, exp.Column) else ""
