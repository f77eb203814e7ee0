"""What every execution begins with, whoever starts it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from oncue.core.callbacks import Callbacks
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.workflow.state import Start
from oncue.engine.definitions import Definitions
from oncue.engine.variable_book import VariableBook
from oncue.ports import Clock

OfAccount = Callable[[str], Awaitable[Mapping[str, list[str]]]]
"""From an account to by what each integration is reached that is connected."""


class Starts:
    """Makes the start of an execution."""

    def __init__(
        self,
        definitions: Definitions,
        variables: VariableBook,
        connected: OfAccount,
        clock: Clock,
        callbacks: Callbacks,
    ) -> None:
        self.definitions = definitions
        """The workflows that are started."""
        self._variables = variables
        self._clock = clock
        self._callbacks = callbacks
        self._connected = connected

    async def start(
        self,
        account: str,
        execution_id: str,
        workflow: tuple[str, int],
        event: Event,
        match: Json,
        input_: Json,
    ) -> Start:
        """Return the start of an execution of a `workflow`, given by id and version."""
        start = Start(
            execution_id=execution_id,
            root_id=execution_id,
            created_at_ms=0,
            event=event.view(),
            match=match,
            input=input_,
        )
        return await self.again(account, execution_id, workflow, start)

    async def again(
        self, account: str, execution_id: str, workflow: tuple[str, int], start: Start
    ) -> Start:
        """Return `start` as that of another execution, which begins now."""
        plan = await self.definitions.plan(account, *workflow)
        now = self._clock.now_ms()
        return replace(
            start,
            execution_id=execution_id,
            created_at_ms=now,
            connected=await self._connected(account) if plan.asks_connected else None,
            expires_at_ms=now + plan.timeout_ms,
            callback_url=self._callbacks.url(account, execution_id)
            if plan.awaits_callbacks
            else None,
            vars=await self._variables.read_by(account, plan),
        )
