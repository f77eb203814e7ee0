"""Events that come with a question: read as if they were accepted one after the other, and kept nowhere."""

from collections.abc import Mapping, Sequence

from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import Event, IncomingEvent, parse_event
from oncue.core.instants import parse_instant
from oncue.core.json_text import Json

_RECEIVED = "received_at"


def given_events(values: Sequence[Json], now_ms: int, path: str) -> list[Event]:
    """
    Return the events of a list, in its order; a repeat of (source, id) is none.

    An event arrived at its own `received_at`, if it has one, else when the latest of
    all `time`s so far was; never before the one ahead of it. One without either
    arrived with the one ahead of it, the first of them now.

    Raises:
        InvalidInput: with all problems of all events.
    """
    problems: list[Problem] = []
    events: list[Event] = []
    seen: set[tuple[str, str]] = set()
    arrived_ms: int | None = None
    for place, value in enumerate(values):
        where = f"{path}[{place}]"
        incoming = _parse(value, f"event-{place + 1}", where, problems)
        own_ms = _received(value, where, problems)
        if incoming is None:
            continue
        instants = [arrived_ms, own_ms if own_ms is not None else incoming.time_ms]
        arrived_ms = max((instant for instant in instants if instant is not None), default=now_ms)
        if (incoming.source, incoming.id) not in seen:
            seen.add((incoming.source, incoming.id))
            events.append(_accepted(incoming, len(events) + 1, arrived_ms))
    if problems:
        raise InvalidInput(problems)
    return events


def _parse(
    value: Json, default_id: str, where: str, problems: list[Problem]
) -> IncomingEvent | None:
    plain = value
    if isinstance(value, Mapping):
        plain = {name: content for name, content in value.items() if name != _RECEIVED}
    try:
        return parse_event(plain, lambda: default_id)
    except InvalidInput as exc:
        problems += (
            Problem(f"{where}.{one.path}" if one.path else where, one.message)
            for one in exc.problems
        )
        return None


def _received(value: Json, where: str, problems: list[Problem]) -> int | None:
    text = value.get(_RECEIVED) if isinstance(value, Mapping) else None
    if text is None:
        return None
    try:
        return parse_instant(text if isinstance(text, str) else str(text))
    except ValueError as exc:
        problems.append(Problem(f"{where}.{_RECEIVED}", str(exc)))
        return None


def _accepted(incoming: IncomingEvent, offset: int, arrived_ms: int) -> Event:
    return Event(
        offset=offset,
        received_at_ms=arrived_ms,
        id=incoming.id,
        source=incoming.source,
        type=incoming.type,
        subject=incoming.subject,
        time_ms=arrived_ms if incoming.time_ms is None else incoming.time_ms,
        data=incoming.data,
        attributes=incoming.attributes,
    )
