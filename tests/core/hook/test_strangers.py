"""Whatever strangers post: let in, refused or told what is wrong, and never a bug."""

import contextlib
from string import printable

from hypothesis import example, given
from hypothesis import strategies as st

from oncue.core.errors import OnCueError
from oncue.core.event import parse_event
from oncue.core.hook.body import MULTIPART, URL_ENCODED, read_body
from oncue.core.hook.document import parse_hook
from oncue.core.hook.receiving import event_of
from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import SIGNATURE_HEADERS, Scheme, Terms, refusal
from oncue.core.hook.vendors import challenge, unwrapped
from oncue.core.json_text import encode_json

# As a server hands headers on: bytes that were read as Latin-1.
HEADER_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=80)
NAMES = st.sampled_from((
    *("webhook-id", "webhook-timestamp", "webhook-signature", "svix-signature", "svix-id"),
    *("x-github-event", "x-github-delivery", "stripe-signature", "x-slack-signature"),
    *("x-slack-request-timestamp", "x-twilio-signature", "i-twilio-idempotency-token"),
    *SIGNATURE_HEADERS,
))  # fmt: skip
TYPES = (
    st.sampled_from(
        (
            "application/json",
            URL_ENCODED,
            f"{MULTIPART}; boundary=x",
            MULTIPART,
            "text/plain",
            "a/b",
            "",
        )
    )
    | HEADER_TEXT
)
WORDS = (
    "type",
    "id",
    "event",
    "user",
    "payload",
    "command",
    "data",
    "MessageSid",
    "CallSid",
    "From",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = (
    st.binary(max_size=200)
    | st.text(printable, max_size=200).map(str.encode)
    | VALUES.map(encode_json)
    | st.text('ab=&%+2fxz-\r\n:;"', max_size=60).map(
        lambda text: f'--x\r\nContent-Disposition: form-data; name="{text}'.encode()
    )
)


def request(headers: dict[str, str], content_type: str, body: bytes) -> HookRequest:
    named = {**headers, "content-type": content_type} if content_type else headers
    return HookRequest("https://[::1]:8/hooks/a/b?c", named, {"bodySHA256": "é"}, body, "tøken")


@given(st.sampled_from(Scheme), st.dictionaries(NAMES, HEADER_TEXT, max_size=8), TYPES, BODIES)
@example(Scheme.STRIPE, {"stripe-signature": "t=9" + "9" * 60 + ",v1="}, "", b"")
@example(Scheme.SLACK, {"x-slack-signature": "v0=", "x-slack-request-timestamp": "²"}, "", b"")
def test_nobody_is_let_in_by_chance(
    scheme: Scheme, headers: dict[str, str], content_type: str, body: bytes
) -> None:
    posted = request(headers, content_type, body)
    with contextlib.suppress(OnCueError):
        assert refusal(scheme, posted, ("a-secret-that-nobody-has",), Terms(), 0) is not None


@given(st.sampled_from(Scheme), st.dictionaries(NAMES, HEADER_TEXT, max_size=8), TYPES, BODIES)
def test_whatever_is_posted_is_an_event_or_an_error_of_ours(
    scheme: Scheme, headers: dict[str, str], content_type: str, body: bytes
) -> None:
    hook = parse_hook(
        {"name": "shop", "scheme": scheme.value, "subject": "{{ body.?id.orValue('s') }}"}
    )
    posted = request(headers, content_type, body)
    with contextlib.suppress(OnCueError):
        data = unwrapped(scheme, read_body(posted))
        challenge(scheme, data)
        event = parse_event(event_of(hook, "hooks/shop", posted, data), lambda: "evt_1")
        assert event.source == "hooks/shop"
        assert event.type.startswith((f"{scheme.value}.", "shop.", "hook.shop"))
