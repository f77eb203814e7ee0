"""Who is asking: from the `Authorization` header to an account."""

from collections.abc import Collection
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


def grants(scopes: Collection[str], wanted: str) -> bool:
    """Return whether a key with `scopes` may do what needs `wanted`."""
    return any(wanted in _IMPLIED.get(own, {own}) for own in scopes)


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
        return (await self.key(request, scope)).account

    async def key(self, request: Request, scope: str) -> ApiKey:
        """
        Return the key that the request carries.

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
        if not grants(key.scopes, scope):
            raise HTTPException(403, f"expected a key with the scope {scope!r}")
        return key

    def forget(self, account: str) -> None:
        """Ask anew which keys of an account are valid."""
        self._known = {h: key for h, key in self._known.items() if key.account != account}


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})
