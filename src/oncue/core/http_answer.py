"""What an HTTP answer means for an attempt: done, again, or never."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from pydantic import BaseModel

from oncue.core.action import HttpAnswer
from oncue.core.errors import (
    ActionError,
    MalformedJson,
    OutcomeUnknown,
    PermanentError,
    RetryableError,
)
from oncue.core.json_text import Json, parse_json


class HttpOutput(BaseModel):
    """What came back; `body` is parsed if it is JSON."""

    status: int
    headers: dict[str, str]
    body: Json


# 4xx that may pass: request timeout, conflict of the moment, too early, too many.
_MAY_PASS: Final = frozenset((408, 409, 425, 429))
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_EXCERPT: Final = 300


def judge(
    answer: HttpAnswer,
    vendor: str,
    *,
    permanent: frozenset[int] = frozenset(),
    says: str | None = None,
) -> None:
    """
    Return if the answer is a success; `permanent` names codes that will not pass here.

    `says` is what the vendor's error means, in place of its body.

    Raises:
        RetryableError: another attempt may succeed.
        PermanentError: no attempt can.
    """
    if not 200 <= answer.status < 300:
        raise failure(answer, vendor, permanent=permanent, says=says)


def failure(
    answer: HttpAnswer,
    vendor: str,
    *,
    permanent: frozenset[int] = frozenset(),
    says: str | None = None,
) -> ActionError:
    """Return the error that an answer other than 2xx amounts to."""
    status = answer.status
    message = f"{vendor} answered {status}: {says or _excerpt(answer.body)}"
    if status in permanent or (status < 500 and status not in _MAY_PASS):
        return PermanentError(message)
    return RetryableError(message, retry_after_ms=retry_after_ms(answer))


def retry_after_ms(answer: HttpAnswer) -> int | None:
    """Return what `Retry-After` asks for (RFC 9110 §10.2.3), by the server's own clock."""
    text = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return int(text) * 1_000
    asked, now = _date(text), _date(answer.headers.get("date", ""))
    if asked is None or now is None:
        return None
    return max(0, round((asked - now).total_seconds() * 1_000))


def read_object(answer: HttpAnswer, vendor: str) -> Mapping[str, Json]:
    """
    Return the object in the body of a success.

    Raises:
        OutcomeUnknown: something else stands there, so who knows what was done.
    """
    try:
        body = parse_json(answer.body)
    except MalformedJson:
        body = None
    if not isinstance(body, Mapping):
        raise OutcomeUnknown(f"expected {vendor} to answer with an object, got something else")
    return body


def error_object(answer: HttpAnswer) -> Mapping[str, Json]:
    """Return the object in the body of a refusal; empty where something else stands there."""
    try:
        body = parse_json(answer.body)
    except MalformedJson:
        return {}
    return body if isinstance(body, Mapping) else {}


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # RFC 9110 dates are in GMT; one written without a zone could not be compared.
    return moment if moment.tzinfo else None


def _excerpt(body: bytes) -> str:
    text = " ".join(body[: _EXCERPT * 4].decode("utf-8", "replace").split())
    # The mark also tells whoever masks secrets that one may be cut there.
    return f"{text[:_EXCERPT]}…" if max(len(text), len(body) // 4) > _EXCERPT else text


def show_answer(answer: HttpAnswer) -> Json:
    """Return an answer as `HttpOutput` has it."""
    return {"status": answer.status, "headers": dict(answer.headers), "body": _parsed(answer)}


def _parsed(answer: HttpAnswer) -> Json:
    if "json" in answer.headers.get("content-type", ""):
        try:
            return parse_json(answer.body)
        except MalformedJson:
            pass
    return answer.body.decode("utf-8", "replace")
