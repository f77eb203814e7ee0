"""From bodies to events: what becomes data, and what vendors say of their own events."""

from typing import Any

import pytest

from oncue.core.errors import InvalidInput, MalformedJson, UnknownBody
from oncue.core.hook.body import read_body
from oncue.core.hook.document import parse_hook
from oncue.core.hook.receiving import event_of
from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import Scheme
from oncue.core.hook.vendors import challenge, told, unwrapped

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=xyz"
PARTS = (
    b"--xyz\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
    b"--xyz\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\na\r\n"
    b"--xyz\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\nb\r\n"
    b"--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n"
    b"Content-Type: application/pdf\r\n\r\n\xff\xfe\r\n--xyz--\r\n"
)  # fmt: skip


def posted(body: bytes, content_type: str = "", **headers: str) -> HookRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type:
        named["content-type"] = content_type
    return HookRequest("https://oncue.example/hooks/a/b", named, {"shop": "7"}, body)


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        (b'{"a": [1, null]}', "application/json; charset=utf-8", {"a": [1, None]}),
        (b"[1]", "application/cloudevents+json", [1]),
        (b"a=1&b=&a=%C3%BC", FORM, {"a": ["1", "ü"], "b": ""}),
        (b"a", FORM, {"a": ""}),
        (b"a+b=1%2B1%zz%&&=x", FORM, {"a b": "1+1%zz%", "": "x"}),
        (PARTS, BOUNDARY, {"subject": "Grüße", "tag": ["a", "b"], "file": "a.pdf"}),
        ("Grüße".encode(), "text/plain", "Grüße"),
        (b"<a/>", "application/xml", "<a/>"),
        (b"<a/>", "application/soap+xml", "<a/>"),
        (b'{"a": 1}', "", {"a": 1}),
        (b"a=1", "application/octet-stream", "a=1"),
        (b"", "application/json", {}),
        (b" \n", "", {}),
    ],
)
def test_what_a_body_says(body: bytes, content_type: str, data: Any) -> None:
    assert read_body(posted(body, content_type)) == data


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"{", "application/json", MalformedJson),
        (b'{"a": NaN}', "application/json", MalformedJson),
        (b'{"a": 1, "a": 2}', "application/json", MalformedJson),
        (b"[" * 65 + b"]" * 65, "application/json", MalformedJson),
        (b"a=%FF", FORM, MalformedJson),
        (b"\xff", FORM, MalformedJson),
        (b"&".join([b"a=1"] * 1_001), FORM, MalformedJson),
        (b"a=1", BOUNDARY, MalformedJson),
        (b"--xyz\r\n\r\nno name\r\n--xyz--", BOUNDARY, MalformedJson),
        (PARTS.replace(b"\xc3\xbc", b"\xff"), BOUNDARY, MalformedJson),
        (b"a=1", "multipart/form-data", MalformedJson),
        (b"\xff", "text/plain", MalformedJson),
        (b"\xff", "", MalformedJson),
        (b"\x89PNG", "image/png", UnknownBody),
    ],
)
def test_what_is_no_body(body: bytes, content_type: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_body(posted(body, content_type))


STRIPE = {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}
SLACK = {"type": "event_callback", "event_id": "Ev1", "event": {"type": "message", "user": "U1"}}


@pytest.mark.parametrize(
    ("scheme", "request_", "data", "expected"),
    [
        (
            Scheme.GITHUB,
            posted(b"", x_github_event="pull_request", x_github_delivery="d-1"),
            {"action": "opened", "repository": {"full_name": "octo/cat"}},
            ("github.pull_request", "d-1", "octo/cat"),
        ),
        (Scheme.STRIPE, posted(b""), STRIPE, ("stripe.invoice.paid", "evt_1", "in_1")),
        (Scheme.SLACK, posted(b""), SLACK, ("slack.message", "Ev1", "U1")),
        (
            Scheme.SLACK,
            posted(b""),
            {"command": "/deploy", "trigger_id": "1.2", "user_id": "U2"},
            ("slack.command", "1.2", "U2"),
        ),
        (
            Scheme.SLACK,
            posted(b""),
            {"type": "block_actions", "trigger_id": "1.3", "user": {"id": "U3"}},
            ("slack.block_actions", "1.3", "U3"),
        ),
        (
            Scheme.TWILIO,
            posted(b"", i_twilio_idempotency_token="t-1"),
            {"MessageSid": "SM1", "SmsStatus": "received", "From": "+1"},
            ("twilio.message.received", "t-1", "+1"),
        ),
        (
            Scheme.TWILIO,
            posted(b""),
            {"MessageSid": "SM1", "MessageStatus": "delivered"},
            ("twilio.message.delivered", "SM1:delivered", None),
        ),
        (
            Scheme.TWILIO,
            posted(b""),
            {"CallSid": "CA1", "CallStatus": "in-progress", "From": "+1"},
            ("twilio.call.in-progress", None, "+1"),
        ),
        (
            Scheme.STANDARD,
            posted(b"", webhook_id="msg_1"),
            {"type": "email.delivered"},
            ("shop.email.delivered", "msg_1", None),
        ),
        (Scheme.STANDARD, posted(b"", webhook_id="m"), {"type": 7}, ("hook.shop", "m", None)),
        (Scheme.PATH, posted(b""), {"type": "user.signup"}, ("hook.shop", None, None)),
        (Scheme.HMAC, posted(b"", idempotency_key="k"), "text", ("hook.shop", "k", None)),
        (Scheme.STRIPE, posted(b""), {"type": "a b\u00fc", "id": "x" * 513}, ("stripe.a-b-", None, None)),
    ],
)  # fmt: skip
def test_what_vendors_say(
    scheme: Scheme, request_: HookRequest, data: Any, expected: tuple[str | None, ...]
) -> None:
    found = told(scheme, "shop", request_, data)

    assert (found.type, found.id, found.subject) == expected


def test_what_is_wrapped_into_a_form_comes_out() -> None:
    assert unwrapped(Scheme.SLACK, {"payload": '{"type": "x"}'}) == {"type": "x"}
    assert unwrapped(Scheme.SLACK, {"payload": "{}", "a": "1"}) == {"payload": "{}", "a": "1"}
    assert unwrapped(Scheme.PATH, {"payload": "{}"}) == {"payload": "{}"}
    with pytest.raises(MalformedJson):
        unwrapped(Scheme.GITHUB, {"payload": "{"})


def test_only_slack_asks_for_a_challenge() -> None:
    asked = {"type": "url_verification", "challenge": "c-1"}

    assert challenge(Scheme.SLACK, asked) == "c-1"
    assert challenge(Scheme.PATH, asked) is None
    assert challenge(Scheme.SLACK, {"type": "url_verification", "challenge": 7}) is None


def event(document: dict[str, Any], request: HookRequest, data: Any) -> Any:
    parsed = parse_hook({"name": "shop", "scheme": "path", **document})
    return event_of(parsed, "hooks/shop", request, data)


def test_templates_say_what_an_event_is() -> None:
    document = {
        "type": "{{ 'order.' + body.status }}",
        "source": "shop-{{ query.shop }}",
        "subject": "{{ body.customer }}",
        "event_id": "{{ headers['x-delivery'] }}",
    }
    request = posted(b"{}", x_delivery="d-1")

    assert event(document, request, {"status": "paid", "customer": 42}) == {
        "type": "order.paid",
        "source": "shop-7",
        "subject": "42",
        "id": "d-1",
        "data": {"status": "paid", "customer": 42},
    }


def test_a_template_that_meets_nothing_is_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        event({"type": "{{ body.status }}", "subject": "{{ body.who }}"}, posted(b"{}"), {})

    assert [problem.path for problem in caught.value.problems] == ["type", "subject"]


def test_templates_see_no_credentials() -> None:
    with pytest.raises(InvalidInput):
        event({"subject": "{{ headers.authorization }}"}, posted(b"", authorization="Basic x"), {})


def test_text_says_what_it_is() -> None:
    made = event({}, posted(b"<a/>", "application/xml; charset=utf-8"), "<a/>")

    assert made["datacontenttype"] == "application/xml; charset=utf-8"


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({"scheme": "gitlab"}, ["scheme"]),
        ({"type": "no type"}, ["type"]),
        ({"type": "{{ body. }}", "subject": "{{ event.data }}"}, ["type", "subject"]),
        (
            {"scheme": "github", "secret": ["a", 1, " b", "••••abcd"]},
            ["secret[1]", "secret[2]", "secret[3]"],
        ),
        ({"secret": []}, ["secret"]),
        ({"secret": "short"}, ["secret"]),
        ({"secret": {}}, ["secret"]),
        ({"header": "X-Signature"}, [""]),
        ({"scheme": "hmac-sha256", "header": "a b"}, ["header"]),
        ({"scheme": "slack", "tolerance": "0s"}, ["tolerance"]),
        ({"nmae": "x", "secret": ""}, ["nmae", "secret"]),
        ({"name": "Shop"}, ["name"]),
    ],
)
def test_what_is_no_hook(document: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_hook({"name": "shop", "scheme": "path", **document})

    assert [problem.path for problem in caught.value.problems] == paths
    assert "short" not in str(caught.value)
