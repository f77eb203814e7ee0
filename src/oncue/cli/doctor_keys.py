"""What `oncue doctor` says of encryption: the keys, and what they open."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oncue.cli.findings import Finding, Verdict
from oncue.core.encryption_keys import EncryptionKey
from oncue.core.errors import InvalidInput
from oncue.engine.hook_secrets import place_of_hook
from oncue.engine.kept_secrets import place_of
from oncue.ports import LockedError
from oncue.settings import Environment, Settings
from oncue.store.vault import AesVault
from oncue.vault_keys import known_keys

_SUBJECT = "encryption"


def look_at_keys(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the keys, and with what they should open."""
    try:
        keys = known_keys(settings)
    except InvalidInput as exc:
        for problem in exc.problems:
            found = f"{problem.path}: {problem.message}"
            yield Finding(_SUBJECT, Verdict.WRONG, found, "put the key back that was there")
        return
    if not settings.encryption_key and settings.environment is Environment.PRODUCTION:
        remedy = "set it: openssl rand -base64 32"
        found = "no ENCRYPTION_KEY, and ENVIRONMENT=production: `oncue up` will not start"
        yield Finding(_SUBJECT, Verdict.WRONG, found, remedy)
    path = settings.data / "catalog.db"
    rows = [row for kind, query in _QUERIES.items() for row in _rows(path, kind, query)]
    yield from _sealed(rows, keys)


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    account: str
    name: str
    id: str
    sealed: bytes

    @property
    def place(self) -> str:
        match self.kind:
            case "secret":
                return place_of(self.name)
            case "hook":
                return place_of_hook(self.id)
            case _:
                return self.name


_QUERIES: Final = {
    "connection": "SELECT account, name, id, sealed FROM connection",
    "secret": "SELECT account, name, '', sealed FROM secret WHERE sealed IS NOT NULL",
    "hook": "SELECT account, name, id, sealed FROM hook",
}


def _sealed(rows: Sequence[_Row], keys: Sequence[EncryptionKey]) -> Iterator[Finding]:
    locked = [(row, why) for row in rows if (why := _why_locked(row, keys))]
    for row, why in locked:
        remedy = f"add the key to the end of ENCRYPTION_KEY, or give the {row.kind} anew"
        found = f"{row.kind} {row.name!r} of {row.account} cannot be opened: {why}"
        yield Finding(_SUBJECT, Verdict.WRONG, found, remedy)
    if not rows or locked:
        return
    stale = sum(not AesVault(keys).is_current(row.sealed) for row in rows)
    kinds = " and ".join(
        f"{count} {kind}{'' if count == 1 else 's'}"
        for kind in _QUERIES
        if (count := sum(row.kind == kind for row in rows))
    )
    if stale:
        found = f"{stale} of {kinds} wait for `oncue secrets rotate`"
        yield Finding(_SUBJECT, Verdict.NOTE, found, "run it before a key is taken away")
    else:
        yield Finding(_SUBJECT, Verdict.GOOD, f"the first key opens {kinds}")


def _why_locked(row: _Row, keys: Sequence[EncryptionKey]) -> str | None:
    if not keys:
        return "there is no key"
    try:
        AesVault(keys).open(row.account, row.place, row.sealed)
    except LockedError as exc:
        return str(exc)
    return None


def _rows(path: Path, kind: str, query: str) -> list[_Row]:
    if not path.exists():
        return []
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            rows = connection.execute(query)
            return [_Row(kind, of, name, id_, sealed) for of, name, id_, sealed in rows]
        finally:
            connection.close()
    except sqlite3.Error:
        # The file itself is looked at elsewhere; an older one has no such table.
        return []
