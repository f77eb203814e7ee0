"""The disk under the data folder: whether it takes anything, and what it says if not."""

import errno
import os
from pathlib import Path
from typing import Final

from oncue.core.errors import Overloaded

TRIAL_BYTES: Final = 256 << 10
"""What there must be room for: the largest event that is taken by default."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
OF_THE_DISK: Final = _FULL | {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""What a disk says when it takes nothing."""
_FULL_RETRY_S: Final = 10


class FolderDisk:
    """The disk of a folder; writing to it is the only way to know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def trouble(self) -> str | None:
        """Return why nothing can be written now; none if something can."""
        trial = self._folder / f"trial-{os.getpid()}.part"
        try:
            try:
                trial.write_bytes(bytes(TRIAL_BYTES))
            finally:
                trial.unlink(missing_ok=True)
        except OSError as exc:
            return str(refused(exc))
        return None


def refused(error: OSError) -> Overloaded:
    """Return a disk's refusal as something that may pass."""
    if error.errno in _FULL:
        return no_room()
    return Overloaded(f"expected a disk that takes a write, got: {error.strerror or error}")


def no_room() -> Overloaded:
    """Return what a full disk is to those who want to write."""
    return Overloaded("expected room on the disk, got none", retry_after_s=_FULL_RETRY_S)
