"""`oncue dead-letters`."""

import json
from typing import Any

from tests.cli.shell import Shell
from tests.web.test_dead_letters import fail, listed


def test_they_are_listed_shown_and_let_go(at: Any) -> None:
    async def use(shell: Shell) -> Any:
        await fail(shell.server, "busy 1", "busy 2", "gone")
        gone, *_ = await listed(shell.server)
        return (
            gone["id"],
            await shell.run("dead-letters", "list"),
            await shell.run("dead-letters", "list", "--group"),
            await shell.run("dead-letters", "show", gone["id"]),
            await shell.run("dead-letters", "discard", gone["id"]),
            await shell.run("dead-letters", "discard"),
            await shell.run("dead-letters", "discard", "--workflow", "greet"),
            json.loads((await shell.run("dead-letters", "list", "--json"))[1])["data"],
        )

    id_, rows, groups, one, gone, unclear, rest, left = at(use)

    assert (rows[0], rows[1].count("greet")) == (0, 3)
    assert ("busy 2" in groups[1], "busy 1" in groups[1]) == (True, False)
    assert "step 'call': gone" in one[1]
    assert gone == (0, f"discarded {id_}\n")
    assert unclear[0] == 1
    assert "expected either ids" in unclear[1]
    assert rest == (0, "discarded 2\n")
    assert left == []


def test_they_are_redriven_one_by_one_or_many_at_a_rate(at: Any) -> None:
    async def use(shell: Shell) -> Any:
        await fail(shell.server, "one", "two", "three")
        three, *_ = await listed(shell.server)
        one = await shell.run("dead-letters", "redrive", three["id"], "--latest")
        many = await shell.run("dead-letters", "redrive", "--all", "--rate", "1/m")
        await shell.server.world.engine.settled()
        rows = await shell.run("dead-letters", "redrives")
        (row,) = json.loads((await shell.run("dead-letters", "redrives", "--json"))[1])["data"]
        ended = await shell.run("dead-letters", "cancel", row["id"])
        execution = (await shell.server.request("GET", "/executions")).body["data"][0]["id"]
        replayed = await shell.run("executions", "replay", execution, "--from", "call")
        return three["id"], one, many, rows, row["id"], ended, replayed

    id_, one, many, rows, redrive_id, ended, replayed = at(use)

    assert (one[0], one[1].startswith(f"redriven {id_} as exe_")) == (0, True)
    assert many == (0, f"redriving 2 at 1/m as {redrive_id}\n")
    assert "running" in rows[1]
    assert ended == (0, f"cancelled {redrive_id}: 1 of 2 redriven\n")
    assert (replayed[0], replayed[1].startswith("began exe_")) == (0, True)
