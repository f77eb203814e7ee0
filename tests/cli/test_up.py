"""`oncue up`: what it refuses, and what the demo brings."""

import asyncio
import json
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.running import Running, run_to_end, up


def run(use: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await use()

    return asyncio.run(main())


def test_a_second_process_on_the_same_folder_names_the_first(tmp_path: Path) -> None:
    async def use() -> Any:
        async with up(tmp_path, {}) as first:
            return first.child.pid, await run_to_end(tmp_path, {}, "--port", "0")

    pid, (code, words) = run(use)

    assert code == 1
    assert f"in use by process {pid}" in words


def test_a_folder_is_free_again_after_kill_9(tmp_path: Path) -> None:
    async def use() -> Any:
        async with up(tmp_path, {}) as first:
            await first.kill()
        async with up(tmp_path, {}) as second:
            return await second.get("/health")

    assert run(use)["status"] == "ok"


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    async def use() -> list[str]:
        keys = []
        for _ in range(2):
            async with up(tmp_path, {}):
                keys.append((tmp_path / "admin-key").read_text())
        return keys

    first, second = run(use)

    assert first == second
    assert re.fullmatch(r"oncue_[0-9A-Za-z_-]{32,}", first)
    assert stat.S_IMODE((tmp_path / "admin-key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("settings", "flags", "words"),
    [
        (
            {"ENVIRONMENT": "production"},
            ["--demo"],
            "expected no --demo with ENVIRONMENT=production",
        ),
        ({"ENVIRONMENT": "test"}, [], "ENVIRONMENT"),
        ({"ONCUE_PORT": "http"}, [], "ONCUE_PORT"),
        ({"ONCUE_ALLOW_NETWORKS": "10.0.0.0/99"}, [], "ONCUE_ALLOW_NETWORKS"),
        ({}, ["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_start_says_why(
    tmp_path: Path, settings: dict[str, str], flags: list[str], words: str
) -> None:
    code, said = run(lambda: run_to_end(tmp_path, settings, *flags))

    assert code == 1
    assert words in said
    assert "Traceback" not in said


def test_a_folder_that_cannot_be_written_is_named() -> None:
    code, said = run(lambda: run_to_end(Path("/proc/oncue"), {}))

    assert code == 1
    assert "expected a folder that can be written at /proc/oncue" in said


def test_a_folder_of_a_newer_oncue_is_refused_by_name(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("PRAGMA user_version = 9999")

    code, said = run(lambda: run_to_end(tmp_path, {}, "--port", "0"))

    assert code == 1
    assert f"oncue up: {tmp_path / 'journal.db'} has format 9999, written by a newer OnCue" in said
    assert "Traceback" not in said


def test_an_unknown_variable_is_a_warning_with_the_nearest_name(tmp_path: Path) -> None:
    settings = {"ONCUE_PROT": "8000", "ONCUE_HOST": "192.0.2.1"}
    _, said = run(lambda: run_to_end(tmp_path, settings))

    assert "warning: unknown setting ONCUE_PROT; did you mean 'ONCUE_PORT'?" in said


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        pytest.param(["--strict"], 1, "oncue up: unknown setting ONCUE_PROT", id="strict"),
        pytest.param(["--demo"], 1, "unknown setting ONCUE_PROT", id="else a warning"),
    ],
)
def test_an_unknown_name_in_the_file_is_told(
    tmp_path: Path, flags: list[str], code: int, words: str
) -> None:
    (tmp_path / "config.toml").write_text("ONCUE_PROT = 8000\nENVIRONMENT = 'production'\n")
    found, said = run(lambda: run_to_end(tmp_path, {}, *flags))

    assert found == code
    assert words in said


def test_in_production_all_that_is_said_is_json_and_no_key(tmp_path: Path) -> None:
    settings = {
        "ENVIRONMENT": "production",
        "ENCRYPTION_KEY": "a key of this test alone",
        "ONCUE_API_KEY": "an api key that nobody may log",
        "ONCUE_PROT": "8000",
    }

    async def use() -> Any:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "oncue", "up", "--port", "0", "--data", str(tmp_path),
            env={**os.environ, **settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stderr is not None
        lines: list[bytes] = []
        while not lines or b"listens on" not in lines[-1]:
            lines.append(await child.stderr.readline())
        child.terminate()
        output, error = await child.communicate()
        return output, [*lines, *error.splitlines()]

    output, lines = run(use)

    told = [json.loads(line) for line in lines]
    events = [one["event"] for one in told]
    assert output == b""
    assert {"level", "timestamp", "event"} <= told[0].keys()
    assert "unknown setting ONCUE_PROT; did you mean 'ONCUE_PORT'?" in events
    assert any("set ONCUE_PUBLIC_URL" in event for event in events)
    assert not any("may log" in event or "this test alone" in event for event in events)


async def _said(server: Running) -> list[str]:
    """Return the lines that were printed up to the last."""
    assert server.child.stdout is not None
    lines: list[str] = []
    while not lines or "look at it" not in lines[-1]:
        lines.append((await server.child.stdout.readline()).decode())
    return lines


def test_the_demo_runs_the_example_against_simulated_vendors(tmp_path: Path) -> None:
    event = {"type": "user.signup", "data": {"email": "ada@example.com", "plan": "enterprise"}}

    async def use() -> Any:
        async with up(tmp_path, {}, "--demo") as server:
            lines = await _said(server)
            key = (tmp_path / "demo-key").read_text()
            async with aiohttp.ClientSession(
                server.session._base_url, headers={"Authorization": f"Bearer {key}"}
            ) as session:
                demo = Running(server.child, session, tmp_path)
                await demo.post("/events", event)
                execution = await demo.only_execution("waiting")
            calls = {}
            for line in lines:
                if "is simulated" in line:
                    _, name, *_, url = line.split()
                    async with aiohttp.ClientSession() as session, session.get(url) as answer:
                        calls[name] = await answer.json()
            return execution, calls, lines, key, await server.get("/executions")

    execution, calls, lines, key, of_first_account = run(use)

    assert execution["workflow"] == "high-value-signup-onboarding"
    assert {name: len(received) for name, received in calls.items() if received} == {
        "resend": 1,
        "slack": 1,
        "hubspot": 1,
    }
    assert f"/#key={key}" in lines[-1]
    assert of_first_account["data"] == []


def test_the_demo_is_opened_once(tmp_path: Path) -> None:
    async def use() -> Any:
        keys, counts = [], []
        for is_lost in (False, False, True):
            if is_lost:
                (tmp_path / "demo-key").unlink()
            async with up(tmp_path, {}, "--demo") as server:
                await _said(server)
                keys.append((tmp_path / "demo-key").read_text())
                counts.append(len((await server.get("/accounts"))["data"]))
        return keys, counts, stat.S_IMODE((tmp_path / "demo-key").stat().st_mode)

    (first, second, third), counts, mode = run(use)

    assert (first, counts, mode) == (second, [2, 2, 2], 0o600)
    assert third != second
