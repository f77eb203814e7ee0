"""Secrets in texts, in whatever form."""

import pytest

from oncue.core.masking import mask


@pytest.mark.parametrize(
    ("text", "credentials", "shown"),
    [
        ("no xoxb-12345 here", {"bot_token": "xoxb-12345"}, "no *** here"),
        ("q=a%2Fb%2Bc", {"key": "a/b+c"}, "q=***"),
        (r'{"key":"a\"b\\c"}', {"key": 'a"b\\c'}, '{"key":"***"}'),
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
