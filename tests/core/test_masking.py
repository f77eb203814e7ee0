"""Secrets in texts, in whatever form."""

import base64
import html
import json
import quopri
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oncue.core.json_text import Json
from oncue.core.masking import mask, mask_json


@pytest.mark.parametrize(
    ("text", "credentials", "shown"),
    [
        ("no xoxb-12345 here", {"bot_token": "xoxb-12345"}, "no *** here"),
        ("q=a%2Fb%2Bc", {"key": "a/b+c"}, "q=***"),
        (r'{"key":"a\"b\\c"}', {"key": 'a"b\\c'}, '{"key":"***"}'),
        # JSON that stands in HTML.
        (
            r"{&quot;key&quot;:&quot;a\&quot;b1&quot;}",
            {"key": 'a"b1'},
            "{&quot;key&quot;:&quot;***&quot;}",
        ),
        ("password 'pw-1234' failed", {"url": "postgres://u:pw-1234@h/d"}, "password '***' failed"),
        ("password p@ss-word", {"url": "smtp://u:p%40ss-word@h"}, "password ***"),
        ("at postgres://u:pw-1234@h/d", {"url": "postgres://u:pw-1234@h/d"}, "at ***"),
        # What leads somewhere is no secret, and three letters are no secret either.
        ("https://x AC1 us", {"base_url": "https://x", "account_sid": "AC1"}, "https://x AC1 us"),
        ("abc", {"key": "abc"}, "abc"),
        # A secret that is a part of another leaves nothing of that one.
        ("abcd-efgh", {"short": "abcd", "long": "abcd-efgh"}, "***"),
    ],
)
def test_no_form_of_a_secret_is_left(text: str, credentials: dict[str, str], shown: str) -> None:
    assert mask(text, credentials) == shown


SECRETS = st.text(st.characters(codec="utf-8"), min_size=8, max_size=40).filter(
    # What stands at an end is not told from the quotes around it.
    lambda text: text.strip().strip("\"'") == text
)
FORMS: list[Callable[[str], str]] = [
    lambda secret: secret,
    quote,
    lambda secret: quote(secret, safe=""),
    quote_plus,
    lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe=":@?&=$,")),
    json.dumps,
    lambda secret: json.dumps(json.dumps(secret)),
    lambda secret: html.escape(json.dumps(secret)),
    repr,
    lambda secret: quopri.encodestring(secret.encode()).decode().replace("=\n", ""),
    lambda secret: json.dumps(secret, ensure_ascii=False),
    html.escape,
]


@given(SECRETS, st.sampled_from(FORMS), st.text(), st.text())
def test_what_vendors_make_of_a_secret_is_found(
    secret: str, form: Callable[[str], str], before: str, after: str
) -> None:
    written = form(secret).strip("\"'")
    shown = mask(f"{before}{written}{after}", {"secrets.KEY": secret})

    assert "***" in shown
    assert secret not in shown
    assert written not in shown


ENCODINGS = st.sampled_from([base64.b64encode, base64.urlsafe_b64encode])


@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7), ENCODINGS)
def test_a_secret_within_base64_is_found(
    secret: str, before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    text = encode(before + secret.encode() + after).decode()
    shown = mask(text, {"secrets.KEY": secret})

    assert "***" in shown
    # The bits at the ends belong to others as well; what is between is gone.
    assert len(shown.replace("***", "")) <= (len(before) + len(after) + 4) * 4 // 3 + 4


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": ["x 12345678", None, True]}, {"a": ["x ***", None, True]}),
        ({"12345678": 1}, {"***": 1}),
        ({"code": 12345678, "other": 1234}, {"code": "***", "other": 1234}),
        ("12345678", "***"),
    ],
)
def test_values_are_masked_to_their_ends(value: Json, shown: Json) -> None:
    assert mask_json(value, {"secrets.PIN": "12345678"}) == shown


def test_a_line_of_a_key_is_found() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----"

    assert mask("near MIIEvQIBADANBgkqhkiG", {"secrets.PEM": key}) == "near ***"


def test_no_name_of_a_secret_makes_it_open() -> None:
    assert mask("eu-west-1", {"secrets.region": "eu-west-1"}) == "***"


@given(SECRETS, st.integers(4, 39), st.sampled_from(["…", "..."]))
def test_a_secret_that_an_excerpt_cuts_is_found(secret: str, length: int, mark: str) -> None:
    begun = secret[: min(length, len(secret) - 1)]
    assume("…" not in secret and "." not in secret)

    shown = mask(f"the server answered 400: {begun}{mark}", {"secrets.KEY": secret})

    # Of white space at the end nobody learns anything.
    assert "".join(shown.split()) == f"theserveranswered400:***{mark}"


@pytest.mark.parametrize("run", ["\\", " ", "...", "/", "%20", "&#x0"])
@pytest.mark.parametrize("secret", ["/begins-here", " begins here", "\\begins", "x" * 65_536])
def test_no_text_makes_the_search_endless(secret: str, run: str) -> None:
    text = run * (1_000_000 // len(run))

    assert mask(f"{text}{secret}", {"secrets.KEY": secret}).endswith("***")
