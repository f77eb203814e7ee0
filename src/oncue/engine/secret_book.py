"""Secrets: kept, changed and forgotten."""

from collections.abc import Collection
from dataclasses import replace

from oncue.core.json_text import Json
from oncue.core.named_values import SecretDocument, parse_secret
from oncue.core.workflow.plan import Plan
from oncue.engine.definitions import Definitions
from oncue.engine.kept_secrets import KeptSecrets
from oncue.engine.named_value_book import NamedValueBook
from oncue.ports import Clock, LockedError, Secret


class SecretBook(NamedValueBook[Secret, SecretDocument]):
    """The secrets of all accounts, as people see them; a value may be given later."""

    def __init__(self, kept: KeptSecrets, definitions: Definitions, clock: Clock) -> None:
        super().__init__("secret", kept.store, definitions, parse_secret)
        self._kept = kept
        self._clock = clock

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

    def document_of(self, row: Secret) -> dict[str, Json]:
        """Return a secret without its value, which stays where none is given."""
        return {"name": row.name, "description": row.description}

    def names_in(self, plan: Plan) -> Collection[str]:
        """Return the secrets that a workflow reads."""
        return plan.secrets

    def forget(self, account: str) -> None:
        """Read the secrets of an account anew when they are needed next."""
        self._kept.forget(account)

    def trouble(self, account: str, secret: Secret) -> str | None:
        """Return why calls cannot have a secret, if they cannot."""
        return self._kept.trouble(account, {secret.name: secret}, secret.name)

    def _value(self, account: str, secret: Secret) -> str | None:
        try:
            return None if secret.sealed is None else self._kept.open(account, secret)
        except LockedError:
            return None
