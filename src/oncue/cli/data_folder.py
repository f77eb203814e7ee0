"""The data folder, which one process has at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from oncue.cli.remote import CommandError
from oncue.store.disk import refused
from oncue.store.restore import UNFINISHED


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """
    Have a folder alone until the block ends; it is made if it is not there.

    Raises:
        CommandError: it cannot be written, or another process has it.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise CommandError(
            f"expected a folder that can be written at {data}: {exc.strerror}"
        ) from exc
    owner = data / "owner.pid"
    lock = FileLock(data / "lock", blocking=False)
    try:
        lock.acquire()
    except Timeout as exc:
        pid = owner.read_text() if owner.exists() else "unknown"
        raise CommandError(f"the folder {data} is in use by process {pid}") from exc
    except OSError as exc:
        raise CommandError(f"{data}: {refused(exc)}") from exc
    try:
        owner.write_text(str(os.getpid()))
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def check_restored(data: Path) -> None:
    """
    Let nobody work on half of a backup.

    Raises:
        CommandError: a restore into the folder was broken off.
    """
    if (data / UNFINISHED).exists():
        raise CommandError(f"a restore into {data} was broken off: empty it, and restore again")
