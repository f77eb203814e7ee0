"""Where redirects lead, and what goes along."""

import pytest

from oncue.core.action import HttpRequest
from oncue.core.errors import PermanentError
from oncue.outgoing.redirects import redirected
from tests.outgoing.serving import asked, saying

SECRETS = {"Authorization": "Bearer s", "X-API-Key": "s", "Cookie": "s", "X-Custom": "s"}
PLAIN = {"Content-Type": "text/plain", "Idempotency-Key": "k"}
SENT = HttpRequest("POST", "https://a.example/x?q=1", {**SECRETS, **PLAIN}, b"body")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/y", "https://a.example/y"),
        ("y?z", "https://a.example/y?z"),
        ("https://a.example:443/y", "https://a.example/y"),
    ],
)
def test_within_an_origin_everything_goes_along(location: str, url: str) -> None:
    there = redirected(SENT, 307, {"location": location})

    assert there
    assert (there.url, there.headers, there.body) == (url, SENT.headers, b"body")


@pytest.mark.parametrize(
    "location",
    ["https://b.example/", "http://a.example/", "https://a.example:8443/", "//b.example/"],
)
def test_to_another_origin_one_comes_as_a_stranger(location: str) -> None:
    there = redirected(SENT, 308, {"location": location})

    assert there
    assert (there.method, there.headers, there.body) == ("POST", PLAIN, b"body")


@pytest.mark.parametrize(
    ("method", "status", "turned"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("POST", 307, "POST"),
    ],
)
def test_which_method_is_sent_on(method: str, status: int, turned: str) -> None:
    sent = HttpRequest(method, SENT.url, PLAIN, b"body")
    there = redirected(sent, status, {"location": "/"})

    assert there
    assert there.method == turned
    assert (there.body is None) == (turned != method)
    assert ("Content-Type" in there.headers) == (turned == method)


@pytest.mark.parametrize("status", [200, 204, 300, 304, 404])
def test_other_answers_lead_nowhere(status: int) -> None:
    assert redirected(SENT, status, {"location": "/y"}) is None


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/",
        "javascript:alert(1)",
        "http://",
        "http://a.example:99999/",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused(location: str) -> None:
    with pytest.raises(PermanentError, match="redirects to, no valid address"):
        redirected(SENT, 302, {"location": location})


def _to(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://127.1/",
        "http://0/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://localhost:1/",
        "http://localhost.:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://[::ffff:7f00:1]:1/",
        "http://[::127.0.0.1]:1/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user:password@169.254.169.254/",
        "//169.254.169.254/",
    ],
)
def test_no_spelling_of_a_private_address_is_reached_by_a_redirect(location: str) -> None:
    error = asked(saying(_to(location)))

    # Of the odd spellings some are no addresses, and no names that anybody knows either.
    assert isinstance(error, Exception)
    told = ("not a public address", "no valid address", "cannot connect")
    assert any(part in str(error) for part in told)
    assert "password" not in str(error)


def test_what_a_redirect_says_besides_is_not_waited_for() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"
    error = asked(saying(head, for_ever=b"x" * 10_000))

    assert "redirects more than 5 times" in str(error)
