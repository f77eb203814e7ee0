"""Everything that is sealed, encrypted anew under the first key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from oncue.engine.connected import Connected
from oncue.engine.hook_book import HookBook
from oncue.engine.hook_secrets import place_of_hook
from oncue.engine.kept_secrets import KeptSecrets, place_of
from oncue.ports import Accounts, LockedError

Replace = Callable[[bytes, bytes], Awaitable[bool]]
"""Puts one ciphertext in the place of another; returns whether that one still stood there."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Something that no key opens."""

    account: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation found: how many there are, encrypted anew, and not to be opened."""

    total: int
    rotated: int
    locked: tuple[Locked, ...]


@dataclass(frozen=True, slots=True)
class _Sealed:
    kind: str
    name: str
    place: str
    content: bytes
    replace: Replace


class Rotation:
    """Encrypts what the accounts entrusted us with under other keys."""

    def __init__(
        self, accounts: Accounts, connected: Connected, secrets: KeptSecrets, hooks: HookBook
    ) -> None:
        self._accounts = accounts
        self._connected = connected
        self._secrets = secrets
        self._hooks = hooks

    async def rotate(self) -> Rotated:
        """
        Encrypt under the first key what another one made, in all accounts.

        One at a time: whatever a crash leaves undone, the next rotation does.
        """
        total = rotated = 0
        locked: list[Locked] = []
        vault = self._connected.vault
        for account in await self._accounts.ids():
            for row in await self._sealed(account):
                total += 1
                try:
                    opened = vault.open(account, row.place, row.content)
                except LockedError:
                    locked.append(Locked(account, row.kind, row.name))
                    continue
                if not vault.is_current(row.content):
                    sealed = vault.seal(account, row.place, opened)
                    rotated += await row.replace(row.content, sealed)
            self._connected.forget(account)
            self._secrets.forget(account)
            self._hooks.forget(account)
        return Rotated(total, rotated, tuple(locked))

    async def _sealed(self, account: str) -> list[_Sealed]:
        connections, secrets = self._connected.store, self._secrets.store
        return [
            *(
                _Sealed(
                    "connection",
                    row.name,
                    row.name,
                    row.sealed,
                    partial(connections.reseal, account, row.id),
                )
                for row in await connections.all(account)
            ),
            *(
                _Sealed(
                    "secret",
                    row.name,
                    place_of(row.name),
                    row.sealed,
                    partial(secrets.reseal, account, row.name),
                )
                for row in await secrets.all(account)
                if row.sealed is not None
            ),
            *(
                _Sealed(
                    "hook",
                    row.name,
                    place_of_hook(row.id),
                    row.sealed,
                    partial(self._hooks.store.reseal, account, row.id),
                )
                for row in await self._hooks.store.all(account)
            ),
        ]
