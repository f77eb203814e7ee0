"""What `oncue doctor` says of alerts: by what the first account is told of failures, if by anything."""

from collections.abc import Iterator
from typing import Any

from oncue.cli.doctor_asking import findings_in
from oncue.cli.findings import Finding, Verdict
from oncue.settings import Settings

_SUBJECT = "alerts"


def look_at_alerts(settings: Settings) -> Iterator[Finding]:
    """Yield how failures are told, if OnCue runs on the folder and can be asked."""
    yield from findings_in(settings, _SUBJECT, "/monitoring/dashboard?range=1m", _read)


def _read(board: Any) -> Iterator[Finding]:
    alerts = board["alerts"]
    if alerts["by"]:
        yield Finding(_SUBJECT, Verdict.GOOD, f"failures are told by {alerts['by']}")
    else:
        found = "nobody is told of failures"
        yield Finding(_SUBJECT, Verdict.NOTE, found, str(alerts["lack"]))
