"""Rows of polls: those whose identity was not seen are hits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from oncue.core.json_text import Json
from oncue.core.own_events import QUERY_FAILED
from oncue.core.pattern.canonical import canonical_key
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from oncue.core.pattern.polled.poll import MAX_ROWS, Answer, LastPoll, Poll, answer_in, last_in
from oncue.core.pattern.threshold.values import canonical

_FOREVER: Final = 2**62


class _Seen(Remembered):
    __slots__ = ()


class _Told(Remembered):
    __slots__ = ("last",)

    def __init__(self, last: LastPoll) -> None:
        self.last = last


class PolledOperator(Operator):
    """
    The identities that were seen, and what came of the last poll.

    One that a whole poll does not find is forgotten, if `forget` says so: when it comes back
    it is new. Beyond `max_keys` the one longest unseen is; never one of the same answer, or it
    would be new each time.
    """

    def __init__(self, poll: Poll, max_keys: int) -> None:
        super().__init__()
        self._poll = poll
        self._seen: Keyed[_Seen] = Keyed(max(max_keys, MAX_ROWS), _FOREVER, _dump, _load)
        self._told: Keyed[_Told] = Keyed(1, _FOREVER, _dump_told, _load_told)

    @property
    def last(self) -> LastPoll | None:
        """What came of the last poll since the pattern began."""
        told = self._told.get("")
        return told.last if told else None

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take what a poll found."""
        event = arrival.event
        self._told.put("", _Told(last_in(event)), event.time_ms)
        if event.type == QUERY_FAILED:
            self.last_note = Note.COUNTED
            return ()
        answer = answer_in(event.data)
        hits: list[Hit] = []
        found: set[str] = set()
        for place, row in enumerate(answer.rows):
            key, identity = self._identity(answer, row)
            if identity in found:
                continue
            found.add(identity)
            if self._seen.get(identity) is None:
                hits.append(
                    Hit(
                        kind=Kind.MATCHED,
                        key=key,
                        time_ms=event.time_ms,
                        bindings=(("", (event.offset,)),),
                        event_count=1,
                        values=dict(zip(answer.columns, row, strict=True)),
                        row=place,
                    )
                )
            if self._seen.put(identity, _Seen(), event.time_ms) is not None:
                self.counts["keys_forgotten"] += 1
        if self._poll.forget == "on_absence" and not answer.is_truncated:
            for identity in [each for each, _ in self._seen.items() if each not in found]:
                self._seen.drop(identity)
        self.counts["polls_truncated"] += answer.is_truncated
        self.last_note = None if hits else Note.COUNTED
        return hits

    def advance(self, _watermark_ms: int) -> Iterator[Hit]:
        """Yield nothing: time alone makes no row."""
        yield from ()

    def deadline(self) -> int | None:
        """Return nothing, since nothing is ever due."""
        return None

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin with nothing seen."""

    def describe(self, _key: str) -> Mapping[str, Json]:
        """Return how many identities are known."""
        return {"identities": len(self._seen)} if len(self._seen) else {}

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return the identities, and the last poll."""
        return {"seen": self._seen, "told": self._told}

    def restored(self) -> None:
        """Leave it at that."""

    def report(self) -> Mapping[str, Json]:
        """Return what came of the last poll."""
        return {"poll": self.last.view() if self.last else None}

    def _identity(self, answer: Answer, row: Sequence[Json]) -> tuple[str, str]:
        """Return the key of a row, and what it is remembered by."""
        if not self._poll.identity:
            return "", canonical(list(row))
        by_name = dict(zip(answer.columns, row, strict=True))
        key = canonical_key([by_name.get(name) for name in self._poll.identity])
        return key, canonical(key)


def _dump(_: _Seen) -> Json:
    return None


def _load(_: Json) -> _Seen:
    return _Seen()


def _dump_told(told: _Told) -> Json:
    last = told.last
    return [
        last.due_at, last.over_ms, last.rows, last.is_truncated, last.elapsed_ms, last.error,
        last.failed_in_row,
    ]  # fmt: skip


def _load_told(dumped: Json) -> _Told:
    assert isinstance(dumped, list)
    due_at, over_ms, rows, is_truncated, elapsed_ms, error, in_row = dumped
    return _Told(LastPoll(due_at, over_ms, rows, is_truncated, elapsed_ms, error, in_row))
