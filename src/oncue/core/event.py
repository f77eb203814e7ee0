"""
The event: a fact from outside, in CloudEvents 1.0 names.

`parse_event` makes an `IncomingEvent` of untrusted JSON. The log gives it an
offset and the instant of its arrival; from then on it is an `Event`.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import msgspec

from oncue.core.errors import InvalidInput, Problem
from oncue.core.globs import compile_glob
from oncue.core.instants import format_instant, parse_instant
from oncue.core.json_text import Json

DEFAULT_SOURCE: Final = "api"
OWN_SOURCE: Final = "oncue"
DEPTH: Final = "oncuedepth"
"""The extension attribute that counts what led to an event: executions, and matches that were told."""
MAX_DEPTH: Final = 10
"""A chain of executions that start each other by events ends here: it is a loop."""
MAX_TEXT: Final = 512
MAX_DATA_BYTES: Final = 256 << 10
"""How large the data of an event may be that we emit ourselves."""
TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,254}", re.ASCII)
# CloudEvents 1.0 §"Naming conventions".
_EXTENSION = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_KNOWN = ("type", "source", "subject", "id", "time", "data")
_OPTIONAL = ("datacontenttype", "dataschema", "data_base64")
_RESERVED = frozenset((*_KNOWN, *_OPTIONAL, "specversion"))


class IncomingEvent(msgspec.Struct, frozen=True):
    """An event that was read but not yet accepted; without `time_ms` it gets that of its arrival."""

    id: str
    source: str
    type: str
    subject: str | None
    time_ms: int | None
    data: Json
    attributes: dict[str, Json]


class Event(msgspec.Struct, frozen=True):
    """An accepted event. `attributes` are the optional and extension attributes."""

    offset: int
    received_at_ms: int
    id: str
    source: str
    type: str
    subject: str | None
    time_ms: int
    data: Json
    attributes: dict[str, Json]

    def view(self) -> dict[str, Json]:
        """Return what expressions and people see of it: CloudEvents names and instants as text."""
        return {
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": format_instant(self.time_ms),
            "data": self.data,
            **self.attributes,
        }


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events somebody wants to see; None wants all. `type` may be a glob."""

    type: str | None = None
    source: str | None = None
    subject: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def compile(self) -> Callable[[Event], bool]:
        """Return what says whether an event is wanted."""
        is_type = compile_glob(self.type) if self.type is not None else None

        def is_wanted(event: Event) -> bool:
            return (
                (is_type is None or is_type(event.type))
                and (self.source is None or event.source == self.source)
                and (self.subject is None or event.subject == self.subject)
                and (self.from_ms is None or event.time_ms >= self.from_ms)
                and (self.to_ms is None or event.time_ms < self.to_ms)
            )

        return is_wanted


def depth_of(view: Json) -> int:
    """Return how many executions led to an event, as expressions see it; 0 from outside."""
    depth = view.get(DEPTH) if isinstance(view, Mapping) else None
    return max(depth, 0) if isinstance(depth, int) and not isinstance(depth, bool) else 0


def refuse_own_source(event: IncomingEvent) -> None:
    """
    Return if an event does not claim to come from OnCue.

    Raises:
        InvalidInput: it does.
    """
    if event.source.partition("/")[0] == OWN_SOURCE:
        expected = f"expected a source other than {OWN_SOURCE!r}, which OnCue's own events have"
        raise InvalidInput([Problem("source", f"{expected}, got {event.source!r}")])


def parse_event(value: Json, fresh_id: Callable[[], str]) -> IncomingEvent:
    """
    Return the event that a JSON object spells; `fresh_id` names it where it has no id.

    Raises:
        InvalidInput: with all problems.
    """
    if not isinstance(value, Mapping):
        raise InvalidInput([Problem("", f"expected an object, got {_kind(value)}")])
    problems: list[Problem] = []
    event = IncomingEvent(
        id=_text(value, "id", problems) or fresh_id(),
        source=_text(value, "source", problems) or DEFAULT_SOURCE,
        type=_type(value, problems),
        subject=_text(value, "subject", problems),
        time_ms=_time(value, problems),
        data=value.get("data"),
        attributes={} if value.keys() <= _RESERVED_PLAIN else _attributes(value, problems),
    )
    if problems:
        raise InvalidInput(problems)
    return event


_RESERVED_PLAIN = frozenset(_KNOWN)


def _type(value: Mapping[str, Json], problems: list[Problem]) -> str:
    text = value.get("type")
    if isinstance(text, str) and TYPE.fullmatch(text):
        return text
    if "type" in value:
        got = f"got {text!r}" if isinstance(text, str) else f"got {_kind(text)}"
    else:
        near = get_close_matches("type", value.keys(), n=1)
        got = f"got {near[0]!r}; did you mean 'type'?" if near else "got none"
    problems.append(
        Problem("type", f"expected a type such as 'user.signup' (letters, digits and ._:/-), {got}")
    )
    return ""


def _text(value: Mapping[str, Json], name: str, problems: list[Problem]) -> str | None:
    text = value.get(name)
    if text is None and name not in value:
        return None
    if isinstance(text, str) and 0 < len(text) <= MAX_TEXT:
        return text
    got = f"{len(text)} characters" if isinstance(text, str) else _kind(text)
    problems.append(Problem(name, f"expected text of 1 to {MAX_TEXT} characters, got {got}"))
    return None


def _time(value: Mapping[str, Json], problems: list[Problem]) -> int | None:
    if "time" not in value:
        return None
    text = value["time"]
    try:
        if isinstance(text, str):
            return parse_instant(text)
        problems.append(Problem("time", f"expected an instant as text, got {_kind(text)}"))
    except ValueError as exc:
        problems.append(Problem("time", str(exc)))
    return None


def _attributes(value: Mapping[str, Json], problems: list[Problem]) -> dict[str, Json]:
    attributes: dict[str, Json] = {}
    for name, content in value.items():
        if name in _RESERVED_PLAIN:
            continue
        if name == "specversion":
            if content != "1.0":
                problems.append(Problem(name, f"expected '1.0', got {content!r}"))
        elif name in _OPTIONAL:
            attributes[name] = _optional(name, value, problems)
        elif not _EXTENSION.fullmatch(name):
            problems.append(Problem(name, _unknown(name)))
        elif isinstance(content, str | bool | int):
            attributes[name] = content
        else:
            problems.append(
                Problem(name, f"expected text, a boolean or an integer, got {_kind(content)}")
            )
    return attributes


def _optional(name: str, value: Mapping[str, Json], problems: list[Problem]) -> Json:
    content = value[name]
    if not isinstance(content, str):
        problems.append(Problem(name, f"expected text, got {_kind(content)}"))
    elif name == "data_base64" and "data" in value:
        problems.append(Problem(name, "expected either data or data_base64, got both"))
    elif name == "data_base64" and not _is_base64(content):
        problems.append(Problem(name, "expected base64 as in RFC 4648, got something else"))
    return content


def _is_base64(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _unknown(name: str) -> str:
    message = (
        f"expected a known name or an extension of lower-case letters and digits, got {name!r}"
    )
    near = get_close_matches(name.lower(), sorted(_RESERVED), n=1)
    return f"{message}; did you mean {near[0]!r}?" if near else message


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            return "an object"
    return "a list"
