"""What `oncue doctor` says of the archive: what it holds, and whether it takes anything."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp

from oncue.cli.findings import Finding, Verdict
from oncue.cli.remote import Address, CommandError, Remote, find_address
from oncue.settings import Settings

_SUBJECT = "archive"


def look_at_archive(settings: Settings) -> Iterator[Finding]:
    """Yield how the archive fares, if OnCue runs on the folder and can be asked."""
    if not (settings.data / "server.json").exists():
        return
    try:
        found = asyncio.run(_ask(find_address(settings)))
    except (CommandError, aiohttp.ClientError, TimeoutError) as exc:
        yield Finding(_SUBJECT, Verdict.NOTE, f"cannot be asked for: {exc}")
        return
    waiting = f", {found['waiting']} records wait" if found["waiting"] else ""
    newest = f" up to {found['newest_at']}" if found["newest_at"] else ""
    mib = found["bytes"] / (1 << 20)
    holds = f"{found['events']} events{newest} in {found['files']} files, {mib:.1f} MiB{waiting}"
    place = settings.archive_url or str(settings.data / "archive")
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


async def _ask(address: Address) -> Any:
    headers = {"Authorization": f"Bearer {address.api_key}"}
    async with aiohttp.ClientSession(address.url, headers=headers, trust_env=False) as session:
        return await Remote(session).ask("GET", "/monitoring/archive")
