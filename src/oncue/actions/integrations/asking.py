"""Where vendors are, and harmless questions to them, over HTTP."""

from collections.abc import Mapping
from typing import Final

from oncue.core.action import HttpRequest
from oncue.core.http_answer import judge, read_object
from oncue.core.integration import Credential, Reach
from oncue.core.json_text import Json, encode_json

HTTP_URL: Final = r"https?://.+"
_PATIENCE_MS: Final = 10_000


async def ask(
    reach: Reach,
    vendor: str,
    url: str,
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    body: Json = None,
) -> Mapping[str, Json]:
    """
    Return the object that a vendor answers with.

    Raises:
        ActionError: it says no, or nothing.
    """
    content = None if body is None else encode_json(body)
    more = {} if content is None else {"Content-Type": "application/json"}
    answer = await reach.send(HttpRequest(method, url, {**headers, **more}, content, _PATIENCE_MS))
    judge(answer, vendor)
    return read_object(answer, vendor)


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token (RFC 6750)."""
    return {"Authorization": f"Bearer {token}"}


def endpoint_of(values: Mapping[str, str]) -> str:
    """Return where the vendor is, without a slash at the end."""
    return values["base_url"].rstrip("/")


def endpoint(vendor: str, example: str) -> Credential:
    """Return the field that says where a vendor is; the operator's setting unless it is given."""
    return Credential(
        "base_url",
        f"Endpoint of {vendor}.",
        is_secret=False,
        is_inherited=True,
        pattern=HTTP_URL,
        example=example,
    )
