"""Who is asking: from the `Authorization` header to an account."""

from hashlib import sha256

from starlette.exceptions import HTTPException
from starlette.requests import Request

from oncue.ports import Accounts, ApiKey

_IMPLIED = {
    "operator": {"operator", "admin", "write", "read", "events:write"},
    "admin": {"admin", "write", "read", "events:write"},
    "write": {"write", "read", "events:write"},
}


def hash_key(key: str) -> str:
    """Return what is kept of a key; it has 256 random bits, so no slow hash is needed."""
    return sha256(key.encode()).hexdigest()


class Gate:
    """Lets requests through that carry a valid key."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._known: dict[str, ApiKey] = {}

    async def account(self, request: Request, scope: str) -> str:
        """
        Return the account that the request acts for.

        Raises:
            HTTPException: 401 without a valid key, 403 if it lacks `scope`.
        """
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise _unauthorized("expected the header 'Authorization: Bearer <key>'")
        hashed = hash_key(secret.strip())
        key = self._known.get(hashed) or await self._accounts.api_key(hashed)
        if key is None:
            raise _unauthorized("expected a valid API key, got an unknown one")
        self._known[hashed] = key
        if not any(scope in _IMPLIED.get(own, {own}) for own in key.scopes):
            raise HTTPException(403, f"expected a key with the scope {scope!r}")
        return key.account


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})
