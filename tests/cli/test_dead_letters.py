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
