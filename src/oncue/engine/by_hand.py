"""Executions that somebody starts by hand: from an input, from an event, or from one in the log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from oncue.core.errors import InvalidInput, NotFound, Problem
from oncue.core.event import OWN_SOURCE, Event, parse_event
from oncue.core.ids import digest
from oncue.core.json_text import Json, encode_json
from oncue.core.problems import nearest
from oncue.engine.starts import Starts
from oncue.ports import Clock, EventLog, Journal, NewExecution, OnceKey, Trigger, WorkflowVersion

MANUAL_TYPE = "manual"
_FORMS = ("input", "event", "event_id")


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an execution is started with."""

    event: Event
    input: Json
    is_stored: bool = False


class HandStarts:
    """Starts executions that no match asked for."""

    def __init__(
        self,
        journal: Journal,
        log: EventLog,
        starts: Starts,
        clock: Clock,
        fresh_id: Callable[[str], str],
    ) -> None:
        self._journal = journal
        self._log = log
        self._starts = starts
        self._clock = clock
        self._fresh_id = fresh_id

    async def start(
        self, account: str, workflow: WorkflowVersion, body: Json, key: str | None
    ) -> tuple[NewExecution, bool]:
        """
        Return an execution, and whether it is a new one; with a `key` the same one for a repeat.

        Raises:
            InvalidInput: the body is none of the three forms.
            NotFound: there is no event of that id.
            Conflict: the key came with another request.
        """
        new = await self.prepare(account, workflow, body)
        once = OnceKey(f"execute/{workflow.id}", key, _digest(body)) if key else None
        begun = await self._journal.start_once(account, new, once)
        return begun, begun.start.execution_id == new.start.execution_id

    async def prepare(self, account: str, workflow: WorkflowVersion, body: Json) -> NewExecution:
        """
        Return the execution that a body asks for; it is not begun.

        Raises:
            InvalidInput: the body is none of the three forms.
            NotFound: there is no event of that id.
        """
        occasion = await self._occasion(account, body)
        execution_id = self._fresh_id("exe")
        event = occasion.event
        start = await self._starts.start(
            account,
            execution_id,
            (workflow.id, workflow.version),
            event,
            None,
            occasion.input,
        )
        offset = event.offset if occasion.is_stored else None
        return NewExecution(
            workflow_id=workflow.id,
            workflow=workflow.name,
            version=workflow.version,
            trigger=Trigger(MANUAL_TYPE, event.id, offset),
            start=start,
        )

    async def _occasion(self, account: str, body: Json) -> Occasion:
        form, value = _form(body)
        match form:
            case "event":
                event = self._event_of(value)
                return Occasion(event, event.data)
            case "event_id":
                event = await self._stored(account, value)
                return Occasion(event, event.data, is_stored=True)
            case _:
                return Occasion(self._manual(value), value)

    def _event_of(self, value: Json) -> Event:
        try:
            incoming = parse_event(value, lambda: self._fresh_id("evt"))
        except InvalidInput as exc:
            inside = [Problem(_join("event", p.path), p.message) for p in exc.problems]
            raise InvalidInput(inside) from exc
        now = self._clock.now_ms()
        return Event(
            offset=0,
            received_at_ms=now,
            id=incoming.id,
            source=incoming.source,
            type=incoming.type,
            subject=incoming.subject,
            time_ms=now if incoming.time_ms is None else incoming.time_ms,
            data=incoming.data,
            attributes=incoming.attributes,
        )

    async def _stored(self, account: str, event_id: Json) -> Event:
        if not isinstance(event_id, str):
            raise InvalidInput([Problem("event_id", f"expected text, got {event_id!r}")])
        event = await self._log.past.find(account, event_id)
        if event is None:
            raise NotFound(f"no event {event_id!r}")
        return event

    def _manual(self, value: Json) -> Event:
        now = self._clock.now_ms()
        return Event(0, now, self._fresh_id("evt"), OWN_SOURCE, MANUAL_TYPE, None, now, value, {})


def _form(body: Json) -> tuple[str, Json]:
    if not isinstance(body, Mapping):
        raise InvalidInput([Problem("", f"expected an object with one of {', '.join(_FORMS)}")])
    problems = [
        Problem(name, f"expected one of {', '.join(_FORMS)}, got {name!r}{nearest(name, _FORMS)}")
        for name in body
        if name not in _FORMS
    ]
    if len(body) > 1 and not problems:
        problems.append(Problem("", f"expected one of {', '.join(_FORMS)}, got several"))
    if problems:
        raise InvalidInput(problems)
    for name, value in body.items():
        return name, value
    return "input", {}


def _join(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if path else prefix


def _digest(body: Json) -> str:
    return digest([encode_json(body).decode()])
