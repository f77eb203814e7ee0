"""What each account keeps in files of its own: a database for its SQL, and objects."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from oncue.core.json_text import encode_json, parse_json
from oncue.core.objects import StoredObject
from oncue.core.statements import Rows, Statement
from oncue.store.databases import AccountDatabases
from oncue.store.disk import refused


@dataclass(frozen=True, slots=True)
class AccountFiles:
    """
    Two folders. Objects lie under hashes of their keys: no key can lead out of
    its account's folder, and no two that differ in case alone meet.
    """

    folder: Path

    async def query(self, account: str, statement: Statement) -> Rows:
        """
        Return what a statement on the account's database gave.

        Raises:
            ActionError: it is wrong, may not do what it wants, or somebody else is writing.
        """
        return await AccountDatabases(self.folder / "databases").query(account, statement)

    async def put_object(self, account: str, key: str, content: bytes, content_type: str) -> str:
        """
        Return the tag of the object that stands under a key from now on.

        Raises:
            Overloaded: the disk is full, or takes nothing.
        """
        etag = hashlib.sha256(content).hexdigest()
        header = encode_json({"key": key, "content_type": content_type, "etag": etag})
        path = self._path(account, key)
        await asyncio.to_thread(_write, path, header + b"\n" + content)
        return etag

    async def get_object(self, account: str, key: str) -> StoredObject | None:
        """Return what stands under a key, if anything does."""
        try:
            stored = await asyncio.to_thread(self._path(account, key).read_bytes)
        except FileNotFoundError:
            return None
        header, _, content = stored.partition(b"\n")
        match parse_json(header):
            case {"content_type": str(content_type), "etag": str(etag)}:
                return StoredObject(content, content_type, etag)
            case other:
                raise ValueError(f"expected the header of an object, got {other!r}")

    def _path(self, account: str, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / "objects" / account / name


def _write(path: Path, content: bytes) -> None:
    # Of several writers at once each has a file of its own; the last one's stays.
    half = path.with_name(f"{path.name}.{os.getpid()}.{id(content)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as exc:
        half.unlink(missing_ok=True)
        raise refused(exc) from exc
