"""
Which credentials an action goes with.

The connection that a step names; else the account's default or only one for the
integration; else what the operator set for all of its accounts or the first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import PermanentError
from oncue.core.integration import Integration, Reach
from oncue.core.json_text import parse_json
from oncue.core.problems import nearest
from oncue.engine.access_tokens import AccessTokens
from oncue.engine.known import Known
from oncue.ports import Clock, Connection, Connections, LockedError, Vault

# Whoever looks wants to know whether it is in use, not each use: each would be an fsync.
_NOTED_EACH_MS: Final = 60_000

OfAccount = Callable[[str, str], Mapping[str, str]]
"""From account and integration to values."""


@dataclass(frozen=True, slots=True)
class Operators:
    """
    What the operator's settings give.

    `credentials` are those that an account may use without a connection of its
    own; `endpoints` are where vendors are for it, which a connection inherits.
    """

    credentials: OfAccount
    endpoints: OfAccount


class Connected:
    """The connections of all accounts, as actions use them."""

    def __init__(
        self,
        store: Connections,
        vault: Vault,
        integrations: Mapping[str, Integration],
        operators: Operators,
        reach: Reach,
        clock: Clock,
    ) -> None:
        self.store = store
        self.vault = vault
        self.integrations = integrations
        self.reach = reach
        self._operators = operators
        self._clock = clock
        self._tokens = AccessTokens(reach.send, clock)
        self._known = Known(store.all)
        self._noted_ms: dict[str, int] = {}

    async def all(self, account: str) -> list[Connection]:
        """Return the connections of an account, newest first."""
        return await self._known.of(account)

    def forget(self, account: str) -> None:
        """Read the connections of an account anew when they are needed next."""
        self._known.forget(account)

    async def integrations_by_name(self, account: str) -> dict[str, str]:
        """Return the integration of each connection of an account."""
        return {row.name: row.integration for row in await self.all(account)}

    async def has(self, account: str, integration: str, name: str | None) -> bool:
        """
        Return whether an action would go with a connection.

        Raises:
            PermanentError: with one that it cannot go with, or nobody knows with which.
        """
        chosen = await self._choose(account, integration, name)
        if chosen is not None:
            self._given(account, chosen)
        return chosen is not None

    async def names(self, account: str, integration: str) -> frozenset[str]:
        """
        Return the names of the credentials that an action goes with which names no connection.

        Raises:
            PermanentError: as of `has`.
        """
        chosen = await self._choose(account, integration, None)
        if chosen is None:
            return frozenset(self._operators.credentials(account, integration))
        return frozenset(self._given(account, chosen))

    async def credentials(
        self, account: str, integration: str, name: str | None
    ) -> Mapping[str, str]:
        """
        Return what an action goes with; empty where there is nothing.

        Raises:
            ActionError: there is no such connection, or it cannot be used.
        """
        chosen = await self._choose(account, integration, name)
        if chosen is None:
            return self._operators.credentials(account, integration)
        values = await self.values(account, chosen)
        now = self._clock.now_ms()
        if now - self._noted_ms.get(chosen.id, -_NOTED_EACH_MS) >= _NOTED_EACH_MS:
            self._noted_ms[chosen.id] = now
            await self.store.note_use(account, chosen.id, now)
        return values

    async def budget(self, account: str, integration: str, name: str | None) -> str:
        """
        Return what is the same for all calls that a vendor counts together.

        Raises:
            PermanentError: there is no such connection, or nobody knows which.
        """
        chosen = await self._choose(account, integration, name)
        if chosen is not None:
            return f"{account}/{integration}/{chosen.name}"
        return f"{account}/{integration}"

    async def renew(self, account: str, integration: str, name: str | None) -> bool:
        """Return whether the next credentials hold another access token, since one was refused."""
        chosen = await self._choose(account, integration, name)
        return chosen is not None and self._tokens.drop(_token_key(account, chosen))

    async def values(self, account: str, connection: Connection) -> Mapping[str, str]:
        """
        Return all that a connection gives, with an access token where one has to be fetched.

        Raises:
            ActionError: it lacks something, no key opens it, or there is no token.
        """
        values = self._given(account, connection)
        if self.integrations[connection.integration].refreshes and "refresh_token" in values:
            key = _token_key(account, connection)
            return {**values, "token": await self._tokens.token(key, values)}
        return values

    def secrets(self, account: str, connection: Connection) -> dict[str, str]:
        """
        Return the secrets of a connection.

        Raises:
            LockedError: no key opens it.
        """
        opened = parse_json(self.vault.open(account, connection.name, connection.sealed))
        assert isinstance(opened, Mapping)
        return {name: str(value) for name, value in opened.items()}

    def _given(self, account: str, connection: Connection) -> dict[str, str]:
        integration = self.integrations.get(connection.integration)
        if integration is None:
            raise PermanentError(f"no integration {connection.integration!r} any more")
        try:
            secrets = self.secrets(account, connection)
        except LockedError as exc:
            raise PermanentError(f"connection {connection.name!r} cannot be opened: {exc}") from exc
        inherited = self._operators.endpoints(account, connection.integration)
        values = {
            **{one.name: one.default for one in integration.credentials if one.default},
            **{
                one.name: inherited[one.name]
                for one in integration.credentials
                if one.is_inherited and one.name in inherited
            },
            **connection.settings,
            **secrets,
        }
        if lack := integration.lacks(values):
            raise PermanentError(f"connection {connection.name!r} lacks {lack}")
        return values

    async def _choose(self, account: str, integration: str, name: str | None) -> Connection | None:
        rows = await self.all(account)
        if name is not None:
            return _named(rows, integration, name)
        fitting = [row for row in rows if row.integration == integration]
        for row in fitting:
            if row.is_default:
                return row
        known = self.integrations.get(integration)
        if not fitting or known is None or known.has_own:
            return None
        if len(fitting) > 1:
            names = ", ".join(sorted(row.name for row in fitting))
            raise PermanentError(
                f"several connections for {integration}: name one of {names}, or make one the default"
            )
        return fitting[0]


def _token_key(account: str, connection: Connection) -> str:
    # By version, so that a changed secret does not live on in its token.
    return f"{account}/{connection.id}/{connection.version}"


def _named(rows: list[Connection], integration: str, name: str) -> Connection:
    for row in rows:
        if row.name == name:
            if row.integration != integration:
                raise PermanentError(
                    f"expected a connection for {integration}, "
                    f"got {name!r}, which is for {row.integration}"
                )
            return row
    raise PermanentError(f"no connection {name!r}{nearest(name, [row.name for row in rows])}")
