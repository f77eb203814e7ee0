"""What a row pattern reads of a row: columns of its source, each kept once."""

from collections.abc import Mapping
from typing import TypeVar

from sqlglot import exp

from oncue.core.problems import nearest
from oncue.core.sql.columns import Reference, Step, named
from oncue.core.sql.scalars import Compiler, Sort

C = TypeVar("C")


class Input:
    """
    The columns of a source with the sort of each.

    `kept` are those that are needed, and paths into them; `times` are the names of those by whose
    time rows are ordered.
    """

    def __init__(self, alias: str, columns: Mapping[str, Sort]) -> None:
        self.alias = alias
        self.columns = columns
        self.times: set[str] = set()
        self.kept: list[tuple[str, tuple[Step, ...]]] = []

    def find(self, found: Reference, at: exp.Expr, compiler: Compiler[C]) -> tuple[str, Sort]:
        """
        Return the name of a column and the sort of what stands behind the steps into it.

        Raises:
            InvalidInput: the source has no such column.
        """
        first = found.names[0].name
        name = self.named(first)
        if name is None:
            others = ", ".join(self.columns)
            raise compiler.refusal(
                at,
                f"expected a column of {self.alias} ({others}), got {first!r}"
                f"{nearest(first, self.columns)}",
            )
        return name, Sort.ANY if found.path else self.columns[name]

    def named(self, name: str) -> str | None:
        """Return a column's name as it is spelled in the source, whatever the case of `name`."""
        return named(name, self.columns)

    def place(self, name: str, path: tuple[Step, ...]) -> int:
        """Return at which place of a row stands what is behind a path into a column."""
        key = (name, path)
        if key not in self.kept:
            self.kept.append(key)
        return self.kept.index(key)
