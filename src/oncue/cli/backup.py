"""Commands that keep a data folder elsewhere, and make one again."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

import msgspec
from cyclopts import Parameter

from oncue import __version__
from oncue.cli.data_folder import locked
from oncue.cli.output import AsJson, print_json
from oncue.cli.remote import CommandError, err, out
from oncue.core.instants import format_instant
from oncue.settings import load_settings
from oncue.store.backup import Manifest, write_backup
from oncue.store.restore import check_empty, restore_backup
from oncue.system import SystemClock
from oncue.vault_keys import known_keys

_STREAM = "-"

BackupFile = Annotated[str, Parameter(allow_leading_hyphen=True)]
DataFolder = Annotated[Path | None, Parameter(name="--data")]


def backup(
    file: BackupFile,
    /,
    *,
    data: DataFolder = None,
    with_key: Annotated[bool, Parameter(negative="")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Write all data to one file; OnCue may run meanwhile.

    Secrets stay encrypted. Settings, and keys that lie in clear in the data folder, are left out.

    Parameters
    ----------
    file
        Where to; `-` is the standard output. One that is there is not replaced.
    data
        The data folder (default that of `oncue up`).
    with_key
        Also the key that encrypts, `encryption.key`: whoever has the file then has all secrets.
    """
    folder = load_settings({"data": data}).data
    made_at = format_instant(SystemClock().now_ms())
    # Where the backup goes there is room; a pipe has none.
    scratch = folder if file == _STREAM else Path(file).absolute().parent
    try:
        with _written(file) as target:
            manifest = write_backup(
                folder, target, scratch, version=__version__, created_at=made_at, with_key=with_key
            )
    except OSError as exc:
        raise CommandError(f"the backup was not written: {exc}") from exc
    _tell(manifest, as_json=as_json, is_quiet=file == _STREAM)


def restore(file: BackupFile, /, *, data: DataFolder = None, as_json: AsJson = False) -> None:
    """
    Make a data folder from a backup.

    Parameters
    ----------
    file
        A file of `oncue backup`; `-` is the standard input.
    data
        The folder to make (default that of `oncue up`): empty, or not there.
    """
    settings = load_settings({"data": data})
    folder = settings.data
    try:
        with locked(folder), _read(file) as source:
            check_empty(folder)
            manifest = restore_backup(source, folder)
    except OSError as exc:
        raise CommandError(f"nothing was restored: {exc}") from exc
    _tell(manifest, as_json=as_json, is_quiet=False)
    known = {key.id.hex() for key in known_keys(settings)}
    for key in manifest.encryption_keys:
        if key not in known:
            err.print(
                f"[yellow]warning:[/yellow] secrets are encrypted under the key {key}, which is not"
                f" here: put it into ENCRYPTION_KEY, or its file to {folder / 'encryption.key'}"
            )


@contextlib.contextmanager
def _written(file: str) -> Iterator[IO[bytes]]:
    """Give what to write to; the file has its name once all is durable."""
    if file == _STREAM:
        yield sys.stdout.buffer
        return
    path = Path(file)
    if path.exists():
        raise CommandError(f"expected a file that is not there yet, got {path}")
    unfinished = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _read(file: str) -> Iterator[IO[bytes]]:
    if file == _STREAM:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as source:
        yield source


def _tell(manifest: Manifest, *, as_json: bool, is_quiet: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(manifest))
    elif not is_quiet:
        counts = ", ".join(f"{count} {name}" for name, count in manifest.counts.items())
        size = sum(member.size for member in manifest.files)
        out.print(f"{manifest.created_at}: {counts}; {size / (1 << 20):.1f} MiB")
        if manifest.encryption_keys:
            out.print(f"secrets need the key {', '.join(manifest.encryption_keys)}")
