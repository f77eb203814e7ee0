"""
URLs by which somebody outside tells a waiting step that it may go on.

    <public url>/callbacks/<account>/<execution>/<token>/<step path>

The token is a MAC over account and execution, so whoever has the URL of one
execution can say nothing to another.
"""

import hmac
from dataclasses import dataclass

_TOKEN_CHARS = 32


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Makes the URLs and knows them again; `key` is secret."""

    public_url: str
    key: bytes

    def url(self, account: str, execution_id: str) -> str:
        """Return the URL of an execution, to which the path of a step is added."""
        token = self._token(account, execution_id)
        return f"{self.public_url.rstrip('/')}/callbacks/{account}/{execution_id}/{token}"

    def knows(self, account: str, execution_id: str, token: str) -> bool:
        """Return whether a token is that of the execution."""
        return hmac.compare_digest(token.encode(), self._token(account, execution_id).encode())

    def _token(self, account: str, execution_id: str) -> str:
        message = f"{account}/{execution_id}".encode()
        return hmac.digest(self.key, message, "sha256").hex()[:_TOKEN_CHARS]
