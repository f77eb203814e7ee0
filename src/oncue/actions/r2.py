"""
Objects: in the account's own folder, or in any S3 (R2, MinIO, AWS) by a connection.

Requests are signed by AWS Signature Version 4 and go the way of all others, so
that the guard on addresses, the limits and the masking hold for them as well.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency
from oncue.core.errors import PermanentError
from oncue.core.http_answer import failure
from oncue.core.json_text import Json, encode_json
from oncue.core.objects import MAX_OBJECT_BYTES, key_problem

_VENDOR: Final = "the object store"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SIGNED: Final = "host;x-amz-content-sha256;x-amz-date"
_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_BINARY: Final = "application/octet-stream"
_ERROR = re.compile(rb"<Code>([^<]+)</Code>(?:.*?<Message>([^<]*)</Message>)?", re.DOTALL)


def _key(text: str) -> str:
    if problem := key_problem(text):
        raise ValueError(problem)
    return text


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, AfterValidator(_key)] = Field(
        description="The object's name; parts are divided by `/`.", examples=["reports/2026.csv"]
    )
    bucket: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="The bucket; by default `ONCUE_S3_BUCKET`.",
    )


class PutInput(_Place):
    """What to keep, and where."""

    content: Json = Field(description="Text; other than text is kept as JSON. At most 5 MiB.")
    content_type: str | None = Field(
        default=None, pattern=r"^[\w.+-]+/[\w.+-]+(;[\x20-\x7e]*)?$", description="Its media type."
    )
    encoding: Literal["text", "base64"] = Field(
        default="text", description="`base64` where `content` is that of bytes."
    )


class PutOutput(BaseModel):
    """The object as it is now."""

    key: str
    etag: str
    size: int


class GetInput(_Place):
    """Which object."""


class GetOutput(BaseModel):
    """The object; what is no text of UTF-8 comes as Base64, and `encoding` says so."""

    content: str
    content_type: str
    size: int
    encoding: Literal["text", "base64"]


async def _put(call: Call[PutInput]) -> Json:
    given = call.input
    content, kind = _content(given)
    if len(content) > MAX_OBJECT_BYTES:
        raise PermanentError(f"content: expected at most {MAX_OBJECT_BYTES} bytes, got more")
    media_type = given.content_type or kind
    if "endpoint" in call.credentials:
        answer = await _send(call, "PUT", content, {"Content-Type": media_type})
        etag = answer.headers.get("etag", "").strip('"')
    else:
        etag = await call.store.put_object(_name(given), content, media_type)
    return {"key": given.key, "etag": etag, "size": len(content)}


def _content(given: PutInput) -> tuple[bytes, str]:
    if not isinstance(given.content, str):
        return encode_json(given.content), _JSON
    if given.encoding == "text":
        return given.content.encode(), _TEXT
    try:
        return base64.b64decode(given.content, validate=True), _BINARY
    except binascii.Error as exc:
        raise PermanentError(f"content: expected Base64, got something else: {exc}") from exc


async def _get(call: Call[GetInput]) -> Json:
    if "endpoint" in call.credentials:
        answer = await _send(call, "GET", b"", {})
        return _shown(answer.body, answer.headers.get("content-type", _BINARY))
    found = await call.store.get_object(_name(call.input))
    if found is None:
        raise PermanentError(f"no object {call.input.key!r}")
    return _shown(found.content, found.content_type)


def _shown(content: bytes, content_type: str) -> Json:
    shown: dict[str, Json] = {"content_type": content_type, "size": len(content)}
    try:
        return {**shown, "content": content.decode(), "encoding": "text"}
    except UnicodeDecodeError:
        return {**shown, "content": base64.b64encode(content).decode(), "encoding": "base64"}


def _name(given: _Place) -> str:
    # No bucket and no key holds the sign between them.
    return f"{given.bucket or ''}\0{given.key}"


async def _send(
    call: Call[PutInput] | Call[GetInput], method: str, content: bytes, headers: Mapping[str, str]
) -> HttpAnswer:
    credentials = call.credentials
    bucket = call.input.bucket or credentials.get("bucket")
    if not bucket:
        raise PermanentError("no bucket: give 'bucket', or set ONCUE_S3_BUCKET")
    for name, setting in (("access_key", "ACCESS_KEY_ID"), ("secret_key", "SECRET_ACCESS_KEY")):
        if name not in credentials:
            raise PermanentError(f"no key of the object store: set ONCUE_S3_{setting}")
    url = f"{credentials['endpoint'].rstrip('/')}/{bucket}/{quote(call.input.key, safe='/~')}"
    signed = sign(method, url, content, credentials, call.now_ms)
    body = content if method == "PUT" else None
    # What is signed is sent as it was signed.
    request = HttpRequest(method, url, {**headers, **signed}, body, is_encoded=True)
    answer = await call.send(request)
    if not 200 <= answer.status < 300:
        raise failure(answer, _VENDOR, says=_meaning(answer))
    return answer


def _meaning(answer: HttpAnswer) -> str | None:
    found = _ERROR.search(answer.body)
    return ": ".join(part.decode("utf-8", "replace") for part in found.groups() if part) if found else None  # fmt: skip


def sign(
    method: str, url: str, content: bytes, credentials: Mapping[str, str], now_ms: int
) -> dict[str, str]:
    """Return the headers that sign a request (AWS Signature Version 4, header based)."""
    parts = urlsplit(url)
    moment = datetime.fromtimestamp(now_ms / 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(content).hexdigest()
    canonical = "\n".join((
        method, parts.path, "",
        f"host:{parts.netloc}", f"x-amz-content-sha256:{digest}", f"x-amz-date:{moment}",
        "", _SIGNED, digest,
    ))  # fmt: skip
    region = credentials.get("region", "auto")
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials['secret_key']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, f"{_ALGORITHM}\n{moment}\n{scope}\n{hashed}".encode(), "sha256")
    credential = f"Credential={credentials['access_key']}/{scope}"
    return {
        "x-amz-content-sha256": digest,
        "x-amz-date": moment,
        "Authorization": f"{_ALGORITHM} {credential}, SignedHeaders={_SIGNED}, "
        f"Signature={signature.hexdigest()}",
    }


R2_PUT = Action(
    name="r2_put",
    summary="Keep an object, in the account's own folder or in any S3.",
    integration="r2",
    category="data",
    input=PutInput,
    output=PutOutput,
    # Put twice, it is there once.
    idempotency=Idempotency.UPSERT,
    example={
        "key": "reports/2026-11.csv",
        "content": "day,amount\n1,42",
        "content_type": "text/csv",
    },
    perform=_put,
)
R2_GET = Action(
    name="r2_get",
    summary="Read an object that was kept.",
    integration="r2",
    category="data",
    input=GetInput,
    output=GetOutput,
    idempotency=Idempotency.NONE,
    example={"key": "reports/2026-11.csv"},
    perform=_get,
    is_harmless_to_repeat=True,
)
