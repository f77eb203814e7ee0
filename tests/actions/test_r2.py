"""Objects in the account's folder and in an S3: ours, moto's, and signed as botocore signs."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, NoReturn

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from oncue.actions.integrations.machines import OBJECTS
from oncue.actions.r2 import sign
from oncue.core.errors import PermanentError, RetryableError
from oncue.core.integration import Reach
from oncue.core.json_text import Json
from oncue.outgoing.client import OutgoingClient
from oncue.testing.clock import START_MS
from oncue.testing.vendors import Fixed, Simulators
from tests.buckets import s3_of_moto
from tests.vendors import Ask, with_vendors

SETTINGS = ("ONCUE_S3_ENDPOINT",)
BYTES = base64.b64encode(b"\xff\x00").decode()


def _put_and_got(put: dict[str, Json], *hidden: str, **settings: str) -> tuple[Any, Any]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.hide(*hidden)
        place = {name: put[name] for name in ("key", "bucket") if name in put}
        return await ask("r2_put", put), await ask("r2_get", place)

    return with_vendors(use, **settings)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with s3_of_moto() as url:
        yield url


@pytest.mark.parametrize("place", ["folder", "simulator", "moto"])
@pytest.mark.parametrize(
    ("key", "put", "got"),
    [
        ("a.txt", {"content": "Grüße\n"}, ("Grüße\n", "text/plain; charset=utf-8", 8, "text")),
        ("x/a b+c@d:e,f.txt", {"content": ""}, ("", "text/plain; charset=utf-8", 0, "text")),
        ("ü.json", {"content": {"a": [1]}}, ('{"a":[1]}', "application/json", 9, "text")),
        (
            "b.bin",
            {"content": BYTES, "encoding": "base64", "content_type": "image/png"},
            (BYTES, "image/png", 2, "base64"),
        ),
    ],
)
def test_what_is_put_is_got(
    place: str, key: str, put: dict[str, Json], got: Any, request: pytest.FixtureRequest
) -> None:
    hidden = SETTINGS if place == "folder" else ()
    settings = {"ONCUE_S3_ENDPOINT": request.getfixturevalue("moto")} if place == "moto" else {}
    if place == "moto":
        _make_bucket(settings["ONCUE_S3_ENDPOINT"])

    stored, read = _put_and_got({"key": key, **put}, *hidden, **settings)

    assert (stored["key"], stored["size"], bool(stored["etag"])) == (key, got[2], True)
    shown = tuple(read[name] for name in ("content", "content_type", "size", "encoding"))
    assert shown == got


def test_a_connection_is_tested_at_an_s3_by_others(moto: str) -> None:
    _make_bucket(moto)

    async def use(vendors: Simulators, ask: Ask) -> list[str]:
        values = {**vendors.credentials("r2"), "endpoint": moto}
        async with OutgoingClient(allowed_networks=(ip_network("127.0.0.0/8"),)) as client:
            reach = Reach(client.send, _no_way, _no_way, lambda: START_MS)
            assert OBJECTS.probe
            told = [await OBJECTS.probe(values, reach)]
            with pytest.raises(PermanentError) as refused:
                await OBJECTS.probe({**values, "bucket": "nobodys-bucket"}, reach)
            return [*told, str(refused.value)]

    right, wrong = with_vendors(use)

    assert right == "the bucket is there"
    assert "not there, or not ours" in wrong


async def _no_way(*_: object) -> NoReturn:
    raise AssertionError("an object store is asked over HTTP")


def _make_bucket(endpoint: str) -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        url = f"{endpoint}/{vendors.r2.bucket}"
        return await ask("http_request", {"method": "PUT", "url": url})

    with_vendors(use)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://acct.r2.cloudflarestorage.com/bucket/a%20b/%C3%BC%2Bc.txt", "auto"),
        ("http://127.0.0.1:9000/bucket/x", "eu-central-1"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_it_is_signed_as_botocore_signs(
    url: str, region: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    # botocore offers no other way to say what time it is.
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *_: moment.replace(tzinfo=None)
    )
    content = b"hello" if method == "PUT" else b""
    theirs = AWSRequest(method=method, url=url, data=content)
    signer = botocore.auth.S3SigV4Auth(Credentials("KEY", "secret"), "s3", region)
    signer.add_auth(theirs)

    keys = {"access_key": "KEY", "secret_key": "secret", "region": region}
    ours = sign(method, url, content, keys, int(moment.timestamp() * 1_000))

    signature = ours["Authorization"].rpartition("=")[2]
    assert theirs.headers["X-Amz-Date"] == ours["x-amz-date"]
    assert theirs.headers["Authorization"].rpartition("=")[2] == signature


def test_buckets_are_apart_in_the_folder_as_well() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.hide(*SETTINGS)
        await ask("r2_put", {"key": "x", "content": "1", "bucket": "one"})
        await ask("r2_put", {"key": "x", "content": "2"})
        return (await ask("r2_get", {"key": "x", "bucket": "one"}))["content"]  # type: ignore[index,call-overload] # an object

    assert with_vendors(use) == "1"


@pytest.mark.parametrize("hidden", [SETTINGS, ()])
@pytest.mark.parametrize(
    ("action", "document", "told"),
    [
        ("r2_get", {"key": "none"}, "no object 'none'|404: NoSuchKey"),
        ("r2_get", {"key": "../x"}, r"with\.key"),
        ("r2_put", {"key": "/etc/passwd", "content": ""}, r"with\.key"),
        ("r2_put", {"key": "x", "content": "", "bucket": "../x"}, r"with\.bucket"),
        ("r2_put", {"key": "x", "content": "?", "encoding": "base64"}, "expected Base64"),
        ("r2_put", {"key": "x", "content": "x" * (5 << 20) + "x"}, "at most 5242880 bytes"),
        ("r2_put", {"key": "x", "content": "", "content_type": "a/b\r\nx: y"}, r"content_type"),
    ],
)
def test_what_cannot_be_is_told(
    hidden: tuple[str, ...], action: str, document: Json, told: str
) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.hide(*hidden)
        await ask(action, document)

    with pytest.raises(PermanentError, match=told):
        with_vendors(use)


def _error(status: int, code: str) -> Fixed:
    text = f"<Error><Code>{code}</Code><Message>why</Message></Error>"
    return Fixed(status, text, {"Retry-After": "2"})


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (_error(503, "SlowDown"), RetryableError, "503: SlowDown: why"),
        (_error(429, "TooManyRequests"), RetryableError, "TooManyRequests"),
        (_error(403, "AccessDenied"), PermanentError, "403: AccessDenied: why"),
        (_error(404, "NoSuchBucket"), PermanentError, "NoSuchBucket"),
        (Fixed(400, "no"), PermanentError, "400: no"),
    ],
)
def test_what_an_answer_means(answer: Any, error: type[Exception], told: str) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        # HTTP itself repeats a PUT once, on a connection that was closed under it.
        vendors.r2.answer_next(answer, answer)
        await ask("r2_put", {"key": "x", "content": "y"})

    with pytest.raises(error, match=told) as caught:
        with_vendors(use)

    if isinstance(caught.value, RetryableError):
        assert caught.value.retry_after_ms == 2_000


@pytest.mark.parametrize("setting", ["BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"])
def test_what_is_not_set_is_named(setting: str) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.hide(f"ONCUE_S3_{setting}")
        await ask("r2_get", {"key": "x"})

    with pytest.raises(PermanentError, match=f"set ONCUE_S3_{setting}"):
        with_vendors(use)
