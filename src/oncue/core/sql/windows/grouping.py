"""Windows in GROUP BY, and the functions for their bounds beside it."""

from collections.abc import Mapping, Sequence

from oncue.core.sql.columns import COLUMNS
from oncue.core.sql.select.windowing import (
    BOUNDS,
    SHAPES,
    Shape,
    Windowing,
    WindowTable,
    window_function,
)
from oncue.core.sql.text import Word
from oncue.core.sql.windows.clauses import Core, Range, split
from oncue.core.sql.windows.draft import Draft
from oncue.core.sql.windows.sources import Source, read_source, spans_beside


class Grouping:
    """Rewrites one SELECT after the other, those inside of others first."""

    def __init__(self, draft: Draft, tables: Mapping[int, WindowTable]) -> None:
        self._draft = draft
        self._tables = tables
        self._bounds = [
            place for place, word in enumerate(draft.words) if _bound(word) and draft.is_call(place)
        ]
        """Where functions for bounds of windows stand that no SELECT has claimed."""

    def rewrite(self, core: Core) -> None:
        """Put a query in the place of what a SELECT with a window in GROUP BY reads."""
        inside = core.clauses.get("GROUP", (0, 0))
        parts = split(self._draft.words, inside, ",")
        functions = [part for part in parts if self._draft.is_window(part[0])]
        if not functions:
            self._bounds_in(core, None)
            return
        if len(functions) > 1:
            raise self._draft.refusal(
                functions[1][0], f"expected one window in GROUP BY, got {len(functions)}"
            )
        (place, end), at = functions[0], self._draft.words[functions[0][0]]
        shape = Shape(at.upper)
        self._draft.claimed.add(place)
        windowing, column, _ = window_function(
            self._draft.statement, shape, self._draft.words[place:end]
        )
        source, reading = self._source(core, place)
        keys = [self._key(core, part) for part in parts if part[0] != place]
        spans = spans_beside(self._draft.statement, windowing, source, column, keys)
        self._draft.replace(source.words[0].start, source.words[0].start, spans.before)
        where = core.clauses.get("WHERE")
        is_moved = shape is Shape.SESSION and where is not None and where[0] == reading[1] + 1
        self._draft.insert(
            where[1] if where and is_moved else reading[1], f"{spans.after}{source.named}"
        )
        self._draft.replace(at.start, self._draft.words[end - 1].end, ", ".join(BOUNDS.values()))
        self._bounds_in(core, windowing)

    def _source(self, core: Core, place: int) -> tuple[Source, Range]:
        """Return what a SELECT with a window in GROUP BY reads, which is one table."""
        shape = self._draft.words[place].upper
        reading = core.clauses.get("FROM", (0, 0))
        if reading[0] == reading[1]:
            raise self._draft.refusal(place, f"expected FROM a table beside {shape}, got none")
        if reading[0] in self._tables:
            raise self._draft.refusal(place, "expected windows in FROM or in GROUP BY, got both")
        source, behind = read_source(self._draft.words, reading)
        if behind < reading[1]:
            raise self._draft.refusal(
                behind,
                f"expected one table in FROM beside {shape} in GROUP BY,"
                f" got {self._draft.words[behind].text!r}: join with TABLE({shape}(TABLE …, …)),"
                " or write the join itself into FROM ( … )",
            )
        return source, reading

    def _key(self, core: Core, part: Range) -> Sequence[Word]:
        """Return a part of GROUP BY, which may be the number or the name of a column of SELECT."""
        words = self._draft.words[slice(*part)]
        if len(words) > 1:
            return words
        word = words[0]
        items = split(self._draft.words, core.clauses.get("SELECT", (0, 0)), ",")
        if word.kind == "number" and 0 < int(word.text) <= len(items):
            return self._unnamed(items[int(word.text) - 1])[0]
        for item in items if word.name.lower() not in COLUMNS else ():
            expression, name = self._unnamed(item)
            if name.lower() == word.name.lower():
                return expression
        return words

    def _unnamed(self, item: Range) -> tuple[Sequence[Word], str]:
        """Return a column of SELECT without its name, and that name."""
        words = self._draft.words[slice(*item)]
        if len(words) > 2 and words[-2].upper == "AS":
            return words[:-2], words[-1].name
        return words, ""

    def _bounds_in(self, core: Core, windowing: Windowing | None) -> None:
        """Put names in the place of the functions for bounds that stand in a SELECT."""
        extent = range(core.outside[0], core.outside[-1] + 1)
        for place in [each for each in self._bounds if each in extent]:
            self._bounds.remove(place)
            word = self._draft.words[place]
            shape, bound = _bound(word) or (Shape.TUMBLE, "")
            named, _, taken = window_function(
                self._draft.statement, shape, self._draft.words[place:]
            )
            if named != windowing:
                beside = (
                    f"GROUP BY {shape}(…)" if windowing is None else "the same windows in GROUP BY"
                )
                raise self._draft.refusal(place, f"expected {beside} beside {word.upper}")
            self._draft.replace(word.start, self._draft.words[place + taken - 1].end, bound)


def _bound(word: Word) -> tuple[Shape, str] | None:
    """Return which windows a function gives a bound of, and which bound; None, if it is no such one."""
    shape, _, suffix = word.upper.partition("_")
    return (Shape(shape), BOUNDS[suffix]) if shape in SHAPES and suffix in BOUNDS else None
