"""What is found while a workflow is compiled: what is wrong, and what it reads."""

from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeVar

from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import (
    Conceals,
    Expression,
    Template,
    compile_expression,
    compile_template,
    nowhere,
)
from oncue.core.json_text import Json

Roots = Collection[str]
Compiled = TypeVar("Compiled")

VARIABLES: Final = "vars"
NOTHING: Final = compile_template(None, roots=())
"""Stands for what has problems."""


class Findings:
    """Collects what is wrong, so that all of it is told at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.reads: dict[tuple[str, ...], str] = {}
        self.secrets: dict[str, str] = {}

    def add(self, path: str, message: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(path, message))

    def collect(self, compile_: Callable[[], Compiled]) -> Compiled | None:
        """Return what `compile_` gives; nothing, if it found problems, which are noted."""
        try:
            return compile_()
        except InvalidInput as exc:
            self.problems.extend(exc.problems)
            return None

    def template(
        self, document: Json, path: str, roots: Roots, conceals: Conceals = nowhere
    ) -> Template:
        """Return `document` compiled; an empty template where it has problems."""
        compiled = self.collect(
            lambda: compile_template(document, roots=roots, path=path, conceals=conceals)
        )
        if compiled is None:
            return NOTHING
        self._note(compiled.reads, path)
        self.secrets = {**compiled.secrets, **self.secrets}
        return compiled

    def expression(self, text: str, path: str, roots: Roots) -> Expression | None:
        """Return `text` compiled; nothing where it has problems."""
        compiled = self.collect(lambda: compile_expression(text, roots=roots, path=path))
        if compiled:
            self._note(compiled.reads, path)
        return compiled

    def variables(self, own: Collection[str]) -> dict[str, str]:
        """Return the names under `vars` that are read and are none of a workflow's `own`."""
        return {
            read[1]: path
            for read, path in self.reads.items()
            if read[0] == VARIABLES and len(read) > 1 and read[1] not in own
        }

    def _note(self, reads: Iterable[tuple[str, ...]], path: str) -> None:
        self.reads = {**dict.fromkeys(reads, path), **self.reads}
