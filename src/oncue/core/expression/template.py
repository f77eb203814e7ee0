"""Documents with expressions in them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from oncue.core.json_text import Json


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A compiled document."""

    reads: tuple[tuple[str, ...], ...]

    def render(self, values: Mapping[str, object]) -> Json:
        """Return the document with every expression replaced by its value."""
        raise NotImplementedError


def compile_template(document: Json, *, roots: Collection[str], path: str = "") -> Template:
    """Return `document` as a function of the values of `roots`."""
    raise NotImplementedError
