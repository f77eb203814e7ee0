"""What `oncue doctor` says of alerts: by what the first account is told of failures, if by anything."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp

from oncue.cli.findings import Finding, Verdict
from oncue.cli.remote import Address, CommandError, Remote, find_address
from oncue.settings import Settings

_SUBJECT = "alerts"


def look_at_alerts(settings: Settings) -> Iterator[Finding]:
    """Yield how failures are told, if OnCue runs on the folder and can be asked."""
    if not (settings.data / "server.json").exists():
        return
    try:
        alerts = asyncio.run(_ask(find_address(settings)))
    except (CommandError, aiohttp.ClientError, TimeoutError) as exc:
        yield Finding(_SUBJECT, Verdict.NOTE, f"cannot be asked for: {exc}")
        return
    if alerts["by"]:
        yield Finding(_SUBJECT, Verdict.GOOD, f"failures are told by {alerts['by']}")
    else:
        found = "nobody is told of failures"
        yield Finding(_SUBJECT, Verdict.NOTE, found, str(alerts["lack"]))


async def _ask(address: Address) -> Any:
    headers = {"Authorization": f"Bearer {address.api_key}"}
    async with aiohttp.ClientSession(address.url, headers=headers, trust_env=False) as session:
        board = await Remote(session).ask("GET", "/monitoring/dashboard?range=1m")
        return board["alerts"]
