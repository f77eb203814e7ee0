"""
The archive in a bucket: of S3, R2, MinIO and their like.

Files are written and read on this machine, in a folder that holds those which were
used last; it may be deleted at any time while nothing runs.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, S3Store

from oncue.core.errors import Overloaded
from oncue.store.archive.places import PART
from oncue.store.disk import refused

CACHE_BYTES: Final = 4 << 30
"""What the files on this machine take together, as far as they are not in use."""
_IN_USE_S: Final = 600


class BucketPlace:
    """A bucket, or a part of it below a prefix."""

    def __init__(self, store: ObjectStore, folder: Path, max_bytes: int = CACHE_BYTES) -> None:
        self._store = store
        self._folder = folder
        self._max_bytes = max_bytes
        self._fetches = count()

    def begin(self, name: str) -> Path:
        """Return where a file is to be written that will have a name."""
        path = self._folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise refused(exc) from exc
        return path.with_name(path.name + PART)

    async def take(self, name: str) -> None:
        """Return once the file that was written is in the bucket."""
        part = self.begin(name)
        with _told():
            await obstore.put_async(self._store, name, part)
        await asyncio.to_thread(part.replace, self._folder / name)

    async def local(self, names: Sequence[str]) -> list[Path]:
        """Return where files can be read, for ten minutes at least."""
        for name in names:
            if not await asyncio.to_thread(_used, self._folder / name):
                await self._fetch(name)
        await asyncio.to_thread(self._trim)
        return [self._folder / name for name in names]

    async def delete(self, name: str) -> None:
        """Delete a file, or what was written of it."""
        path = self.begin(name)
        with _told(), suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self._store, name)
        await asyncio.to_thread(path.unlink, missing_ok=True)
        await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)

    def has(self, name: str) -> bool:  # noqa: ARG002 a bucket is not asked for each at the start
        """Return whether a file is there, as far as is known."""
        return True

    async def _fetch(self, name: str) -> None:
        # Of several who want it at once each has a file of its own; the last one's stays.
        part = self.begin(f"{name}.{next(self._fetches)}")
        with _told():
            content = await (await obstore.get_async(self._store, name)).bytes_async()
        await asyncio.to_thread(part.write_bytes, content)
        await asyncio.to_thread(part.replace, self._folder / name)

    def _trim(self) -> None:
        found = [(path.stat(), path) for path in self._folder.rglob("*.parquet")]
        total = sum(known.st_size for known, _ in found)
        # What was asked for just now is the newest.
        idle = max((known.st_mtime for known, _ in found), default=0) - _IN_USE_S
        for known, path in sorted(found, key=lambda one: one[0].st_mtime):
            if total <= self._max_bytes or known.st_mtime > idle:
                return
            path.unlink(missing_ok=True)
            total -= known.st_size


def bucket_place(
    bucket: str,
    prefix: str,
    credentials: Mapping[str, str],
    folder: Path,
    max_bytes: int = CACHE_BYTES,
) -> BucketPlace:
    """Return the place in a bucket; `credentials` are the settings of the S3."""
    region = credentials.get("region", "us-east-1")
    store = S3Store(
        bucket,
        prefix=prefix or None,
        region=region,
        endpoint=credentials.get("endpoint", f"https://s3.{region}.amazonaws.com"),
        access_key_id=credentials.get("access_key", ""),
        secret_access_key=credentials.get("secret_key", ""),
        client_options={"allow_http": True},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
    )
    return BucketPlace(store, folder, max_bytes)


def _used(path: Path) -> bool:
    """Return whether a file is there, and let it stay for a while."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as exc:
        why = str(exc).partition("\n")[0]
        raise Overloaded(f"expected the bucket of the archive to answer, got: {why}") from exc
