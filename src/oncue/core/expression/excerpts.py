"""What is wrong in a source text, said with the line and a caret under the place."""

import difflib
from collections.abc import Iterable

_MARGIN = 60


class SourceError(Exception):
    """One thing wrong with a source text, and where; turned into a `Problem` at the border."""

    def __init__(self, message: str, position: int) -> None:
        self.message = message
        self.position = position
        super().__init__(message)


def point_at(source: str, position: int, message: str) -> str:
    """
    Return `message`, the line of `source` that holds `position`, and a caret below it.

    >>> print(point_at("evnt.id == 1", 0, "unknown name 'evnt'"))
    unknown name 'evnt'
      evnt.id == 1
      ^
    """
    begin = source.rfind("\n", 0, position) + 1
    end = source.find("\n", position)
    line = source[begin : end if end >= 0 else len(source)].expandtabs(1)
    column = position - begin
    first = max(0, column - _MARGIN)
    shown = line[first : column + _MARGIN]
    return f"{message}\n  {shown}\n  {' ' * (column - first)}^"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` with the known name most like `name`, or what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name[:100], names, n=1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f": known are {', '.join(names)}" if 0 < len(names) <= 12 else ""
