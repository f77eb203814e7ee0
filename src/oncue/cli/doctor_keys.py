"""What `oncue doctor` says of encryption: the keys, and what they open."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from oncue.cli.findings import Finding, Verdict
from oncue.core.encryption_keys import EncryptionKey
from oncue.core.errors import InvalidInput
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
    yield from _connections(settings.data / "catalog.db", keys)


def _connections(path: Path, keys: Sequence[EncryptionKey]) -> Iterator[Finding]:
    rows = _rows(path)
    locked = [(row, why) for row in rows if (why := _why_locked(row, keys))]
    for (account, name, _), why in locked:
        remedy = "add the key to the end of ENCRYPTION_KEY, or give the connection's secrets anew"
        found = f"connection {name!r} of {account} cannot be opened: {why}"
        yield Finding(_SUBJECT, Verdict.WRONG, found, remedy)
    if rows and not locked:
        stale = sum(not AesVault(keys).is_current(sealed) for *_, sealed in rows)
        if stale:
            found = f"{stale} of {len(rows)} connections wait for `oncue connections rotate`"
            yield Finding(_SUBJECT, Verdict.NOTE, found, "run it before a key is taken away")
        else:
            yield Finding(_SUBJECT, Verdict.GOOD, f"the first key opens {len(rows)} connections")


def _why_locked(row: tuple[str, str, bytes], keys: Sequence[EncryptionKey]) -> str | None:
    account, name, sealed = row
    if not keys:
        return "there is no key"
    try:
        AesVault(keys).open(account, name, sealed)
    except LockedError as exc:
        return str(exc)
    return None


def _rows(path: Path) -> list[tuple[str, str, bytes]]:
    if not path.exists():
        return []
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT account, name, sealed FROM connection")
            return [(str(account), str(name), bytes(sealed)) for account, name, sealed in rows]
        finally:
            connection.close()
    except sqlite3.Error:
        # The file itself is looked at elsewhere; an older one has no such table.
        return []
