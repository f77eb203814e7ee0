"""
A data folder from a backup.

All is written into a folder of its own inside the data folder, held against the
manifest, and only then moved to its place; `oncue up` refuses a data folder in which
that folder is left.
"""

import hashlib
import os
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from oncue.core.errors import InvalidInput, NewerFormat, Problem
from oncue.store.backup import (
    ENCRYPTION_KEY,
    FORMAT,
    MANIFEST,
    Manifest,
    Member,
    is_part,
)
from oncue.store.formats import check_formats
from oncue.store.sqlite.segments import last_offsets

UNFINISHED: Final = "restoring"
"""The folder of a restore that is not finished."""
# What may lie in a folder that is restored into: of the file system, of the lock, and settings.
_NO_DATA: Final = frozenset(
    {"lost+found", "lock", "owner.pid", "config.toml", ENCRYPTION_KEY, UNFINISHED}
)
_NEEDED: Final = frozenset({"journal.db", "catalog.db", "kv.db"})
_BLOCK: Final = 1 << 20
_READ_AGAIN: Final = (
    "UPDATE pattern_version SET seen_from = NULL WHERE account = ? AND seen_from > ?"
)


def check_empty(data: Path) -> None:
    """
    Let nothing be mixed with what is there.

    Raises:
        InvalidInput: the folder holds something.
    """
    found = sorted({path.name for path in data.iterdir()} - _NO_DATA) if data.exists() else []
    if found:
        raise InvalidInput([Problem(str(data), f"expected an empty folder, got {found[0]} in it")])


def restore_backup(source: IO[bytes], data: Path) -> Manifest:
    """
    Make the data folder that a backup was taken of, and return the manifest.

    Raises:
        InvalidInput: it is no backup, not whole, or was changed.
        NewerFormat: a newer OnCue made it.
    """
    unfinished = data / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    try:
        manifest = _unpack(source, unfinished)
        _check_key(unfinished / ENCRYPTION_KEY, data / ENCRYPTION_KEY)
        check_formats(unfinished)
        _tell_again(unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    for path in unfinished.iterdir():
        path.rename(data / path.name)
    _sync_folder(data)
    unfinished.rmdir()
    return manifest


def _unpack(source: IO[bytes], folder: Path) -> Manifest:
    found: list[Member] = []
    with _cut_off(), tarfile.open(fileobj=source, mode="r|gz") as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if entry.name == MANIFEST and content:
                return _checked(content.read(), found)
            if content is None or not is_part(entry.name):
                raise _not_ours(f"got {entry.name!r} in it")
            found.append(_write(content, folder, entry.name))
    raise _not_ours("it ends early")


def _write(content: IO[bytes], folder: Path, place: str) -> Member:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        while block := content.read(_BLOCK):
            file.write(block)
            digest.update(block)
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    return Member(place, size, digest.hexdigest())


def _checked(text: bytes, found: list[Member]) -> Manifest:
    head = msgspec.json.decode(text, type=dict[str, object])
    number = head.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise NewerFormat("the backup", number, FORMAT)
    manifest = msgspec.json.decode(text, type=Manifest)
    told = {member.path: member for member in manifest.files}
    for member in found:
        if told.pop(member.path, None) != member:
            raise _not_ours(f"{member.path} is not what the manifest says")
    missing = [*told, *_NEEDED.difference(member.path for member in found)]
    if missing:
        raise _not_ours(f"{missing[0]} is not in it")
    return manifest


@contextmanager
def _cut_off() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, msgspec.MsgspecError) as exc:
        raise _not_ours(str(exc)) from exc


def _not_ours(why: str) -> InvalidInput:
    return InvalidInput([Problem("backup", f"expected a whole backup of OnCue: {why}")])


def _check_key(brought: Path, there: Path) -> None:
    if brought.exists() and there.exists() and brought.read_bytes() != there.read_bytes():
        message = "expected no key there, or the one of the backup, got another one"
        raise InvalidInput([Problem(str(there), message)])


def _tell_again(folder: Path) -> None:
    """Let the next start append the changes of patterns that the catalog has and the log has not."""
    offsets = last_offsets(folder / "log")
    with closing(sqlite3.connect(folder / "catalog.db")) as connection, connection:
        accounts = connection.execute("SELECT DISTINCT account FROM pattern_version").fetchall()
        for (account,) in accounts:
            connection.execute(_READ_AGAIN, (account, offsets.get(account, 0)))


def _sync_folder(folder: Path) -> None:
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
