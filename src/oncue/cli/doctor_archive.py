"""What `oncue doctor` says of the archive: what it holds, and whether it takes anything."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from oncue.cli.doctor_asking import findings_in
from oncue.cli.findings import Finding, Verdict
from oncue.settings import Settings

_SUBJECT = "archive"


def look_at_archive(settings: Settings) -> Iterator[Finding]:
    """Yield how the archive fares, if OnCue runs on the folder and can be asked."""
    place = settings.archive_url or str(settings.data / "archive")
    yield from findings_in(settings, _SUBJECT, "/monitoring/archive", partial(_read, place))


def _read(place: str, found: Any) -> Iterator[Finding]:
    waiting = f", {found['waiting']} records wait" if found["waiting"] else ""
    newest = f" up to {found['newest_at']}" if found["newest_at"] else ""
    mib = found["bytes"] / (1 << 20)
    holds = f"{found['events']} events{newest} in {found['files']} files, {mib:.1f} MiB{waiting}"
    if missing := found["missing"]:
        yield Finding(
            _SUBJECT,
            Verdict.WRONG,
            f"{missing} files are not at {place}: their events are not found",
            "put them there from a copy of that place, and start OnCue again; its log names them",
        )
    if trouble := found["trouble"]:
        yield Finding(
            _SUBJECT,
            Verdict.WRONG,
            f"takes nothing since {trouble['since']}: {trouble['message']}; it holds {holds}",
            f"make {place} take files: until then events stay in the log, none is lost, "
            "and the disk fills",
        )
    else:
        yield Finding(_SUBJECT, Verdict.GOOD, holds)
