"""
S3, as far as one object goes: PutObject, GetObject and HeadBucket with paths of bucket and key.

Errors are those of Amazon's API reference, in XML. It looks whose signature a
request bears, and does not check it: that is done against others in the tests.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_PATH = re.compile(r"/(?P<bucket>[^/?]+)/(?P<key>[^?]+)")


class S3Simulator(Simulator):
    """One bucket."""

    origin = "https://simulated.r2.cloudflarestorage.com"
    access_key: Final = "SIMULATEDACCESSKEY"
    secret_key: Final = "simulated/secret/access/key"
    bucket: Final = "simulated-bucket"

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[str, tuple[bytes, str]] = {}

    @property
    def settings(self) -> Mapping[str, str]:
        """Endpoint, bucket and keys."""
        return {
            "ONCUE_S3_ENDPOINT": self.base_url,
            "ONCUE_S3_BUCKET": self.bucket,
            "ONCUE_S3_ACCESS_KEY_ID": self.access_key,
            "ONCUE_S3_SECRET_ACCESS_KEY": self.secret_key,
        }

    def answer(self, call: ReceivedCall) -> Fixed:
        """Keep or show an object; `effects` are those that are there."""
        signed = f"AWS4-HMAC-SHA256 Credential={self.access_key}/"
        if not call.headers.get("authorization", "").startswith(signed):
            return _error(403, "InvalidAccessKeyId", "The access key does not exist.")
        if call.method == "HEAD":
            # An answer to HEAD has no body, whatever is wrong.
            return Fixed(200 if call.path == f"/{self.bucket}" else 404, "")
        found = _PATH.fullmatch(call.path)
        if not found or found["bucket"] != self.bucket:
            return _error(404, "NoSuchBucket", "The specified bucket does not exist")
        key = unquote(found["key"])
        match call.method:
            case "PUT":
                return self._put(key, call)
            case "GET":
                return self._get(key)
            case _:
                return _error(405, "MethodNotAllowed", "The specified method is not allowed.")

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by Amazon's codes: who asks too often gets 503, what is invalid 400."""
        return _error(*_REFUSALS[refused])

    def _put(self, key: str, call: ReceivedCall) -> Fixed:
        if call.headers.get("x-amz-content-sha256") != hashlib.sha256(call.content).hexdigest():
            return _error(400, "XAmzContentSHA256Mismatch", "The digest does not match.")
        self._objects[key] = call.content, call.headers.get("content-type", "binary/octet-stream")
        self.effects = [held for held in self.effects if held["key"] != key]
        self.effects.append({"key": key, "size": len(call.content)})
        return Fixed(200, "", {"ETag": _etag(call.content)})

    def _get(self, key: str) -> Fixed:
        if key not in self._objects:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        content, content_type = self._objects[key]
        return Fixed(200, content, {"ETag": _etag(content), "Content-Type": content_type})


_REFUSALS: Final[Mapping[Refused, tuple[int, str, str]]] = {
    Refused.UNAUTHORIZED: (403, "InvalidAccessKeyId", "The access key does not exist."),
    Refused.FORBIDDEN: (403, "AccessDenied", "Access Denied"),
    Refused.CONFLICT: (409, "OperationAborted", "A conflicting operation is in progress."),
    Refused.INVALID: (400, "InvalidArgument", "Invalid Argument"),
    Refused.RATE_LIMITED: (503, "SlowDown", "Reduce your request rate."),
    Refused.BROKEN: (500, "InternalError", "An internal error occurred. Try again."),
    Refused.UNAVAILABLE: (503, "ServiceUnavailable", "Reduce your request rate."),
}


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str, message: str) -> Fixed:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Fixed(status, text, {"Content-Type": "application/xml"})
