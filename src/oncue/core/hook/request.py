"""A webhook as it came in: bytes, before anybody trusts them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HookRequest:
    """
    One request of somebody who may be the vendor.

    `url` is the one that the sender knows, with its query; names of `headers` are in
    lower case. `token` is what stands after the hook in the path.
    """

    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    token: str = ""

    @property
    def media_type(self) -> str:
        """The media type of the body, without parameters; empty if none is named."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
