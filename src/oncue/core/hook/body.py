"""From the body of a webhook to the data of an event: JSON, forms and text."""

import re
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from typing import Final

from oncue.core.errors import MalformedJson, UnknownBody
from oncue.core.hook.request import HookRequest
from oncue.core.json_text import Json, parse_json

URL_ENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
_XML: Final = ("application/xml", "application/xhtml+xml")
# Nobody has more; each costs some time.
_MAX_FIELDS: Final = 1_000
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")


def read_body(request: HookRequest) -> Json:
    """
    Return what a body says: the JSON value, an object of form fields, or text.

    Raises:
        MalformedJson: it is not what its media type says.
        UnknownBody: it is none of the three.
    """
    media_type, body = request.media_type, request.body
    if not body.strip():
        return {}
    if media_type == "application/json" or media_type.endswith("+json"):
        return parse_json(body)
    if media_type == URL_ENCODED:
        return gathered(form_fields(body))
    if media_type == MULTIPART:
        return gathered(_parts(request))
    if is_text(media_type):
        return _text(body)
    if media_type in ("", "application/octet-stream"):
        return _guessed(body)
    raise UnknownBody(f"expected JSON, a form or text, got {media_type!r}")


def is_text(media_type: str) -> bool:
    """Return whether a body of this type is read as text, and is no form and no JSON."""
    return media_type.startswith("text/") or media_type in _XML or media_type.endswith("+xml")


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """
    Return the fields of a form, in their order.

    Raises:
        MalformedJson: it is not UTF-8, or has more fields than any form.
    """
    pairs = [pair.partition(b"=") for pair in body.strip().split(b"&") if pair]
    if len(pairs) > _MAX_FIELDS:
        raise MalformedJson(f"expected at most {_MAX_FIELDS} fields, got more")
    return [(_unquoted(name), _unquoted(value)) for name, _, value in pairs]


def gathered(fields: list[tuple[str, str]]) -> dict[str, Json]:
    """
    Return fields as an object; of a name that comes several times, the list of its values.

    >>> gathered([("a", "1"), ("b", "2"), ("a", "3")])
    {'a': ['1', '3'], 'b': '2'}
    """
    by_name: dict[str, list[str]] = {}
    for name, value in fields:
        by_name.setdefault(name, []).append(value)
    return {name: [*given] if len(given) > 1 else given[0] for name, given in by_name.items()}


def _parts(request: HookRequest) -> list[tuple[str, str]]:
    """Return the text fields of a multipart form; of a file its name, since events carry no files."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body, policy=HTTP)
    if not message.is_multipart():
        raise MalformedJson("expected the parts of a form, got something else")
    parts = [part for part in message.iter_parts() if isinstance(part, Message)]
    if len(parts) > _MAX_FIELDS:
        raise MalformedJson(f"expected at most {_MAX_FIELDS} fields, got more")
    return [_field(part) for part in parts]


def _field(part: Message) -> tuple[str, str]:
    name = part.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise MalformedJson("expected a name for each field of the form")
    filename = part.get_filename()
    if filename is not None:
        return name, filename
    content = part.get_payload(decode=True)
    return name, _text(content if isinstance(content, bytes) else b"")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        raise MalformedJson(f"expected UTF-8, got byte 0x{body[exc.start]:02x}") from exc


def _unquoted(text: bytes) -> str:
    # URL Standard §5.1, application/x-www-form-urlencoded parsing.
    return _text(
        _ENCODED.sub(lambda found: bytes.fromhex(found[1].decode()), text.replace(b"+", b" "))
    )


def _guessed(body: bytes) -> Json:
    """Return what a body of no named type says: JSON if it is that, else text."""
    try:
        return parse_json(body)
    except MalformedJson:
        return _text(body)
