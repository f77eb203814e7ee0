"""When a pattern began, remembered like a key, so that a checkpoint has it."""

from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed, Remembered

_FOREVER: Final = 2**62


class _Begin(Remembered):
    __slots__ = ()


class Begun:
    """The instant of event time from which on a pattern saw all events."""

    def __init__(self) -> None:
        self.keys: Keyed[_Begin] = Keyed(1, _FOREVER, _dump, _load)

    def begin(self, at_ms: int) -> None:
        """Remember the instant."""
        self.keys.put("", _Begin(), at_ms)

    def saw_from(self, start_ms: int) -> bool:
        """Return whether all events since an instant were seen."""
        begin = self.keys.get("")
        return begin is None or start_ms >= begin.touched_ms


def _dump(_: _Begin) -> Json:
    return None


def _load(_: Json) -> _Begin:
    return _Begin()
