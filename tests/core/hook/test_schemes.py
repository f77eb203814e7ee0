"""Signatures: the vendors' own examples, and what differs from them in one place."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import Scheme, Terms, refusal, without_secret
from oncue.core.json_text import Json

NOW_S = 1_700_000_000
USUAL = Terms()
OTHER = "another-secret-of-the-test"


def request_of(
    body: bytes, url: str = "https://oncue.example/hooks/a/b", **headers: str
) -> HookRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(url, named, {}, body)


def hexed(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


# github.com/standard-webhooks/standard-webhooks, the libraries' shared test vector.
STANDARD = request_of(
    b'{"test": 2432232314}',
    webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
    webhook_timestamp="1614265330",
    webhook_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
)
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# docs.github.com, "Validating webhook deliveries".
GITHUB = request_of(
    b"Hello, World!",
    x_hub_signature_256="sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
)
# docs.slack.dev, "Verifying requests from Slack".
SLACK = request_of(
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    x_slack_request_timestamp="1531420618",
    x_slack_signature="v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
)
# Twilio's helper libraries, whose tests share these: twilio-python, tests/unit/test_request_validator.py.
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO = request_of(
    b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309",
    TWILIO_URL,
    content_type="application/x-www-form-urlencoded; charset=UTF-8",
    x_twilio_signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=",
)
TWILIO_TWICE = replace(
    TWILIO,
    body=b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
    headers={**TWILIO.headers, "x-twilio-signature": "IK+Dwps556ElfBT0I3Rgjkr1wJU="},
)
BODY_SHA256 = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
TWILIO_JSON = HookRequest(
    f"{TWILIO_URL}&bodySHA256={BODY_SHA256}",
    {"content-type": "application/json", "x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4="},
    {"foo": "1", "bar": "2", "bodySHA256": BODY_SHA256},
    b'{"property": "value", "boolean": true}',
)
# docs.stripe.com gives the rule and no example: made by it here.
STRIPE_BODY = b'{"id": "evt_1", "type": "invoice.paid"}'
STRIPE_SIGNATURE = hexed("whsec_stripe", f"{NOW_S}.".encode() + STRIPE_BODY)
STRIPE = request_of(STRIPE_BODY, stripe_signature=f"t={NOW_S},v1={STRIPE_SIGNATURE},v0=6ffbb59b")
SIGNED = hexed("a-secret", b"text")
HMAC = request_of(b"text", x_signature=SIGNED)
PAYLOAD = request_of(b'{"token": "a-secret", "n": 1}', content_type="application/json")
PATH = HookRequest("https://oncue.example", {}, {}, b"{}", "a-secret-in-the-path")

CASES = [
    pytest.param(Scheme.STANDARD, STANDARD, STANDARD_SECRET, 1_614_265_330, id="standard-webhooks"),
    pytest.param(Scheme.GITHUB, GITHUB, "It's a Secret to Everybody", NOW_S, id="github"),
    pytest.param(Scheme.STRIPE, STRIPE, "whsec_stripe", NOW_S, id="stripe"),
    pytest.param(
        Scheme.SLACK, SLACK, "8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, id="slack"
    ),
    pytest.param(Scheme.TWILIO, TWILIO, "12345", NOW_S, id="twilio"),
    pytest.param(Scheme.TWILIO, TWILIO_TWICE, "12345", NOW_S, id="twilio with a field twice"),
    pytest.param(Scheme.TWILIO, TWILIO_JSON, "12345", NOW_S, id="twilio with JSON"),
    pytest.param(Scheme.HMAC, HMAC, "a-secret", NOW_S, id="hmac-sha256"),
    pytest.param(Scheme.PAYLOAD, PAYLOAD, "a-secret", NOW_S, id="payload"),
    pytest.param(Scheme.PATH, PATH, "a-secret-in-the-path", NOW_S, id="path"),
]


def refused(
    scheme: Scheme, request: HookRequest, *secrets: str, now_s: int = NOW_S, terms: Terms = USUAL
) -> str | None:
    return refusal(scheme, request, secrets, terms, now_s * 1_000)


@pytest.mark.parametrize(("scheme", "request_", "secret", "now_s"), CASES)
def test_the_published_example_is_let_in(
    scheme: Scheme, request_: HookRequest, secret: str, now_s: int
) -> None:
    assert refused(scheme, request_, secret, now_s=now_s) is None


@pytest.mark.parametrize(("scheme", "request_", "secret", "now_s"), CASES)
def test_while_a_secret_is_changed_either_is_good(
    scheme: Scheme, request_: HookRequest, secret: str, now_s: int
) -> None:
    assert refused(scheme, request_, OTHER, secret, now_s=now_s) is None
    assert refused(scheme, request_, OTHER, now_s=now_s) is not None
    assert refused(scheme, request_, now_s=now_s) is not None


@pytest.mark.parametrize(("scheme", "request_", "secret", "now_s"), CASES[:-2])
def test_whoever_changes_the_body_is_refused(
    scheme: Scheme, request_: HookRequest, secret: str, now_s: int
) -> None:
    changed = replace(request_, body=request_.body + b"&n=1")

    assert refused(scheme, changed, secret, now_s=now_s) is not None


@pytest.mark.parametrize(("scheme", "request_", "secret", "now_s"), CASES[:-2])
def test_whoever_leaves_a_header_away_is_refused(
    scheme: Scheme, request_: HookRequest, secret: str, now_s: int
) -> None:
    for name in request_.headers:
        left = {key: value for key, value in request_.headers.items() if key != name}
        if name != "content-type":
            assert "expected the header" in str(
                refused(scheme, replace(request_, headers=left), secret, now_s=now_s)
            )


@pytest.mark.parametrize(("scheme", "request_", "secret", "now_s"), [CASES[0], CASES[2], CASES[3]])
def test_what_was_signed_at_another_time_is_a_replay(
    scheme: Scheme, request_: HookRequest, secret: str, now_s: int
) -> None:
    within = [refused(scheme, request_, secret, now_s=now_s + by) for by in (-300, 300)]
    beyond = [refused(scheme, request_, secret, now_s=now_s + by) for by in (-301, 301)]
    patient = refused(
        scheme, request_, secret, now_s=now_s + 600, terms=Terms(tolerance_ms=900_000)
    )

    assert within == [None, None]
    assert all("signed within 300 s" in str(reason) for reason in beyond)
    assert patient is None


@pytest.mark.parametrize("timestamp", ["soon", "-5", "1e9", "9" * 400, "١٢٣"])
def test_a_timestamp_is_a_number_of_seconds(timestamp: str) -> None:
    signature = hexed("s", f"v0:{timestamp}:".encode() + b"{}")
    request = request_of(
        b"{}", x_slack_request_timestamp=timestamp, x_slack_signature=f"v0={signature}"
    )

    assert (
        refused(Scheme.SLACK, request, "s") == "expected a timestamp in seconds, got something else"
    )


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW_S},v1=00,v1={STRIPE_SIGNATURE}",
        f"v1={STRIPE_SIGNATURE}, t={NOW_S}",
        f"t={NOW_S},v0=1,v1={STRIPE_SIGNATURE},v2",
    ],
)
def test_of_several_signatures_one_is_enough(header: str) -> None:
    assert (
        refused(Scheme.STRIPE, request_of(STRIPE_BODY, stripe_signature=header), "whsec_stripe")
        is None
    )


def test_a_signature_of_another_version_is_none() -> None:
    request = request_of(STRIPE_BODY, stripe_signature=f"t={NOW_S},v0={STRIPE_SIGNATURE}")
    standard = {
        **STANDARD.headers,
        "webhook-signature": STANDARD.headers["webhook-signature"].replace("v1", "v2"),
    }

    assert refused(Scheme.STRIPE, request, "whsec_stripe") is not None
    assert (
        refused(
            Scheme.STANDARD,
            replace(STANDARD, headers=standard),
            STANDARD_SECRET,
            now_s=1_614_265_330,
        )
        is not None
    )


def test_svix_names_the_same_headers_otherwise() -> None:
    headers = {name.replace("webhook", "svix"): value for name, value in STANDARD.headers.items()}
    several = {**headers, "svix-signature": f"v1a,zzz v1,AAAA {headers['svix-signature']}"}

    assert (
        refused(
            Scheme.STANDARD,
            replace(STANDARD, headers=headers),
            STANDARD_SECRET,
            now_s=1_614_265_330,
        )
        is None
    )
    assert (
        refused(
            Scheme.STANDARD,
            replace(STANDARD, headers=several),
            STANDARD_SECRET,
            now_s=1_614_265_330,
        )
        is None
    )


@pytest.mark.parametrize("port", [":443", ""])
def test_twilio_signs_with_the_port_or_without(port: str) -> None:
    url = TWILIO_URL.replace(".com", f".com{port}")
    signed_without = refused(Scheme.TWILIO, replace(TWILIO, url=url), "12345")
    other_way = TWILIO_URL.replace(".com", ".com:443")
    content = f"{other_way}CallSidCA1".encode()
    signature = base64.b64encode(hmac.new(b"12345", content, hashlib.sha1).digest()).decode()
    request = replace(
        TWILIO,
        url=url,
        body=b"CallSid=CA1",
        headers={**TWILIO.headers, "x-twilio-signature": signature},
    )

    assert signed_without is None
    assert refused(Scheme.TWILIO, request, "12345") is None


def test_twilio_signs_the_url_that_it_knows() -> None:
    elsewhere = replace(TWILIO, url="http://127.0.0.1:8787/myapp.php?foo=1&bar=2")

    reason = refused(Scheme.TWILIO, elsewhere, "12345")

    assert reason is not None
    assert reason.endswith("it is made over the URL http://127.0.0.1:8787/myapp.php")


@pytest.mark.parametrize(
    ("name", "value", "terms"),
    [
        ("x_signature_256", f"sha256={SIGNED}", Terms()),
        ("x_hub_signature_256", SIGNED.upper(), Terms()),
        ("x_webhook_signature", base64.b64encode(bytes.fromhex(SIGNED)).decode(), Terms()),
        ("x_shop_hmac", SIGNED, Terms(header="X-Shop-Hmac")),
    ],
)
def test_an_hmac_may_be_written_in_several_ways(name: str, value: str, terms: Terms) -> None:
    assert (
        refused(Scheme.HMAC, request_of(b"text", **{name: value}), "a-secret", terms=terms) is None
    )


def test_only_the_header_that_is_named_counts() -> None:
    reason = refused(Scheme.HMAC, HMAC, "a-secret", terms=Terms(header="X-Shop-Hmac"))

    assert reason == "expected the header x-shop-hmac, got none"


@pytest.mark.parametrize(
    ("body", "field", "is_let_in"),
    [
        (b'{"auth": {"key": "a-secret"}}', "auth.key", True),
        (b'{"auth": {"key": 7}}', "auth.key", False),
        (b'{"auth": "a-secret"}', "auth.key", False),
        (b"[]", "auth", False),
        (b'{"auth": ""}', "auth", False),
    ],
)
def test_a_secret_in_the_payload(body: bytes, field: str, is_let_in: bool) -> None:  # noqa: FBT001 a column of a table
    request = request_of(body, content_type="application/json")

    assert (
        refused(Scheme.PAYLOAD, request, "a-secret", terms=Terms(field=field)) is None
    ) is is_let_in


def test_the_secret_in_the_payload_goes_no_further() -> None:
    data: Json = {"auth": {"key": "a-secret", "by": "me"}, "n": 1}

    assert without_secret(Scheme.PAYLOAD, Terms(field="auth.key"), data) == {
        "auth": {"by": "me"},
        "n": 1,
    }
    assert without_secret(Scheme.GITHUB, Terms(field="auth.key"), data) == data
