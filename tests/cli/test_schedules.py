"""`oncue schedules`, and the time zone of an account."""

import json
from typing import Any

from tests.cli.shell import Shell


def test_a_schedule_is_made_shown_paused_resumed_and_deleted(at: Any) -> None:
    async def use(shell: Shell) -> None:
        words = ("--cron", "30 2 * * *", "--time-zone", "Europe/Berlin", "--data", '{"of": 1}')
        code, told = await shell.run("schedules", "create", "nightly", *words)
        assert (code, told.splitlines()) == (
            0,
            [
                "nightly: 30 2 * * * (Europe/Berlin)",
                "  data: {'of': 1}",
                *(
                    f"  next: {day} 2026-01-0{number} 02:30:00 +0100"
                    for number, day in enumerate(("Thu", "Fri", "Sat", "Sun", "Mon"), 1)
                ),
            ],
        )
        assert await shell.run("schedules", "pause", "nightly") == (0, "nightly: paused\n")
        code, told = await shell.run("schedules", "list")
        assert "paused" in told
        assert "never" in told
        assert await shell.run("schedules", "resume", "nightly") == (
            0,
            "nightly: next Thu 2026-01-01 02:30:00 +0100\n",
        )
        shown = json.loads((await shell.run("schedules", "show", "nightly", "--json"))[1])
        assert (shown["data"], shown["version"]) == ({"of": 1}, 3)
        assert await shell.run("schedules", "delete", "nightly") == (0, "deleted nightly\n")
        assert json.loads((await shell.run("schedules", "list", "--json"))[1]) == []

    at(use)


def test_what_is_wrong_is_told(at: Any) -> None:
    async def use(shell: Shell) -> None:
        code, told = await shell.run("schedules", "create", "x", "--cron", "0 25 * * *")
        assert code == 1
        assert "cron: expected an hour from 0 to 23, got '25' in '0 25 * * *'" in told
        code, told = await shell.run("schedules", "create", "x", "--every", "1h", "--data", "{")
        assert code == 1
        assert "expected JSON as --data" in told

    at(use)


def test_the_queries_of_an_account_are_bounded(at: Any) -> None:
    async def use(shell: Shell) -> None:
        shown = "timeout: 30s\nmemory_mb: as set for all\nmax_bytes: 4096\n"
        await shell.run("accounts", "change", "--name", "shop")
        change = ("accounts", "query-bounds", "--timeout", "30s", "--max-bytes", "4096")
        assert await shell.run(*change) == (0, shown)
        assert await shell.run("accounts", "query-bounds") == (0, shown)
        reset = await shell.run(
            "accounts", "query-bounds", "--reset", "--memory-mb", "64", "--json"
        )
        assert json.loads(reset[1]) == {"timeout": None, "memory_mb": 64, "max_bytes": None}
        code, told = await shell.run("accounts", "query-bounds", "--timeout", "1h")
        assert code == 1
        assert "query_bounds.timeout: expected a duration of 100ms to 10m, got '1h'" in told

    at(use)


def test_an_account_is_given_a_time_zone(at: Any) -> None:
    async def use(shell: Shell) -> None:
        words = ("--name", "shop", "--time-zone", "Asia/Tokyo")
        assert await shell.run("accounts", "change", *words) == (0, "shop: Asia/Tokyo\n")
        code, told = await shell.run("schedules", "create", "daily", "--cron", "@daily")
        assert (code, told.splitlines()[0]) == (0, "daily: @daily (Asia/Tokyo)")

    at(use)
