"""Secrets: kept, changed and forgotten."""

from collections.abc import Mapping
from dataclasses import replace

from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.core.named_values import SecretDocument, parse_secret
from oncue.core.problems import nearest
from oncue.engine.definitions import Definitions
from oncue.engine.kept_secrets import KeptSecrets
from oncue.engine.room import check_count
from oncue.ports import Clock, LockedError, Secret


class SecretBook:
    """The secrets of all accounts, as people see them."""

    def __init__(self, kept: KeptSecrets, definitions: Definitions, clock: Clock) -> None:
        self._kept = kept
        self._definitions = definitions
        self._clock = clock

    async def by_name(self, account: str) -> Mapping[str, Secret]:
        """Return the secrets of an account by their names, newest first."""
        return {row.name: row for row in await self._kept.store.all(account)}

    async def find(self, account: str, name: str) -> Secret:
        """
        Return the secret of that name.

        Raises:
            NotFound: this account has none.
        """
        known = await self.by_name(account)
        if name not in known:
            raise NotFound(f"no secret {name!r}{nearest(name, known)}")
        return known[name]

    async def create(self, account: str, document: Json) -> Secret:
        """
        Return a secret, from now on kept; its value may be given later.

        Raises:
            InvalidInput: with all problems.
            Conflict: the account has one of that name, or as many as it may have.
        """
        secret = self.first(account, parse_secret(document))
        check_count("secret", len(await self._kept.by_name(account)))
        await self._kept.store.add(account, secret)
        self._kept.forget(account)
        return secret

    async def change(self, account: str, current: Secret, patch: Mapping[str, Json]) -> Secret:
        """
        Return the version after `current`, or `current` itself if the patch changes nothing.

        Raises:
            InvalidInput: with all problems.
            Conflict: somebody changed it meanwhile.
        """
        document = merge_patch({"name": current.name, "description": current.description}, patch)
        return await self._become(account, current, document)

    async def put(self, account: str, name: str, given: Mapping[str, Json]) -> Secret:
        """
        Return the secret of that name, which has the value that is `given`.

        Raises:
            InvalidInput: with all problems.
            Conflict: somebody changed it meanwhile.
        """
        if given.get("name", name) != name:
            raise InvalidInput([Problem("name", f"expected {name!r}, got {given['name']!r}")])
        current = (await self.by_name(account)).get(name)
        if current is None:
            return await self.create(account, {**given, "name": name})
        document = {"description": current.description, **given, "name": name}
        return await self._become(account, current, document)

    async def _become(self, account: str, current: Secret, document: Json) -> Secret:
        wanted = parse_secret(document)
        if wanted.name != current.name:
            message = f"expected {current.name!r} to stay, got {wanted.name!r}"
            raise InvalidInput([Problem("name", message)])
        changed = self.next(account, current, wanted)
        if changed is not current:
            await self._kept.store.change(account, changed)
            self._kept.forget(account)
        return changed

    async def delete(self, account: str, secret: Secret, *, even_if_used: bool) -> None:
        """
        Forget a secret.

        Raises:
            Conflict: a workflow reads it.
        """
        if not even_if_used:
            name = secret.name
            users = await self._definitions.users(account, lambda plan: name in plan.secrets)
            if users:
                raise Conflict(f"secret {name!r} is read by the workflows {', '.join(users)}")
        await self._kept.store.delete(account, secret.name)
        self._kept.forget(account)

    def forget(self, account: str) -> None:
        """Read the secrets of an account anew when they are needed next."""
        self._kept.forget(account)

    def trouble(self, account: str, secret: Secret) -> str | None:
        """Return why calls cannot have a secret, if they cannot."""
        return self._kept.trouble(account, {secret.name: secret}, secret.name)

    def first(self, account: str, wanted: SecretDocument) -> Secret:
        """Return the first version of a secret."""
        now = self._clock.now_ms()
        sealed = None
        if wanted.value is not None:
            sealed = self._kept.seal(account, wanted.name, wanted.value)
        return Secret(wanted.name, wanted.description, sealed, 1, now, now)

    def next(self, account: str, current: Secret, wanted: SecretDocument) -> Secret:
        """Return the version after `current`, or `current` itself if it is the same."""
        sealed = current.sealed
        if wanted.value is not None and wanted.value != self._value(account, current):
            sealed = self._kept.seal(account, current.name, wanted.value)
        changed = replace(current, description=wanted.description, sealed=sealed)
        if changed == current:
            return current
        return replace(changed, version=current.version + 1, updated_at_ms=self._clock.now_ms())

    def _value(self, account: str, secret: Secret) -> str | None:
        try:
            return None if secret.sealed is None else self._kept.open(account, secret)
        except LockedError:
            return None
