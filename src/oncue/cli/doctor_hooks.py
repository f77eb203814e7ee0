"""What `oncue doctor` says of hooks: whether those who post can reach them."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from oncue.cli.findings import Finding, Verdict
from oncue.settings import Settings

_SUBJECT: Final = "hooks"
_NEARBY: Final = ("localhost", "127.", "[::1]", "0.0.0.0")  # noqa: S104 looked for, not listened on


def look_at_hooks(settings: Settings) -> Iterator[Finding]:
    """Yield whether others can find the hooks that there are."""
    count = _count(settings.data / "catalog.db")
    if not count:
        return
    hooks = f"{count} hook{'' if count == 1 else 's'}"
    remedy = "set ONCUE_PUBLIC_URL to how vendors reach this, such as https://oncue.example.com"
    if not settings.public_url:
        found = f"{hooks}, and no ONCUE_PUBLIC_URL: their URLs lead to where this listens"
        yield Finding(_SUBJECT, Verdict.NOTE, found, remedy)
    elif settings.public_url.partition("://")[2].startswith(_NEARBY):
        found = (
            f"{hooks}, whose URLs begin with {settings.public_url}: only this machine gets there"
        )
        yield Finding(_SUBJECT, Verdict.NOTE, found, remedy)
    else:
        yield Finding(_SUBJECT, Verdict.GOOD, f"{hooks} at {settings.public_url}")


def _count(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            (count,) = connection.execute("SELECT count(*) FROM hook WHERE enabled").fetchone()
            return int(count)
        finally:
            connection.close()
    except sqlite3.Error:
        # The file itself is looked at elsewhere; an older one has no such table.
        return 0
