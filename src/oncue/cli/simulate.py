"""The command that stands in for all vendors."""

import asyncio
import shlex
import signal
from collections.abc import Mapping

from oncue.cli.output import AsJson
from oncue.cli.remote import out
from oncue.core.json_text import encode_json
from oncue.testing.vendors import Simulators

# OnCue reaches no private address unless told so.
_ALLOWED = {"ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}


def simulate(*, as_json: AsJson = False) -> int:
    """
    Run simulated vendors until you end it, and print the settings that lead to them.

    Each shows the calls that it got at `/_calls`, and takes answers for the next
    ones at `/_answers`: `[{"status": 429, "headers": {"Retry-After": "2"}}, {"lost": "after"}]`.

    Parameters
    ----------
    as_json
        Print one line of JSON.
    """
    return asyncio.run(_simulate(as_json=as_json))


async def _simulate(*, as_json: bool) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Simulators() as vendors:
        settings = {**vendors.settings, **_ALLOWED}
        urls = {name: vendor.base_url for name, vendor in vendors.by_name.items()}
        for line in [_json(urls, settings)] if as_json else _lines(urls, settings):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        await ended.wait()
    return 0


def _json(urls: Mapping[str, str], settings: Mapping[str, str]) -> str:
    return encode_json({"vendors": {**urls}, "settings": {**settings}}).decode()


def _lines(urls: Mapping[str, str], settings: Mapping[str, str]) -> list[str]:
    return [
        *(f"# {name} is simulated at {url}" for name, url in urls.items()),
        *(f"export {name}={shlex.quote(value)}" for name, value in settings.items()),
    ]
