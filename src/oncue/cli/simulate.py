"""The command that stands in for all vendors."""

import asyncio
import shlex
import signal
from collections.abc import Mapping
from typing import Annotated, Final

from cyclopts import Parameter, validators

from oncue.cli.output import AsJson
from oncue.cli.remote import out
from oncue.core.json_text import encode_json
from oncue.testing.vendors import Faults, Simulators

# Those of which accounts have connections to a vendor.
INTEGRATIONS: Final = (
    "email",
    "twilio",
    "slack",
    "hubspot",
    "linear",
    "google_calendar",
    "r2",
    "ai",
)
Rate = Annotated[float, Parameter(validator=validators.Number(gte=0, lte=1))]
# OnCue reaches no private address unless told so.
_ALLOWED = {"ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}


def simulate(*, faults: Rate = 0.0, seed: str = "", as_json: AsJson = False) -> int:
    """
    Run simulated vendors until you end it, and print the settings that lead to them.

    Each shows the calls that it got at `/_calls`, and takes answers for the next
    ones at `/_answers`: `[{"refused": "rate_limited"}, {"slow": "2s"}, {"lost": "after"}]`,
    and chance for all after them at `/_faults`: `{"rate": 0.2}`.

    Parameters
    ----------
    faults
        Of all calls, the part that goes wrong by chance: 0 to 1.
    seed
        Makes chance the same for each run that has it.
    as_json
        Print one line of JSON, with the values of connections as well.
    """
    return asyncio.run(_simulate(Faults(faults, seed) if faults else None, as_json=as_json))


async def _simulate(faults: Faults | None, *, as_json: bool) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Simulators() as vendors:
        for vendor in vendors.by_name.values():
            vendor.faults = faults
        settings = {**vendors.settings, **_ALLOWED}
        urls = {name: vendor.base_url for name, vendor in vendors.by_name.items()}
        connections = {name: vendors.connection(name) for name in INTEGRATIONS}
        shown = {"vendors": urls, "settings": settings, "connections": connections}
        for line in [encode_json(shown).decode()] if as_json else _lines(urls, settings):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        await ended.wait()
    return 0


def _lines(urls: Mapping[str, str], settings: Mapping[str, str]) -> list[str]:
    return [
        *(f"# {name} is simulated at {url}" for name, url in urls.items()),
        *(f"export {name}={shlex.quote(value)}" for name, value in settings.items()),
    ]
