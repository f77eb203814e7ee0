"""An event as expressions see it."""

from collections.abc import Iterator, Mapping

from oncue.core.event import Event
from oncue.core.json_text import Json


class Seen(Mapping[str, Json]):
    """What expressions may read of an event; its view is made when it is first read, once."""

    __slots__ = ("_view", "event")

    def __init__(self, event: Event) -> None:
        self.event = event
        self._view: dict[str, Json] | None = None

    def __getitem__(self, name: str) -> dict[str, Json]:
        if name != "event":
            raise KeyError(name)
        if self._view is None:
            self._view = self.event.view()
        return self._view

    def __contains__(self, name: object) -> bool:
        return name == "event"

    def __iter__(self) -> Iterator[str]:
        yield "event"

    def __len__(self) -> int:
        return 1
