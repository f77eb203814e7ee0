"""`oncue simulate`: vendors for trying, ended by a signal, told what to answer."""

import asyncio
import json
import shlex
import sys
from typing import Any

import aiohttp
import pytest

from oncue.settings import Settings


async def _simulating(*flags: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oncue", "simulate", *flags, stdout=asyncio.subprocess.PIPE
    )


async def _ended(child: asyncio.subprocess.Process) -> int:
    child.terminate()
    return await child.wait()


def test_settings_lead_to_vendors_that_answer_as_told() -> None:
    async def main() -> Any:
        child = await _simulating("--json")
        assert child.stdout
        told = json.loads(await child.stdout.readline())
        url = told["vendors"]["twilio"]
        async with aiohttp.ClientSession(url) as session:
            orders = [{"status": 429, "headers": {"Retry-After": "2"}}, {"lost": "after"}, None]
            async with session.post("/_answers", json=orders) as answer:
                ordered = await answer.json()
            seen: list[Any] = []
            for _ in range(3):
                try:
                    async with session.post("/nowhere") as answer:
                        seen.append((answer.status, answer.headers.get("Retry-After")))
                except aiohttp.ServerDisconnectedError:
                    seen.append("no answer")
        return told["settings"], ordered, seen, await _ended(child)

    settings, ordered, seen, code = asyncio.run(main())

    credentials = Settings.of(settings).credentials("twilio")
    assert credentials["account_sid"].startswith("AC")
    assert settings["ONCUE_ALLOW_NETWORKS"] == "127.0.0.0/8"
    assert (ordered, code) == ({"ordered": 3}, 0)
    assert seen == [(429, "2"), "no answer", (401, None)]


def test_lines_are_what_a_shell_takes() -> None:
    async def main() -> Any:
        child = await _simulating()
        assert child.stdout
        lines: list[str] = []
        while not (lines and lines[-1].startswith("export ONCUE_ALLOW_NETWORKS")):
            lines.append((await child.stdout.readline()).decode().strip())
        return lines, await _ended(child)

    lines, code = asyncio.run(main())

    exported = dict(
        shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export ")
    )
    assert (code, exported["RESEND_API_KEY"]) == (0, "re_simulated_key")
    assert any(line.startswith("# linear is simulated at http://127.0.0.1:") for line in lines)


def test_calls_go_wrong_by_chance_as_told() -> None:
    async def main() -> Any:
        child = await _simulating("--json", "--faults", "1", "--seed", "x")
        assert child.stdout
        told = json.loads(await child.stdout.readline())
        async with aiohttp.ClientSession() as session:
            statuses: set[Any] = set()
            for _ in range(20):
                try:
                    async with session.get(told["vendors"]["http"]) as answer:
                        statuses.add(answer.status)
                except aiohttp.ServerDisconnectedError:
                    statuses.add("no answer")
        return told["connections"], statuses, await _ended(child)

    connections, statuses, code = asyncio.run(main())

    assert (statuses, code) == ({429, 503, "no answer"}, 0)
    assert connections["google_calendar"]["refresh_token"]
    assert connections["slack"]["bot_token"]


@pytest.mark.parametrize(
    ("orders", "refused"),
    [({}, 422), ([5], 422), ([{"status": "x"}], 422), ([{"lost": "later"}], 422), ("[", 400)],
)
def test_answers_that_are_none_are_refused(orders: Any, refused: int) -> None:
    async def main() -> Any:
        child = await _simulating("--json")
        assert child.stdout
        url = json.loads(await child.stdout.readline())["vendors"]["resend"]
        body = orders if isinstance(orders, str) else json.dumps(orders)
        async with (
            aiohttp.ClientSession(url) as session,
            session.post("/_answers", data=body) as answer,
        ):
            status = answer.status
        return status, await _ended(child)

    assert asyncio.run(main()) == (refused, 0)
