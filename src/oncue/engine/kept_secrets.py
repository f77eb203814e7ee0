"""The secrets of accounts, as calls get them: opened when they are needed, and not kept open."""

from collections.abc import Collection, Mapping

from oncue.core.errors import PermanentError
from oncue.core.problems import nearest
from oncue.engine.known import Known
from oncue.ports import LockedError, Secret, Secrets, Vault


class KeptSecrets:
    """The secrets of all accounts."""

    def __init__(self, store: Secrets, vault: Vault) -> None:
        self.store = store
        self.vault = vault
        self._known = Known(self._read)

    async def by_name(self, account: str) -> Mapping[str, Secret]:
        """Return the secrets of an account by their names, newest first."""
        return await self._known.of(account)

    def forget(self, account: str) -> None:
        """Read the secrets of an account anew when they are needed next."""
        self._known.forget(account)

    async def values(self, account: str, names: Collection[str]) -> Mapping[str, str]:
        """
        Return secrets by their names.

        Raises:
            PermanentError: there is none of a name, it has no value, or no key opens it.
        """
        known = await self.by_name(account)
        if troubles := [t for name in sorted(names) if (t := self.trouble(account, known, name))]:
            raise PermanentError("; ".join(troubles))
        return {name: self.open(account, known[name]) for name in names}

    def trouble(self, account: str, known: Mapping[str, Secret], name: str) -> str | None:
        """Return why there is no value under a name, if there is none."""
        secret = known.get(name)
        if secret is None:
            return f"no secret {name!r}{nearest(name, known)}"
        if secret.sealed is None:
            return f"secret {name!r} has no value yet: oncue secrets set {name}"
        try:
            self.open(account, secret)
        except LockedError as exc:
            return f"secret {name!r} cannot be opened: {exc}"
        return None

    def open(self, account: str, secret: Secret) -> str:
        """
        Return the value of a secret that has one.

        Raises:
            LockedError: no key opens it.
        """
        assert secret.sealed is not None
        return self.vault.open(account, place_of(secret.name), secret.sealed).decode()

    def seal(self, account: str, name: str, value: str) -> bytes:
        """Return a value encrypted for an account and a name."""
        return self.vault.seal(account, place_of(name), value.encode())

    async def _read(self, account: str) -> Mapping[str, Secret]:
        return {row.name: row for row in await self.store.all(account)}


def place_of(name: str) -> str:
    """Return where a secret of that name is sealed for; no connection has such a name."""
    return f"secrets.{name}"
