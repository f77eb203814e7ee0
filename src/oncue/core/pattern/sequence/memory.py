"""
What is remembered of a key: its partial matches, and how they are saved as plain data.

    {"seen": 7, "events": [[-1, 0, 3, 12, null], [0, 1, 5, 14, null]],
     "partials": [[4, 3, 1000, 1500, 1500, 1]], "completed": []}

Events are saved once, with the place of the one before; partial matches name the place of
their last one.
"""

from collections.abc import Iterable, Mapping, Sequence

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Remembered
from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.partial import Partial, Taken


class SequenceKey(Remembered):
    """
    The partial matches of a key.

    `seen` counts its events since it was remembered; `completed` are matches that wait until
    no earlier partial match is open.
    """

    __slots__ = ("completed", "partials", "seen")

    def __init__(self, seen: int = 0) -> None:
        self.seen = seen
        self.partials: list[Partial] = []
        self.completed: list[Completion] = []


class _Events:
    """Events written once each, in an order in which each follows the one before."""

    def __init__(self) -> None:
        self.rows: list[Json] = []
        self._places: dict[int, int] = {}

    def place(self, taken: Taken | None) -> int:
        if taken is None:
            return -1
        found = self._places.get(id(taken))
        if found is not None:
            return found
        before = self.place(taken.before)
        self.rows.append([before, taken.step, taken.turn, taken.offset, taken.view])
        place = self._places[id(taken)] = len(self.rows) - 1
        return place


def dump(state: SequenceKey) -> Json:
    """Return the state of a key as plain data."""
    events = _Events()
    partials = [[*partial[:-1], events.place(partial.taken)] for partial in state.partials]
    completed = [[*each[1:], events.place(each.taken)] for each in state.completed]
    return {
        "seen": state.seen,
        "events": events.rows,
        "partials": partials,
        "completed": completed,
    }


def load(saved: Json) -> SequenceKey:
    """Return the state of a key that `dump` wrote."""
    assert isinstance(saved, Mapping)
    taken: list[Taken | None] = []
    for before, step, turn, offset, view in _rows(saved["events"]):
        taken.append(Taken(_at(taken, before), _int(step), _int(turn), _int(offset), view))
    state = SequenceKey(_int(saved["seen"]))
    for *numbers, place in _rows(saved["partials"]):
        place_at, start, start_ms, entered_ms, last_ms = map(_int, numbers)
        state.partials.append(
            Partial(place_at, start, start_ms, entered_ms, last_ms, _at(taken, place))
        )
    for begun, begun_ms, at_ms, is_absent, is_timeout, place in _rows(saved["completed"]):
        instants = _int(begun), _int(begun_ms), _int(at_ms)
        state.completed.append(
            Completion(_at(taken, place), *instants, bool(is_absent), bool(is_timeout))
        )
    return state


def _rows(value: Json) -> Iterable[Sequence[Json]]:
    assert isinstance(value, Sequence)
    for row in value:
        assert isinstance(row, Sequence)
        yield row


def _at(taken: Sequence[Taken | None], place: Json) -> Taken | None:
    number = _int(place)
    return None if number < 0 else taken[number]


def _int(value: Json) -> int:
    assert isinstance(value, int)
    return value
