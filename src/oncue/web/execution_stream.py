"""
One execution as Server-Sent Events: as it stands, then again after each of its turns.

A reader that is slow gets the newest state, not all of them; the last message
shows the end.
"""

from collections.abc import AsyncIterator

from oncue.ports import StoredExecution
from oncue.web import render
from oncue.web.context import Context
from oncue.web.sse import STILL_HERE, is_soon, message


async def follow(context: Context, account: str, stored: StoredExecution) -> AsyncIterator[bytes]:
    """Yield the messages, up to the end of the execution."""
    new, shown = stored.new, -1
    plan = await context.engine.definitions.plan(account, new.workflow_id, new.version)
    while True:
        # Asked for before it is read, so that no turn comes between.
        moved = context.engine.moved(new.start.execution_id)
        try:
            stored = await context.world.journal.load(account, new.start.execution_id)
            if stored.state.position != shown:
                shown = stored.state.position
                yield message("execution", shown, render.execution(stored, plan))
            if stored.state.final:
                return
            if not await is_soon(moved, context.world.clock):
                yield STILL_HERE
        finally:
            moved.cancel()
