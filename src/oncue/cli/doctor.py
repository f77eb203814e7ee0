"""The command that looks for what is wrong with an installation."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from oncue import __version__
from oncue.actions.packages import available
from oncue.cli.doctor_alerts import look_at_alerts
from oncue.cli.doctor_archive import look_at_archive
from oncue.cli.doctor_hooks import look_at_hooks
from oncue.cli.doctor_keys import look_at_keys
from oncue.cli.findings import Finding, Verdict
from oncue.cli.output import AsJson, print_json
from oncue.cli.remote import out
from oncue.core.errors import InvalidInput, MalformedJson, NewerFormat
from oncue.core.json_text import Json, parse_json
from oncue.settings import Settings, load_settings, unknown_settings
from oncue.store.disk import FolderDisk
from oncue.store.formats import check_formats
from oncue.system import SystemClock

_PRIVATE: Final = ("admin-key", "demo-key", "encryption.key", "signing.key")
_FREE_BYTES: Final = 1 << 30
_FSYNCS: Final = 20
_SLOW_FSYNC_MS: Final = 20
_PATIENCE_S: Final = 5


def doctor(*, data: Path | None = None, as_json: AsJson = False) -> int:
    """
    Look for what is wrong with this installation, and say how to mend it.

    Parameters
    ----------
    data
        The data folder (default that of `oncue up`).
    as_json
        Print JSON.
    """
    findings = [*_look(data)]
    is_wrong = any(finding.verdict is Verdict.WRONG for finding in findings)
    if as_json:
        print_json([_shown(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    return 1 if is_wrong else 0


def _look(data: Path | None) -> Iterator[Finding]:
    yield Finding("version", Verdict.GOOD, f"OnCue {__version__}, SQLite {sqlite3.sqlite_version}")
    try:
        settings = load_settings({"data": data})
    except InvalidInput as exc:
        for problem in exc.problems:
            found = f"{problem.path}: {problem.message}"
            yield Finding("settings", Verdict.WRONG, found, f"mend {problem.path}")
        return
    for name in unknown_settings(os.environ, settings.data):
        yield Finding("settings", Verdict.WRONG, name, "unset it, or set the one that is meant")
    yield from _folder(settings.data)
    yield _server(settings.data)
    yield from look_at_keys(settings)
    yield from look_at_hooks(settings)
    yield from look_at_alerts(settings)
    yield from look_at_archive(settings)
    yield from _vendors(settings)
    yield from _packages()


def _packages() -> Iterator[Finding]:
    found = available()
    for package in found.packages:
        names = ", ".join(action.name for action in package.actions)
        yield Finding("packages", Verdict.GOOD, f"{package.name} adds {names}")
    for action in found.actions:
        if action.obstacle:
            yield Finding("actions", Verdict.NOTE, f"{action.name} cannot go", action.obstacle)
    for refused in found.refused:
        remedy = "its actions are not there: install a version that is right, or uninstall it"
        yield Finding("packages", Verdict.WRONG, str(refused), remedy)


def _folder(data: Path) -> Iterator[Finding]:
    if not data.is_dir():
        yield Finding("data", Verdict.NOTE, f"no folder {data}", "`oncue up` makes it")
        return
    if not os.access(data, os.W_OK):
        remedy = f"give its owner the right to write: chmod u+w {data}"
        yield Finding("data", Verdict.WRONG, f"{data} cannot be written", remedy)
        return
    free = shutil.disk_usage(data).free
    is_low = free < _FREE_BYTES
    yield Finding(
        "disk",
        Verdict.WRONG if is_low else Verdict.GOOD,
        f"{free / _FREE_BYTES:.1f} GiB are free at {data}",
        "make room: without it events are refused (503)" if is_low else "",
    )
    if trouble := FolderDisk(data).trouble():
        remedy = "make room, or mount it for writing: OnCue then goes on by itself"
        yield Finding("disk", Verdict.WRONG, f"{data}: {trouble}", remedy)
        return
    yield _fsync(data)
    for name in _PRIVATE:
        path = data / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            found = f"others may read {path}"
            yield Finding("secrets", Verdict.WRONG, found, f"chmod 600 {path}")
    yield from _formats(data)
    for path in sorted([*data.glob("*.db"), *(data / "log").glob("*.db")]):
        yield from _database(path)


def _formats(data: Path) -> Iterator[Finding]:
    try:
        check_formats(data)
    except NewerFormat as exc:
        remedy = "start the newer version, or restore a backup into an empty folder"
        yield Finding("format", Verdict.WRONG, str(exc), remedy)
    except (sqlite3.Error, SQLAlchemyError):
        # What is no database is told below.
        return


def _fsync(data: Path) -> Finding:
    clock = SystemClock()
    path = data / f"doctor-{os.getpid()}"
    began_ms = clock.now_ms()
    try:
        with path.open("wb", buffering=0) as file:
            for _ in range(_FSYNCS):
                file.write(b"x" * 4_096)
                os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
    each_ms = (clock.now_ms() - began_ms) / _FSYNCS
    if each_ms > _SLOW_FSYNC_MS:
        remedy = "every answer waits for one: use a faster disk"
        return Finding("fsync", Verdict.NOTE, f"{each_ms:.1f} ms each", remedy)
    return Finding("fsync", Verdict.GOOD, f"{each_ms:.1f} ms each")


def _database(path: Path) -> Iterator[Finding]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as exc:
        found = str(exc)
    if found != "ok":
        remedy = "stop OnCue, and put the last backup of the data folder in its place"
        yield Finding("database", Verdict.WRONG, f"{path}: {found}", remedy)


def _server(data: Path) -> Finding:
    file = data / "server.json"
    try:
        told = parse_json(file.read_bytes())
        assert isinstance(told, dict)
    except (OSError, MalformedJson):
        return Finding("server", Verdict.NOTE, "not running on this folder", "start `oncue up`")
    url = str(told["url"])
    problem = asyncio.run(_ask(url))
    if problem is None:
        return Finding("server", Verdict.GOOD, f"answers at {url}, process {told['pid']}")
    remedy = f"see whether process {told['pid']} lives; start `oncue up` if it does not"
    return Finding("server", Verdict.WRONG, f"{url}: {problem}", remedy)


async def _ask(url: str) -> str | None:
    """Return what is wrong with a server; nothing, if it is ready."""
    patience = aiohttp.ClientTimeout(total=_PATIENCE_S)
    try:
        async with (
            aiohttp.ClientSession(url, timeout=patience, trust_env=False) as session,
            session.get("/ready") as answer,
        ):
            return None if answer.status == 200 else f"answered {answer.status}"
    except TimeoutError:
        return f"no answer within {_PATIENCE_S} s"
    except aiohttp.ClientError as exc:
        return str(exc)


def _vendors(settings: Settings) -> Iterator[Finding]:
    # What has no setting is for connections to give, which each account has its own of.
    needing = {one.integration: one for one in available().actions if one.remedy}
    for integration, action in needing.items():
        if action.is_ready(settings.credentials(integration)):
            yield Finding("vendors", Verdict.GOOD, f"{integration} is connected")
        else:
            remedy = f"set {action.remedy} if workflows should call it"
            yield Finding("vendors", Verdict.NOTE, f"{integration} is not connected", remedy)


_MARKS: Final = {
    Verdict.GOOD: "[green]✓[/green]",
    Verdict.NOTE: "[yellow]·[/yellow]",
    Verdict.WRONG: "[red]✗[/red]",
}


def _print(finding: Finding) -> None:
    out.print(_MARKS[finding.verdict], end=" ")
    out.print(f"{finding.subject}: {finding.found}", markup=False)
    if finding.remedy:
        out.print(f"    {finding.remedy}", markup=False)


def _shown(finding: Finding) -> Json:
    return {
        "subject": finding.subject,
        "verdict": finding.verdict.value,
        "found": finding.found,
        "remedy": finding.remedy,
    }
