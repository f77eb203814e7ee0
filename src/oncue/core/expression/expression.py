"""One compiled expression."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled expression: its text, the paths that it reads, and the function it became."""

    text: str
    reads: tuple[tuple[str, ...], ...]
    source: str
    evaluate: Callable[[Mapping[str, object]], object]


def compile_expression(text: str, *, roots: Collection[str], path: str = "") -> Expression:
    """Return `text` as a function of the values of `roots`."""
    raise NotImplementedError
