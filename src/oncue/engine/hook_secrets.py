"""What the secrets of hooks are: given, made, sealed, and opened again."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from oncue.core.errors import ActionError
from oncue.core.hook.schemes import Scheme
from oncue.core.integration import hint_of
from oncue.core.json_text import encode_json, parse_json
from oncue.engine.connected import Connected
from oncue.ports import Hook

# Their vendors make the secret, and show it only once they know the URL.
_ISSUED: Final = (Scheme.STRIPE, Scheme.SLACK, Scheme.TWILIO)


@dataclass(frozen=True, slots=True)
class Kept:
    """A hook that was saved, and the secret that was made for it, which is shown once."""

    hook: Hook
    made: str | None = None


class HookSecrets:
    """The secrets of the hooks of all accounts."""

    def __init__(self, connected: Connected, fresh_secret: Callable[[], str]) -> None:
        self._connected = connected
        self._fresh_secret = fresh_secret

    async def put(self, account: str, hook: Hook, scheme: Scheme, given: Sequence[str]) -> Kept:
        """Return a hook with the secrets that are given, or with one that is made if it needs one."""
        secrets, made = [*given], None
        if not secrets and await self._needs_one(account, scheme):
            made = self._made(scheme)
            secrets = [made]
        sealed = self._connected.vault.seal(account, place_of_hook(hook.id), encode_json(secrets))
        hints = tuple(hint_of(secret) for secret in secrets)
        return Kept(replace(hook, hints=hints, sealed=sealed), made)

    def of(self, account: str, hook: Hook) -> tuple[str, ...]:
        """
        Return the secrets of a hook.

        Raises:
            LockedError: no key opens them.
        """
        opened = parse_json(
            self._connected.vault.open(account, place_of_hook(hook.id), hook.sealed)
        )
        assert isinstance(opened, list)
        return tuple(str(secret) for secret in opened)

    async def accepted(self, account: str, hook: Hook, scheme: Scheme) -> tuple[str, ...]:
        """
        Return the secrets by which a sender is known: the hook's, else the installation's.

        Raises:
            LockedError: no key opens them.
        """
        own = self.of(account, hook)
        default = None if own else await self._default(account, scheme)
        return own or ((default,) if default else ())

    async def _needs_one(self, account: str, scheme: Scheme) -> bool:
        if scheme in _ISSUED:
            return False
        return scheme is Scheme.PATH or await self._default(account, scheme) is None

    async def _default(self, account: str, scheme: Scheme) -> str | None:
        """Return what signs where a hook has no secret: Twilio's token, else WEBHOOK_SECRET."""
        if scheme is Scheme.PATH:
            return None
        places = [("webhook", "secret")]
        if scheme is Scheme.TWILIO:
            places.insert(0, ("twilio", "auth_token"))
        for integration, name in places:
            try:
                values = await self._connected.credentials(account, integration, None)
            except ActionError:
                continue
            if value := values.get(name):
                return value
        return None

    def _made(self, scheme: Scheme) -> str:
        entropy = sha256(self._fresh_secret().encode()).digest()
        if scheme is Scheme.STANDARD:
            return f"whsec_{base64.b64encode(entropy).decode()}"
        return base64.urlsafe_b64encode(entropy).decode().rstrip("=")


def place_of_hook(hook_id: str) -> str:
    """Return where the secrets of a hook are sealed for."""
    # No name of a connection has a slash.
    return f"hook/{hook_id}"
