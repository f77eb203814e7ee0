"""
What a vendor says of its own event: a type, an id that is the same when it is sent again, a subject.

Without such an id each request is an event of its own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from oncue.core.event import MAX_TEXT
from oncue.core.hook.body import URL_ENCODED
from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import Scheme
from oncue.core.json_text import Json, parse_json

# What an event's type may not have in it.
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._:/-]+", re.ASCII)
_MAX_TYPE: Final = 255


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of an event without anybody's template; None where nothing is."""

    type: str | None = None
    id: str | None = None
    subject: str | None = None


Telling: TypeAlias = Callable[[HookRequest, Json], Told]


def told(scheme: Scheme, name: str, request: HookRequest, data: Json) -> Told:
    """Return what a request to the hook `name` says of its event."""
    found = _TELLINGS.get(scheme, _generic)(request, data)
    # A stranger's types stay among themselves: nobody takes them for those of others.
    prefix = scheme.value if scheme in _VENDORS else name
    type_ = _fit(f"{prefix}.{found.type}") if found.type else None
    return Told(type_ or f"hook.{name}", _short(found.id), _short(found.subject))


def unwrapped(scheme: Scheme, data: Json) -> Json:
    """Return the JSON that GitHub and Slack wrap into the field `payload` of a form, else the data."""
    if scheme not in (Scheme.GITHUB, Scheme.SLACK) or not isinstance(data, Mapping):
        return data
    wrapped = data.get("payload")
    is_wrapped = len(data) == 1 and isinstance(wrapped, str)
    return parse_json(wrapped.encode()) if is_wrapped and isinstance(wrapped, str) else data


def challenge(scheme: Scheme, data: Json) -> str | None:
    """Return what Slack wants to hear when it is told a URL; nothing, if it wants nothing."""
    is_asked = scheme is Scheme.SLACK and _at(data, "type") == "url_verification"
    return _at(data, "challenge") if is_asked else None


def is_interactive(scheme: Scheme, request: HookRequest) -> bool:
    """Return whether a person waits in Slack, to whom the body of an answer would be shown."""
    return scheme is Scheme.SLACK and request.media_type == URL_ENCODED


def _standard(request: HookRequest, data: Json) -> Told:
    headers = request.headers
    id_ = headers.get("svix-id") if "svix-signature" in headers else headers.get("webhook-id")
    return Told(_at(data, "type"), id_)


def _github(request: HookRequest, data: Json) -> Told:
    return Told(
        request.headers.get("x-github-event"),
        request.headers.get("x-github-delivery"),
        _at(data, "repository", "full_name") or _at(data, "organization", "login"),
    )


def _stripe(_: HookRequest, data: Json) -> Told:
    return Told(_at(data, "type"), _at(data, "id"), _at(data, "data", "object", "id"))


def _slack(_: HookRequest, data: Json) -> Told:
    user = _at(data, "event", "user") or _at(data, "user", "id") or _at(data, "user_id")
    if _at(data, "command"):
        return Told("command", _at(data, "trigger_id"), user)
    kind = _at(data, "event", "type") or _at(data, "type")
    return Told(kind, _at(data, "event_id") or _at(data, "trigger_id"), user)


def _twilio(request: HookRequest, data: Json) -> Told:
    sender = _at(data, "From")
    id_ = request.headers.get("i-twilio-idempotency-token")
    message = _at(data, "MessageSid") or _at(data, "SmsSid")
    if message:
        status = _at(data, "MessageStatus") or _at(data, "SmsStatus") or "received"
        return Told(f"message.{status}", id_ or f"{message}:{status}", sender)
    if _at(data, "CallSid"):
        # A call asks again and again while it is in progress: only the token tells repeats.
        return Told(f"call.{_at(data, 'CallStatus') or 'event'}", id_, sender)
    return Told(_at(data, "EventType") or _at(data, "type"), id_, sender)


def _generic(request: HookRequest, _: Json) -> Told:
    headers = request.headers
    return Told(id=headers.get("webhook-id") or headers.get("idempotency-key"))


_TELLINGS: Final[Mapping[Scheme, Telling]] = {
    Scheme.STANDARD: _standard,
    Scheme.GITHUB: _github,
    Scheme.STRIPE: _stripe,
    Scheme.SLACK: _slack,
    Scheme.TWILIO: _twilio,
}
_VENDORS: Final = (Scheme.GITHUB, Scheme.STRIPE, Scheme.SLACK, Scheme.TWILIO)


def _at(data: Json, *path: str) -> str | None:
    """Return the text at a place of the data, if there is one."""
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) and data else None


def _fit(text: str) -> str:
    return _UNFIT.sub("-", text)[:_MAX_TYPE]


def _short(text: str | None) -> str | None:
    return text if text and len(text) <= MAX_TEXT else None
