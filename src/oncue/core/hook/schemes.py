"""
How the sender of a webhook is known: what each scheme signs, and where the signature stands.

Each check takes the request and the secrets that the hook has, any of which may
have signed (two, while a secret is being changed), and returns why the request is
refused, or nothing. Sources:

- Standard Webhooks 1.0.0, `spec/standard-webhooks.md`; Svix names its headers `svix-…`
- docs.github.com, "Validating webhook deliveries"
- docs.stripe.com, "Verify webhook signatures manually"
- docs.slack.dev, "Verifying requests from Slack"
- twilio.com/docs/usage/security, "Validating requests", and its `bodySHA256` for JSON
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from oncue.core.hook.body import URL_ENCODED, form_fields, read_body
from oncue.core.hook.request import HookRequest
from oncue.core.hook.signing import base64_hmac, hex_sha256, is_among, standard_signature
from oncue.core.json_text import Json

DEFAULT_TOLERANCE_MS: Final = 300_000
DEFAULT_FIELD: Final = "token"
SIGNATURE_HEADERS: Final = (
    "x-signature",
    "x-signature-256",
    "x-hub-signature-256",
    "x-webhook-signature",
)
"""Where the signature of `hmac-sha256` is looked for by default."""
_NO_MATCH: Final = "expected a signature made with the hook's secret, got another"
_PORTS: Final = {"https": 443, "http": 80}


class Scheme(StrEnum):
    """How a sender is known."""

    STANDARD = "standard-webhooks"
    GITHUB = "github"
    STRIPE = "stripe"
    SLACK = "slack"
    TWILIO = "twilio"
    PAYLOAD = "payload"
    HMAC = "hmac-sha256"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a hook says beside its scheme: where to look, and how old a request may be."""

    header: str | None = None
    field: str = DEFAULT_FIELD
    tolerance_ms: int = DEFAULT_TOLERANCE_MS


Check: TypeAlias = Callable[[HookRequest, Sequence[str], Terms, int], str | None]


def refusal(
    scheme: Scheme, request: HookRequest, secrets: Sequence[str], terms: Terms, now_ms: int
) -> str | None:
    """Return why a request is refused; nothing, if its sender knows one of the secrets."""
    return _CHECKS[scheme](request, secrets, terms, now_ms)


def _standard(
    request: HookRequest, secrets: Sequence[str], terms: Terms, now_ms: int
) -> str | None:
    prefix = "svix" if "svix-signature" in request.headers else "webhook"
    names = [f"{prefix}-{part}" for part in ("id", "timestamp", "signature")]
    if lack := _lacks(request, *names):
        return lack
    id_, timestamp, signatures = (request.headers[name] for name in names)
    expected = [standard_signature(s, id_, timestamp, request.body) for s in secrets]
    if not is_among(signatures.split(" "), expected):
        return _NO_MATCH
    return _stale(timestamp, terms, now_ms)


def _github(request: HookRequest, secrets: Sequence[str], _: Terms, __: int) -> str | None:
    name = "x-hub-signature-256"
    if lack := _lacks(request, name):
        return lack
    expected = [f"sha256={hex_sha256(secret, request.body)}" for secret in secrets]
    return None if is_among([request.headers[name]], expected) else _NO_MATCH


def _stripe(request: HookRequest, secrets: Sequence[str], terms: Terms, now_ms: int) -> str | None:
    name = "stripe-signature"
    if lack := _lacks(request, name):
        return lack
    parts = [part.partition("=") for part in request.headers[name].split(",")]
    given = [(key.strip(), value.strip()) for key, _, value in parts]
    timestamp = dict(given).get("t", "")
    signed = f"{timestamp}.".encode() + request.body
    expected = [hex_sha256(secret, signed) for secret in secrets]
    if not is_among((value for key, value in given if key == "v1"), expected):
        return _NO_MATCH
    return _stale(timestamp, terms, now_ms)


def _slack(request: HookRequest, secrets: Sequence[str], terms: Terms, now_ms: int) -> str | None:
    names = ("x-slack-request-timestamp", "x-slack-signature")
    if lack := _lacks(request, *names):
        return lack
    timestamp, signature = (request.headers[name] for name in names)
    signed = f"v0:{timestamp}:".encode() + request.body
    if not is_among([signature], [f"v0={hex_sha256(secret, signed)}" for secret in secrets]):
        return _NO_MATCH
    return _stale(timestamp, terms, now_ms)


def _twilio(request: HookRequest, secrets: Sequence[str], _: Terms, __: int) -> str | None:
    name = "x-twilio-signature"
    if lack := _lacks(request, name):
        return lack
    is_form = request.media_type == URL_ENCODED
    # Each name once and in order, each of its values once and in order.
    fields = sorted(set(form_fields(request.body))) if is_form else []
    tail = "".join(f"{key}{value}" for key, value in fields)
    expected = [
        base64_hmac(secret, f"{url}{tail}".encode(), "sha1")
        for url in _spellings(request.url)
        for secret in secrets
    ]
    if not is_among([request.headers[name]], expected):
        return f"{_NO_MATCH}; it is made over the URL {request.url.partition('?')[0]}"
    return None if is_form else _unlike_digest(request)


def _unlike_digest(request: HookRequest) -> str | None:
    """Return why a body without form fields is not the one whose digest the signed URL has."""
    given = request.query.get("bodySHA256")
    if given is None:
        return "expected bodySHA256 in the query, got none" if request.body else None
    is_same = is_among([given], [hashlib.sha256(request.body).hexdigest()])
    return None if is_same else "expected the body of bodySHA256, got another"


def _spellings(url: str) -> Iterator[str]:
    """Yield a URL as it is, and with and without the port: Twilio signs either."""
    yield url
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    host, has_port, port = place.rpartition(":")
    if has_port and port.isdecimal():
        yield f"{scheme}://{host}{slash}{path}"
    elif scheme in _PORTS:
        yield f"{scheme}://{place}:{_PORTS[scheme]}{slash}{path}"


def _payload(request: HookRequest, secrets: Sequence[str], terms: Terms, _: int) -> str | None:
    found = read_body(request)
    for part in terms.field.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, str):
        return f"expected the hook's secret in the field {terms.field!r}, got none"
    is_known = is_among([found], secrets)
    return None if is_known else f"expected the hook's secret in the field {terms.field!r}"


def _hmac(request: HookRequest, secrets: Sequence[str], terms: Terms, _: int) -> str | None:
    names = (terms.header.lower(),) if terms.header else SIGNATURE_HEADERS
    name = next((name for name in names if name in request.headers), None)
    if name is None:
        return f"expected the header {' or '.join(names)}, got none"
    given = request.headers[name].strip()
    offered = given.removeprefix("sha256=")
    expected = [base64_hmac(secret, request.body, "sha256") for secret in secrets]
    expected += [hex_sha256(secret, request.body) for secret in secrets]
    # Hexadecimal in capitals is the same; base64 in other letters is not.
    return None if is_among([offered, offered.lower()], expected) else _NO_MATCH


def _path(request: HookRequest, secrets: Sequence[str], _: Terms, __: int) -> str | None:
    is_known = is_among([request.token], secrets)
    return None if is_known else "expected the hook's secret as the end of the path"


def _lacks(request: HookRequest, *names: str) -> str | None:
    missing = [name for name in names if not request.headers.get(name)]
    return f"expected the header {missing[0]}, got none" if missing else None


def _stale(timestamp: str, terms: Terms, now_ms: int) -> str | None:
    """Return why a time of signing is not that of a request of now, which nobody replays."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < _MAX_DIGITS):
        return "expected a timestamp in seconds, got something else"
    if abs(now_ms - int(timestamp) * 1_000) > terms.tolerance_ms:
        return f"expected a request signed within {terms.tolerance_ms // 1_000} s of now, got one of another time"
    return None


_MAX_DIGITS: Final = 13

_CHECKS: Final[Mapping[Scheme, Check]] = {
    Scheme.STANDARD: _standard,
    Scheme.GITHUB: _github,
    Scheme.STRIPE: _stripe,
    Scheme.SLACK: _slack,
    Scheme.TWILIO: _twilio,
    Scheme.PAYLOAD: _payload,
    Scheme.HMAC: _hmac,
    Scheme.PATH: _path,
}


def without_secret(scheme: Scheme, terms: Terms, data: Json) -> Json:
    """Return the data of a request without the secret that it was known by."""
    if scheme is not Scheme.PAYLOAD:
        return data
    return _without(data, terms.field.split("."))


def _without(data: Json, path: Sequence[str]) -> Json:
    first, *rest = path
    if not isinstance(data, Mapping) or first not in data:
        return data
    if rest:
        return {**data, first: _without(data[first], rest)}
    return {name: value for name, value in data.items() if name != first}
