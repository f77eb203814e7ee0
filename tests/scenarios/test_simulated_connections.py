"""A connection to each simulated vendor is tested as one to the real vendor is."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oncue.cli.simulate import INTEGRATIONS
from oncue.testing.vendors import Simulators
from tests.running import KEY, Running, up

SETTINGS = {"ONCUE_API_KEY": KEY, "ONCUE_ALLOW_NETWORKS": "127.0.0.0/8"}
# Whatever of these is wrong, the vendor refuses it.
SECRETS = ("api_key", "bot_token", "auth_token", "token", "refresh_token", "access_key")


async def _tested(server: Running, name: str, integration: str, values: Mapping[str, str]) -> Any:
    body = {"name": name, "integration": integration, "values": dict(values)}
    status, answer = await server.post("/connections", body)
    assert status == 201, answer
    _, tested = await server.post(f"/connections/{name}/test", None)
    return tested


def _wrong(values: Mapping[str, str]) -> dict[str, str]:
    (name,) = (name for name in SECRETS if name in values)
    return {**values, name: "of-somebody-else"}


def test_what_is_right_is_known_and_what_is_wrong_is_refused(tmp_path: Path) -> None:
    async def main() -> Any:
        async with Simulators() as vendors, up(tmp_path, SETTINGS) as server:
            known = {name: vendors.connection(name) for name in INTEGRATIONS}
            smtp = {"smtp_url": vendors.smtp.url}
            hook = {"webhook_url": vendors.slack.webhook_url}
            bot = {name: value for name, value in known["slack"].items() if name not in hook}
            right = [*known.items(), ("email", smtp), ("slack", hook)]
            wrong = [(name, _wrong(values)) for name, values in {**known, "slack": bot}.items()]
            wrong.append(("email", {"smtp_url": vendors.smtp.url.replace("simulated-", "x")}))
            wrong.append(("slack", {"webhook_url": f"{vendors.slack.webhook_url}x"}))
            tests = [
                [
                    await _tested(server, f"{kind}-{n}", integration, values)
                    for n, (integration, values) in enumerate(those)
                ]
                for kind, those in (("right", right), ("wrong", wrong))
            ]
            effects = [vendor.effects for vendor in vendors.by_name.values()]
            return tests, [*effects, vendors.smtp.effects]

    (right, wrong), effects = asyncio.run(main())

    assert [one for one in right if not one["ok"]] == []
    assert [one for one in wrong if one["ok"]] == []
    # A test asks, and does nothing.
    assert not any(effects)
