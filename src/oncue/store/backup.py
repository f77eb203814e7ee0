"""
A backup: all that a data folder holds in one file, taken while OnCue runs on the folder.

    checkpoints/…  journal.db  log/…  archive.db  archive/…  catalog.db  kv.db  accounts/…  signing.key  manifest.json

It is a tar under gzip. Each database is copied as it was at one instant, one after the
other, and the order makes them fit: what a file refers to is in a file that is copied
later. A checkpoint is never ahead of the journal, the journal never ahead of the log,
and no record names a version that the catalog lacks. What the log knows and the journal
does not is matched anew after a restore, under the same ids.

The manifest comes last, so that a file without one is known to be cut off.
"""

import gzip
import hashlib
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Final

import msgspec
import sqlalchemy as sa

from oncue.core.errors import InvalidInput, Problem
from oncue.store.sql.tables import metadata
from oncue.store.sqlite.copies import copy_database
from oncue.store.vault import key_id_of

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
ENCRYPTION_KEY: Final = "encryption.key"
DATABASES: Final = ".db"
# Ordered: see above.
PARTS: Final = (
    "checkpoints/*/*.jsonl",
    "journal.db",
    "log/*.db",
    "log/*.filter",
    "archive.db",
    "archive/*/*.parquet",
    "catalog.db",
    "kv.db",
    "accounts/databases/*.db",
    f"accounts/objects/*/{'[0-9a-f]' * 64}",
    "signing.key",
)
_SCRATCH: Final = "oncue-backup-"
LEFT_OUT: Final = (
    # Of the process that runs, and of the machine.
    "lock", "owner.pid", "server.json", "config.toml",
    # Secrets in clear: another key is made at the next start, or is asked for by `with_key`.
    "admin-key", "demo-key", ENCRYPTION_KEY,
    # What databases have beside them while they are open, and what is being written.
    "*.db-wal", "*.db-shm", "*.db-journal", "*.part",
    "before-upgrade/*", "archive-cache/*", f"{_SCRATCH}*",
)  # fmt: skip
_COUNTS: Final = {
    "journal.db": (
        ("executions", "SELECT count(account) FROM execution"),
        ("open executions", "SELECT count(account) FROM execution WHERE finished_at IS NULL"),
    ),
    "catalog.db": (
        ("accounts", "SELECT count(id) FROM account"),
        ("workflows", "SELECT count(account) FROM workflow WHERE deleted_at IS NULL"),
        ("patterns", "SELECT count(account) FROM pattern WHERE deleted_at IS NULL"),
    ),
    "archive.db": (
        (
            "archived events",
            "SELECT coalesce(sum(events), 0) FROM file WHERE state = 1 AND account <> ''",
        ),
    ),
    "log": (("events", "SELECT count(account) FROM record WHERE kind = 0"),),
}
# Most of it is text; higher levels take twice the time for a tenth of the size.
_COMPRESSION: Final = 4


class Member(msgspec.Struct, frozen=True):
    """A file of the backup."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds, and what it needs."""

    format: int
    version: str
    created_at: str
    files: list[Member]
    counts: dict[str, int]
    encryption_keys: list[str]
    """Ids of the keys that secrets in it were encrypted with."""


def write_backup(
    data: Path, out: IO[bytes], scratch: Path, *, version: str, created_at: str, with_key: bool
) -> Manifest:
    """
    Write a backup of a data folder, and return its manifest; `scratch` is a folder for copies.

    Raises:
        InvalidInput: there is no data of OnCue in that folder.
    """
    if not (data / "catalog.db").exists():
        raise InvalidInput([Problem(str(data), "expected a data folder of OnCue, got none")])
    writer = _Writer(data)
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
        TemporaryDirectory(prefix=_SCRATCH, dir=scratch) as folder,
    ):
        for place in _places(data, with_key=with_key):
            writer.add(tar, place, Path(folder) / "copy.db")
        manifest = Manifest(
            FORMAT, version, created_at, writer.files, writer.counts, sorted(writer.keys)
        )
        text = Path(folder) / MANIFEST
        text.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        _add(tar, MANIFEST, text)
    return manifest


def is_part(place: str) -> bool:
    """Return whether a backup may hold a file of that place."""
    path = PurePosixPath(place)
    return ".." not in path.parts and any(
        path.match(part) and len(path.parts) == len(PurePosixPath(part).parts)
        for part in (*PARTS, ENCRYPTION_KEY)
    )


def _places(data: Path, *, with_key: bool) -> Iterator[str]:
    # Each glob is looked at when its turn has come: what came since is copied, too.
    for part in (*PARTS, ENCRYPTION_KEY) if with_key else PARTS:
        for path in sorted(data.glob(part)):
            yield path.relative_to(data).as_posix()


class _Writer:
    """What was written so far."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.files: list[Member] = []
        self.counts: dict[str, int] = {}
        self.keys: set[str] = set()

    def add(self, tar: tarfile.TarFile, place: str, copy: Path) -> None:
        """Add a file, or the copy of a database; one that is gone meanwhile is passed over."""
        path = self._data / place
        try:
            if path.suffix == DATABASES:
                copy_database(path, copy)
                self._count(place, copy)
                self.files.append(_add(tar, place, copy))
            else:
                self.files.append(_add(tar, place, path))
        except (FileNotFoundError, sqlite3.OperationalError):
            # Retention deletes segments, and a newer checkpoint replaces an older one.
            if path.exists():
                raise

    def _count(self, place: str, copy: Path) -> None:
        for name, select in _COUNTS.get(place, _COUNTS.get(place.partition("/")[0], ())):
            with closing(sqlite3.connect(copy)) as connection:
                (count,) = connection.execute(select).fetchone()
            self.counts[name] = self.counts.get(name, 0) + count
        if place == "catalog.db":
            self.keys |= _keys_in(copy)


def _keys_in(catalog: Path) -> set[str]:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(catalog)))
    try:
        with engine.connect() as connection:
            there = sa.inspect(connection).get_table_names()
            sealed = [
                column
                for table in metadata.sorted_tables
                if table.name in there
                for column in table.columns
                if column.name == "sealed"
            ]
            return {
                key_id_of(row[0])
                for column in sealed
                for row in connection.execute(sa.select(column).where(column.is_not(None)))
            }
    finally:
        engine.dispose()


def _add(tar: tarfile.TarFile, place: str, path: Path) -> Member:
    with path.open("rb") as file:
        entry = tarfile.TarInfo(place)
        entry.size = os.fstat(file.fileno()).st_size
        entry.mode = 0o600
        hashed = HashedFile(file)
        tar.addfile(entry, hashed)
    return Member(place, entry.size, hashed.hexdigest())


class HashedFile:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        content = self._file.read(size)
        self._hash.update(content)
        return content

    def hexdigest(self) -> str:
        """Return the SHA-256 of what was read."""
        return self._hash.hexdigest()
