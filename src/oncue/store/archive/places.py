"""Where the files of the archive lie: a folder."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from oncue.store.disk import refused

PART: Final = ".part"


class FolderPlace:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str) -> Path:
        """Return where a file is to be written that will have a name."""
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise refused(exc) from exc
        return path.with_name(path.name + PART)

    async def take(self, name: str) -> None:
        """Return once the file that was written, and synced, has its name for good."""
        await asyncio.to_thread(self._take, name)

    async def local(self, names: Sequence[str]) -> list[Path]:
        """Return where files can be read."""
        return [self._path(name) for name in names]

    async def delete(self, name: str) -> None:
        """Delete a file, or what was written of it."""
        path = self._path(name)
        for one in (path, path.with_name(path.name + PART)):
            with suppress(FileNotFoundError, NotADirectoryError):
                one.unlink()

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        return self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self._folder / name

    def _take(self, name: str) -> None:
        path = self._path(name)
        try:
            path.with_name(path.name + PART).replace(path)
            for folder in (path.parent, self._folder, self._folder.parent):
                _sync(folder)
        except OSError as exc:
            raise refused(exc) from exc


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
