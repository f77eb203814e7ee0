"""Connections: kept, changed and tried."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from oncue.core.connection_document import WantedConnection, parse_connection
from oncue.core.errors import ActionError, Conflict, InvalidInput, NotFound, Problem
from oncue.core.integration import hint_of
from oncue.core.json_text import Json, encode_json
from oncue.core.masking import mask
from oncue.core.merge_patch import merge_patch
from oncue.engine.connected import Connected
from oncue.engine.definitions import Definitions
from oncue.engine.room import check_count
from oncue.ports import Clock, Connection, LockedError, Tested


class ConnectionBook:
    """The connections of all accounts, as people see them."""

    def __init__(
        self,
        connected: Connected,
        definitions: Definitions,
        clock: Clock,
        fresh_id: Callable[[str], str],
    ) -> None:
        self._connected = connected
        self._store = connected.store
        self._definitions = definitions
        self._clock = clock
        self._fresh_id = fresh_id

    async def find(self, account: str, reference: str) -> Connection:
        """
        Return the connection with that id or name.

        Raises:
            NotFound: this account has none.
        """
        for row in await self._store.all(account):
            if reference in (row.id, row.name):
                return row
        raise NotFound(f"no connection {reference!r}")

    async def create(self, account: str, document: Json) -> Connection:
        """
        Return a connection, from now on kept; it may lack values that are given later.

        Raises:
            InvalidInput: with all problems.
            Conflict: the account has one of that name, or as many as it may have.
        """
        connection = self.first(account, document)
        check_count("connection", len(await self._store.all(account)))
        await self._store.add(account, connection)
        self._connected.forget(account)
        return connection

    def first(self, account: str, document: Json) -> Connection:
        """
        Return the first version of a connection, which is not saved.

        Raises:
            InvalidInput: with all problems.
        """
        wanted = parse_connection(document, self._connected.integrations)
        now = self._clock.now_ms()
        settings, secrets = _parted(wanted)
        return Connection(
            id=self._fresh_id("con"),
            name=wanted.name,
            integration=wanted.integration.name,
            is_default=wanted.is_default,
            settings=settings,
            hints=_hints(secrets),
            sealed=self._seal(account, wanted.name, secrets),
            version=1,
            created_at_ms=now,
            updated_at_ms=now,
        )

    async def change(
        self, account: str, current: Connection, patch: Mapping[str, Json]
    ) -> Connection:
        """
        Return the version after `current`, or `current` itself if the patch changes nothing.

        Raises:
            InvalidInput: with all problems.
            Conflict: its name is in use or taken, somebody changed it meanwhile, or no key opens it.
        """
        changed = self.next(account, current, patch)
        if changed is current:
            return current
        if changed.name != current.name:
            await self._check_unused(account, current.name)
        await self._store.change(account, changed)
        self._connected.forget(account)
        return changed

    def next(self, account: str, current: Connection, patch: Mapping[str, Json]) -> Connection:
        """
        Return the version after `current`, which is not saved, or `current` if nothing changes.

        Raises:
            InvalidInput: with all problems.
            Conflict: no key opens it, or nobody knows its integration any more.
        """
        known = self._connected.integrations
        if current.integration not in known:
            raise Conflict(f"no integration {current.integration!r} any more: delete it")
        document = merge_patch(document_of(current), patch)
        wanted = parse_connection(document, known, current.hints)
        if wanted.integration.name != current.integration:
            message = f"expected {current.integration!r} to stay, got {wanted.integration.name!r}"
            raise InvalidInput([Problem("integration", message)])
        settings, given = _parted(wanted)
        before = self._secrets(account, current, given)
        secrets = {
            name: before[name] if value == current.hints.get(name) else value
            for name, value in given.items()
        }
        changed = replace(
            current,
            name=wanted.name,
            is_default=wanted.is_default,
            settings=settings,
            hints=_hints(secrets),
        )
        if changed == current and secrets == before:
            return current
        return replace(
            changed,
            sealed=self._seal(account, wanted.name, secrets),
            version=current.version + 1,
            updated_at_ms=self._clock.now_ms(),
        )

    async def delete(self, account: str, connection: Connection, *, even_if_used: bool) -> None:
        """
        Forget a connection.

        Raises:
            Conflict: a workflow names it.
        """
        if not even_if_used:
            await self._check_unused(account, connection.name)
        await self._store.delete(account, connection.id)
        self._connected.forget(account)

    async def test(self, account: str, connection: Connection) -> Tested:
        """Return what the vendor says of a connection."""
        began_ms = self._clock.now_ms()
        ok, detail = await self._ask(account, connection)
        now = self._clock.now_ms()
        tested = Tested(ok, detail, now - began_ms, now)
        await self._store.note_test(account, connection.id, tested)
        self._connected.forget(account)
        return tested

    def trouble(self, account: str, connection: Connection) -> tuple[bool, str | None]:
        """Return whether no key opens a connection, and what it lacks."""
        try:
            values = {**connection.settings, **self._connected.secrets(account, connection)}
        except LockedError as exc:
            return True, f"cannot be opened: {exc}"
        integration = self._connected.integrations.get(connection.integration)
        if integration is None:
            return False, f"no integration {connection.integration!r} any more"
        lack = integration.lacks(values)
        return False, f"lacks {lack}" if lack else None

    async def _ask(self, account: str, connection: Connection) -> tuple[bool, str]:
        values: Mapping[str, str] = {}
        try:
            values = await self._connected.values(account, connection)
            probe = self._connected.integrations[connection.integration].probe
            if probe is None:
                return True, "it is complete; there is nobody to ask"
            return True, mask(await probe(values, self._connected.reach), values)
        except ActionError as exc:
            return False, mask(str(exc), values)

    def _secrets(
        self, account: str, current: Connection, given: Mapping[str, str]
    ) -> dict[str, str]:
        try:
            return self._connected.secrets(account, current)
        except LockedError as exc:
            if any(value == current.hints.get(name) for name, value in given.items()):
                raise Conflict(
                    f"connection {current.name!r} cannot be opened: {exc}; give all its secrets anew"
                ) from exc
            return {}

    def _seal(self, account: str, name: str, secrets: Mapping[str, str]) -> bytes:
        return self._connected.vault.seal(account, name, encode_json(dict(secrets)))

    async def _check_unused(self, account: str, name: str) -> None:
        users = await self._definitions.users(
            account, lambda plan: any(node.connection == name for node in plan.calls())
        )
        if users:
            raise Conflict(f"connection {name!r} is named by the workflows {', '.join(users)}")


def document_of(connection: Connection) -> dict[str, Json]:
    """Return a connection as a document; of each secret its hint."""
    return {
        "name": connection.name,
        "integration": connection.integration,
        "default": connection.is_default,
        "values": {**connection.settings, **connection.hints},
    }


def _parted(wanted: WantedConnection) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values that are open, and those that are secret."""
    is_secret = wanted.integration.is_secret
    return (
        {name: value for name, value in wanted.values.items() if not is_secret(name)},
        {name: value for name, value in wanted.values.items() if is_secret(name)},
    )


def _hints(secrets: Mapping[str, str]) -> dict[str, str]:
    return {name: hint_of(secret) for name, secret in secrets.items()}
