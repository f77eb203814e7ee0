"""What the OnCue that runs on a folder answers to `oncue doctor`."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp

from oncue.cli.findings import Finding, Verdict
from oncue.cli.remote import Address, CommandError, Remote, find_address
from oncue.settings import Settings


def findings_in(
    settings: Settings, subject: str, path: str, read: Callable[[Any], Iterator[Finding]]
) -> Iterator[Finding]:
    """Yield what `read` finds in an answer, if OnCue runs on the folder and can be asked."""
    if not (settings.data / "server.json").exists():
        return
    try:
        answer = asyncio.run(_ask(find_address(settings), path))
    except (CommandError, aiohttp.ClientError, TimeoutError) as exc:
        yield Finding(subject, Verdict.NOTE, f"cannot be asked for: {exc}")
    else:
        yield from read(answer)


async def _ask(address: Address, path: str) -> Any:
    headers = {"Authorization": f"Bearer {address.api_key}"}
    async with aiohttp.ClientSession(address.url, headers=headers, trust_env=False) as session:
        return await Remote(session).ask("GET", path)
